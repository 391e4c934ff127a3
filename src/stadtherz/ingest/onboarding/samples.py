"""The messages of a device that is not connected yet: pasted, or refused because nobody knew it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from django.db.models import Q, QuerySet

from stadtherz.base.errors import Invalid
from stadtherz.base.time import Micros
from stadtherz.ingest.documents import document
from stadtherz.ingest.forms import bare
from stadtherz.ingest.intake.pipeline import NETWORKS, READERS
from stadtherz.ingest.models import Network
from stadtherz.ingest.onboarding.messages import read_sample, sample_of
from stadtherz.ingest.onboarding.models import Draft
from stadtherz.ingest.onboarding.recognise import Recognised, read_document, recognise
from stadtherz.ingest.quality.reasons import Reason
from stadtherz.ingest.refused.models import RefusedUplink

_TRIED = 20
_TRIED_JSON = 100  # a device may tell each value in a message of its own
_LOOKED_AT = 2_000  # of an organisation's refused messages, the newest


@dataclass(frozen=True, slots=True)
class Unknown:
    """A device that has sent and is not registered; `refused` is its newest message."""

    network: str
    dev_eui: str
    count: int
    last_at: Micros
    refused: int

    @property
    def network_name(self) -> str:
        return str(Network(self.network).label)


def unknown_devices(owners: QuerySet[Any] | list[int]) -> list[Unknown]:
    """Of these organisations, the one heard last first."""
    rows = _waiting().filter(owner_id__in=owners).order_by("-last_at", "-pk")
    found: dict[tuple[str, str], Unknown] = {}
    columns = ("network", "facts__dev_eui", "count", "last_at", "pk")
    for network, dev_eui, count, last_at, key in rows.values_list(*columns)[:_LOOKED_AT]:
        if not isinstance(dev_eui, str) or network not in NETWORKS:
            continue
        known = found.get((network, dev_eui))
        found[network, dev_eui] = (
            Unknown(network, dev_eui, count, last_at, key)
            if known is None
            else Unknown(network, dev_eui, known.count + count, known.last_at, known.refused)
        )
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Unread:
    """Messages that came to an address, or under a topic, for which there is no message form."""

    form: str
    count: int
    last_at: Micros
    refused: int


def unread_messages(owners: QuerySet[Any] | list[int]) -> list[Unread]:
    """Of these organisations, by the key that the senders named; the one heard last first."""
    rows = _open(Reason.UNKNOWN_FORM).filter(owner_id__in=owners).order_by("-last_at", "-pk")
    found: dict[str, Unread] = {}
    for key, count, last_at, pk in rows.values_list("facts__form", "count", "last_at", "pk")[
        :_LOOKED_AT
    ]:
        known = found.get(key or "")
        found[key or ""] = (
            Unread(key or "", count, last_at, pk)
            if known is None
            else Unread(known.form, known.count + count, known.last_at, known.refused)
        )
    return list(found.values())


def waiting(owner: int, network: str, dev_eui: str, form: str = "") -> QuerySet[RefusedUplink]:
    """The messages of this device, and those for a `form`, that wait for it to be connected, the oldest first."""
    rows = _waiting().filter(owner_id=owner, network=network, facts__dev_eui=dev_eui)
    if form:
        rows = rows | _open(Reason.UNKNOWN_FORM).filter(owner_id=owner, facts__form=form)
    return rows.order_by("received_at", "pk")


def _waiting() -> QuerySet[RefusedUplink]:
    return _open(Reason.UNKNOWN_DEVICE)


def _open(reason: Reason) -> QuerySet[RefusedUplink]:
    """Refused for this reason, and so still the last time that they were tried."""
    still = {"outcome": RefusedUplink.REFUSED_AGAIN, "outcome_facts__reason": Reason.UNKNOWN_DEVICE}
    return RefusedUplink.objects.filter(
        Q(outcome=RefusedUplink.OPEN) | Q(**still), reason=reason, truncated=False
    )


def newest(draft: Draft) -> Recognised | None:
    """The device's last message that is a measurement: one that came, else the one that was pasted."""
    found = next(_messages(draft), None)
    if found is None or not _is_one_of_many(found):
        return found
    others = [each.document for each in _messages(draft) if _is_one_of_many(each)]
    values = bare.Alone(bare.together([found.document, *others]))
    assert found.uplink is not None
    return replace(found, document=values, message=replace(found.uplink, decoded=values))


def _is_one_of_many(found: Recognised) -> bool:
    """Whether a device of JSON tells each of its values under a topic of its own."""
    return found.network == Network.JSON and bare.is_alone(found.document)


def _messages(draft: Draft) -> Iterator[Recognised]:
    if draft.network == Network.JSON:
        yield from _json_messages(draft)
        return
    if draft.network and draft.dev_eui:
        for row in waiting(draft.owner_id, draft.network, draft.dev_eui).reverse()[:_TRIED]:
            if (found := of_refused(row)) is not None and found.uplink is not None:
                yield found
    if draft.sample:
        try:
            found = recognise(draft.sample, received=draft.updated)
        except Invalid:  # what was pasted was looked at then; a reader may have changed since
            return
        if found.uplink is not None and found.message.dev_eui == draft.dev_eui:
            yield found


def _json_messages(draft: Draft) -> Iterator[Recognised]:
    """As its form reads them, whoever sent them and whenever."""
    key = draft.form.key if draft.form else draft.shape.get("key", "")
    rows = waiting(draft.owner_id, draft.network, draft.dev_eui, key).reverse()[:_TRIED_JSON]
    kept = [(row.document_text, row.query, row.received_at) for row in rows]
    pasted = [(draft.sample, draft.query, draft.updated)] if draft.sample else []
    for text, query, received in (*kept, *pasted):
        try:
            found = read_sample(draft, sample_of(text, query), received)
        except Invalid:
            continue
        if found.message.dev_eui == draft.dev_eui:
            yield found


def is_unknown(row: RefusedUplink) -> bool:
    """Whether it was refused because nobody knows its device, or how its messages are read."""
    if row.reason == Reason.UNKNOWN_FORM:
        return row.owner_id is not None
    unknown = row.reason == Reason.UNKNOWN_DEVICE and bool(row.facts.get("dev_eui"))
    return unknown and row.network in NETWORKS


def of_refused(row: RefusedUplink) -> Recognised | None:
    """What a refused message says; None if it cannot be read, or belongs to no LoRaWAN network."""
    if row.network not in READERS:
        return None
    try:
        inner = document.parse(bytes(row.document))
        query = dict(parse_qsl(row.query))
        return read_document(row.network, inner, query, received=row.received_at)
    except Invalid:
        return None
