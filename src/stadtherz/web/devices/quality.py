"""What is doubtful of a device, in sentences: which readings are marked and why, which messages wait as refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from stadtherz.base.time import now_us
from stadtherz.ingest.public import (
    Device,
    Doubts,
    Marked,
    WaitingMessages,
    doubts_of,
    quality_sentence,
)
from stadtherz.store.public import StreamInfo, streams
from stadtherz.web import formats
from stadtherz.web.devices import words as device_words

_ADVICE = {
    "jump": gettext_lazy(
        "Often something stood before the sensor for a moment. If the value can really change so fast, allow it at the device’s field."
    ),
    "frozen": gettext_lazy(
        "Often the sensor is dirty, blocked or iced up. If the value may rest so long, allow it at the device’s field."
    ),
    "clock": gettext_lazy(
        "The value itself is not affected. Set the device’s clock, or write its time zone at the device."
    ),
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """One kind of doubt: what it is of, why in a sentence, what helps, and then the numbers."""

    subject: str
    sentence: str
    advice: str
    numbers: str
    url: str = ""


def quality_of(device: Device) -> dict[str, Any]:
    """What a page shows of a device's doubts."""
    found = doubts_of(device.pk, now_us())
    return {
        "summary": " ".join(_summary(found)),
        "doubts": list(_doubts(found)),
        "waits": bool(found.messages),
    }


def _summary(found: Doubts) -> Iterable[str]:
    if not found.readings and not found.messages:
        yield _("In the last 7 days no reading was doubtful, and no message waits as refused.")
        return
    yield _of_readings(found)
    if found.messages:
        yield ngettext(
            "One message could not be stored whole and waits as refused.",
            "%(count)s messages could not be stored whole and wait as refused.",
            found.messages,
        ) % {"count": formats.number(found.messages)}


def _of_readings(found: Doubts) -> str:
    if not found.readings:
        return _("In the last 7 days no reading was doubtful.")
    if found.many:
        told = _("In the last 7 days at least %(count)s readings were doubtful.")
        kept = _("They are kept and marked.")
        return f"{told % {'count': formats.number(found.readings)}} {kept}"
    return ngettext(
        "In the last 7 days one reading was doubtful. It is kept and marked.",
        "In the last 7 days %(count)s readings were doubtful. They are kept and marked.",
        found.readings,
    ) % {"count": formats.number(found.readings)}


def _doubts(found: Doubts) -> Iterable[Doubt]:
    known = streams({each.datastream for each in found.marked})
    for each in found.marked:
        yield _of_marked(each, known.get(each.datastream))
    for waiting in found.waiting:
        yield _of_waiting(waiting)


def _of_marked(each: Marked, about: StreamInfo | None) -> Doubt:
    count = ngettext("One reading", "%(count)s readings", each.count)
    last = _("the last %(since)s") % {"since": device_words.since(each.last_at)}
    return Doubt(
        subject=about.name if about else str(each.datastream),
        sentence=quality_sentence({**each.told, "flags": [each.flag]}) or each.flag,
        advice=str(_ADVICE.get(each.flag, "")),
        numbers=f"{count % {'count': formats.number(each.count)}}, {last}",
    )


def _of_waiting(each: WaitingMessages) -> Doubt:
    count = ngettext("One message", "%(count)s messages", each.count)
    last = _("the last %(since)s") % {"since": device_words.since(each.newest.last_at)}
    return Doubt(
        subject=str(each.newest.get_reason_display()),
        sentence=each.newest.sentence,
        advice="",
        numbers=f"{count % {'count': formats.number(each.count)}}, {last}",
        url=reverse("refused:inspect", args=[each.newest.pk]),
    )
