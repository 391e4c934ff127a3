"""A device that speaks no LoRaWAN: what its message says, by a form that is there or is being made."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext

from stadtherz.base.errors import Invalid
from stadtherz.base.time import Micros
from stadtherz.ingest.documents.uplink import Uplink
from stadtherz.ingest.forms import bare, lines, reading
from stadtherz.ingest.forms.expressions import Message, Text
from stadtherz.ingest.forms.known import as_known
from stadtherz.ingest.forms.models import MessageForm
from stadtherz.ingest.forms.proposing import Shape, proposed_shape
from stadtherz.ingest.forms.reading import KnownForm, Misfit
from stadtherz.ingest.forms.register import FIELDS, register_form
from stadtherz.ingest.models import Device, Network
from stadtherz.ingest.onboarding.models import Draft
from stadtherz.ingest.onboarding.pasted import document_of, is_form
from stadtherz.ingest.onboarding.recognise import Recognised, place_in
from stadtherz.ingest.quality.reasons import misfit_sentence, problem_words
from stadtherz.ingest.values.positions import Place

_MOST_FORMS = 50  # of an organisation are tried with a message
_LONGEST_KEY = 40


@dataclass(frozen=True, slots=True)
class Sample:
    """A message of a device and what came beside it."""

    content: Any
    topic: tuple[str, ...]
    query: Mapping[str, str]
    more: tuple["Sample", ...] = ()  # messages of other topics that were pasted with it

    @property
    def message(self) -> Message:
        return Message(self.content, self.topic, self.query)


def sample_of(text: str, query: str = "") -> Sample:
    """What was pasted: JSON, XML, the fields of a form, or the whole address of a request.

    Raises Invalid, field `sample`, in the active language.
    """
    told = text.strip()
    if not told:
        raise Invalid("sample", gettext("Paste a message here."))
    if (several := _of_topics(told)) is not None:
        return several
    if re.match(r"(GET |POST )?(https?://|/)\S+$", told):
        told = urlsplit(told.split(" ")[-1]).query
    try:
        address = reading.address(query)
        content = _content(told, address)
    except Invalid as problem:
        raise Invalid("sample", _unread(told, problem)) from problem
    if content in ({}, [], "") or not (isinstance(content, dict | list) or address.topic):
        raise Invalid(
            "sample",
            gettext(
                "This is a single value without a name. Paste a whole message, or say under which topic it came."
            ),
        )
    return Sample(content, address.topic, address.query or {})


_WITH_TOPIC = re.compile(r"([^\s{}\[\]\"'=?&,]+/[^\s{}\[\]\"'=?&,]+)[ \t]+(\S.*)")
_MOST_TOPICS = 200


def _of_topics(text: str) -> Sample | None:
    """Lines of a topic and what came under it, as programs that listen print them; None if it is not that."""
    lines_ = [line for line in text.splitlines() if line.strip()][:_MOST_TOPICS]
    if text.startswith("<"):
        return None
    matches = [_WITH_TOPIC.fullmatch(line.strip()) for line in lines_]
    found = []
    for match in matches:
        if match is None or match[1].startswith(("http:", "https:", "/")):
            return None
        try:
            told = reading.address(reading.query_of("", match[1]))
            content = reading.content(match[2].encode("utf-8", "replace"), told)
        except Invalid:
            continue
        found.append(Sample(content, told.topic, {}))
    return replace(found[0], more=tuple(found[1:])) if found else None


def _content(text: str, told: reading.Address) -> Any:
    """Lines, a form that was sent, XML or JSON, also with something around it; under a topic a value alone.

    Of lines that came from a device the good ones count; of pasted ones a person wants to know the bad one.
    """
    if text.startswith("<"):
        return document_of(text)
    if lines.looks_like(text):
        came = lines.entries(text, (told.query or {}).get("precision", "")) if told.form else []
        return [each for each in came if isinstance(each, dict)] or lines.whole(text)
    if is_form(text):
        form = reading.Address("", kind=told.kind or reading.FORM)
        return reading.content(text.encode("utf-8", "replace"), form)
    alone = bare.value_of(text) if told.topic else None
    return document_of(text) if alone is None else reading.content(alone.encode(), told)


def _unread(text: str, problem: Invalid) -> str:
    if lines.looks_like(text):
        return problem_words(problem.reason)
    if text.startswith("<") or re.search(r"[{\[]", text):
        try:
            document_of(text)
        except Invalid as why:
            return why.reason
    return gettext(
        "This is neither a whole JSON document nor a list such as a=1&b=2. Copy everything, from the first {"
        " to the last }."
    )


def new_shape(sample: Sample, received: Micros) -> Shape:
    """The likeliest description of the message."""
    return proposed_shape(sample.message, received, settings.TIME_ZONE)


def fitting_forms(owner: int, sample: Sample, received: Micros) -> list[tuple[MessageForm, str]]:
    """The organisation's forms that read this message wholly, each with what they call the device."""
    found = []
    for form in MessageForm.objects.filter(owner_id=owner)[:_MOST_FORMS]:
        try:
            known = as_known(form)
            if all(isinstance(part, Text) for part in known.device.parts):
                continue  # of one device alone: it would read anything
            told = read_by(known, sample, received)
        except (Invalid, ValueError):
            continue
        if told and all(isinstance(each, Uplink) for each in told):
            first = told[0]
            assert isinstance(first, Uplink)
            found.append((form, first.dev_eui))
    return found


def form_of(draft: Draft) -> KnownForm:
    """The form that the draft has chosen or describes. Raises ValueError for one that cannot be read."""
    return as_known(draft.form or _described(draft))


def _described(draft: Draft) -> MessageForm:
    told = {name: draft.shape[name] for name in FIELDS if name in draft.shape}
    return MessageForm(owner_id=draft.owner_id, key=draft.shape.get("key", ""), **told)


def read_by(form: KnownForm, sample: Sample, received: Micros) -> list[Uplink | Misfit]:
    """The readings of the message by this form. Raises Misfit where there are none."""
    told = reading.Address(form.key, sample.topic, query=sample.query)
    found = reading.read(form, told, sample.content, received)
    for each in sample.more:
        try:
            found += read_by(form, each, received)
        except Misfit:  # a topic that is too short to name the device
            continue
    return found


def read_sample(draft: Draft, sample: Sample, received: Micros) -> Recognised:
    """The newest reading of the draft's device in a message, else of one that is not connected yet.

    Raises Invalid, field `device`, `time` …
    """
    good = _good(draft, sample, received)
    own = [each for each in good if each.dev_eui == draft.dev_eui]
    if not own:
        connected = _connected(draft, good)
        own = [each for each in good if each.dev_eui not in connected] or good
    newest = max(own, key=lambda each: each.time)
    own = [each for each in own if each.dev_eui == newest.dev_eui]
    if len(own) > 1 and all(bare.is_alone(each.decoded) for each in own):
        together = bare.together(each.decoded or {} for each in own)
        newest = replace(newest, decoded=bare.Alone(together))
    return Recognised(Network.JSON, newest.decoded or {}, newest, _place(newest))


def devices_told_of(draft: Draft, sample: Sample, received: Micros) -> dict[str, bool]:
    """The devices that a message tells of, in order, and whether each is connected already."""
    try:
        good = _good(draft, sample, received)
    except Invalid:
        return {}
    connected = _connected(draft, good)
    return {each.dev_eui: each.dev_eui in connected for each in good}


def others_of(draft: Draft) -> list[str]:
    """The devices that a draft's message of JSON tells of besides its own and that are not connected."""
    if draft.network != Network.JSON or not draft.sample:
        return []
    try:
        sample = sample_of(draft.sample, draft.query)
    except Invalid:
        return []
    told = devices_told_of(draft, sample, draft.updated)
    return [name for name, connected in told.items() if not connected and name != draft.dev_eui]


def takes_others(form: MessageForm | None) -> bool:
    """Whether messages of this form tell which device they are of."""
    return form is not None and any(not isinstance(p, Text) for p in as_known(form).device.parts)


def _good(draft: Draft, sample: Sample, received: Micros) -> list[Uplink]:
    """The readings that are understood, at least one. Raises Invalid."""
    try:
        found = read_by(form_of(draft), sample, received)
    except Misfit as problem:
        raise Invalid(problem.part, misfit_sentence(problem.facts)) from problem
    except ValueError as problem:
        raise Invalid("device", str(problem)) from problem
    good = [each for each in found if isinstance(each, Uplink)]
    if not good:
        misfit = found[0]
        assert isinstance(misfit, Misfit)
        raise Invalid(misfit.part, misfit_sentence(misfit.facts))
    return good


def _connected(draft: Draft, good: Sequence[Uplink]) -> frozenset[str]:
    """Which of several devices the organisation has already; of one alone it does not matter."""
    names = {each.dev_eui for each in good}
    if len(names) < 2:
        return frozenset()
    rows = Device.objects.filter(owner_id=draft.owner_id, network=Network.JSON, dev_eui__in=names)
    return frozenset(rows.values_list("dev_eui", flat=True))


def _place(message: Uplink) -> Place | None:
    return place_in(message.decoded or {})


def meant_otherwise(draft: Draft) -> frozenset[str]:
    """The paths of what a form takes out of a message, which are no measurements."""
    try:
        form = form_of(draft)
    except ValueError:
        return frozenset()
    parts = (form.device, form.time, form.message_id, form.payload)
    return frozenset(
        part.path
        for expression in parts
        if expression is not None
        for part in expression.parts
        if hasattr(part, "path")
    )


def free_key(owner: int, words: str) -> str:
    """A key for a form that the organisation does not have yet, made of a name."""
    plain = unicodedata.normalize("NFKD", words.lower().replace("ß", "ss")).encode(
        "ascii", "ignore"
    )
    base = (
        re.sub(r"[^a-z0-9]+", "-", plain.decode()).strip("-")[:_LONGEST_KEY].strip("-") or "geraete"
    )
    taken = set(MessageForm.objects.filter(owner_id=owner).values_list("key", flat=True))
    return next(
        key for key in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if key not in taken
    )


def keep_form(draft: Draft) -> MessageForm:
    """The draft's form, which is made if it is new. Raises Invalid, naming the field of a form."""
    if draft.form is not None:
        return draft.form
    key = draft.shape.get("key", "")
    if not key or MessageForm.objects.filter(owner_id=draft.owner_id, key=key).exists():
        key = free_key(draft.owner_id, key or draft.name)
    told = {n: draft.shape[n] for n in FIELDS if n in draft.shape and n != "name"}
    name = draft.shape.get("name") or draft.name
    return MessageForm.objects.get(pk=register_form(draft.owner_id, key, name, told))
