"""What people would be told by a rule, before it is switched on: the words of each step, reached at its limit now."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import override

from stadtherz.alerts.channels.sms import Length, compose, length
from stadtherz.alerts.models import Rule, RuleStep
from stadtherz.alerts.rules.known import ranked_steps
from stadtherz.alerts.rules.telling import Occasion, texts
from stadtherz.alerts.values import Wording
from stadtherz.base.time import now_us
from stadtherz.store.public import StreamInfo, streams, streams_by_property

_CODE = 123  # with which somebody would answer


@dataclass(frozen=True, slots=True)
class Specimen:
    """The words of one step in one language: the subject of a mail, and the text of an SMS.

    `is_cut`: the SMS does not hold all that the mail says.
    """

    step: str
    severity: str
    language: str
    subject: str
    sms: str
    length: Length
    is_cut: bool


def specimens(rule: Rule) -> Sequence[Specimen]:
    """By language, then from the mildest step; none if nothing is observed yet of what the rule watches."""
    stream = _stream(rule)
    if stream is None:
        return []
    now = now_us()
    reached = [
        (step, texts(Occasion(rule, stream, None, step, worse=True, value=step.limit, at=now)))
        for step in ranked_steps(rule)
    ]
    return [
        _specimen(step, language, wordings[language])
        for language, _name in settings.LANGUAGES
        for step, wordings in reached
    ]


def _specimen(step: RuleStep, language: str, wording: Wording) -> Specimen:
    with override(language):
        sms = compose({"subject": wording.subject, "sentence": wording.sentence}, _CODE)
        name = step.name
    return Specimen(
        step=name,
        severity=step.severity,
        language=language,
        subject=wording.subject,
        sms=sms.text,
        length=length(sms.text),
        is_cut=not sms.whole,
    )


def _stream(rule: Rule) -> StreamInfo | None:
    """The datastream that it watches; of several the first."""
    if rule.datastream_id is not None:
        return streams([rule.datastream_id]).get(rule.datastream_id)
    if rule.observed_property_id is not None:
        key = (rule.owner_id, rule.observed_property_id)
        found = streams_by_property([rule.observed_property_id]).get(key, [])
    else:
        found = list(rule.inputs.order_by("pk").values_list("datastream_id", flat=True)[:1])
    return streams(found[:1])[found[0]] if found else None
