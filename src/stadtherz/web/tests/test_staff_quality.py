"""What is doubtful of a device stands in sentences on its page, and why a message was refused on that of the message."""

import pytest
from django.urls import reverse

from stadtherz.base.time import DAY, HOUR, Period, now_us
from stadtherz.ingest.public import Device, RefusedUplink, doubts_of
from stadtherz.store.public import Reading, submit
from stadtherz.web.tests.staff_cast import Town, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
JUMP = {"code": "jump", "flags": ["jump"], "pass": False, "change": 85.0, "minutes": 15}
CLOCK = {"code": "clock", "flags": ["clock"], "pass": False, "told": "2031-01-01"}


def store(home: Town, *told: dict[str, object] | None, back: int = HOUR) -> None:
    now = now_us()
    readings = [
        Reading(home.stream, Period(now - back + number), float(number), result_quality=each)
        for number, each in enumerate(told)
    ]
    submit(readings).result(10)


def refuse(home: Town, **more: object) -> RefusedUplink:
    facts = {"problems": [{"field": "level", "kind": "too_high", "value": 900.0, "maximum": 500.0}]}
    known = {
        "owner_id": home.organisation,
        "network": "tts",
        "reason": "impossible_value",
        "facts": facts,
        "document": b"{}",
        "device_id": home.device,
        "fingerprint": str(RefusedUplink.objects.count()) + "f",
        "received_at": now_us(),
        "last_at": now_us(),
    }
    return RefusedUplink.objects.create(**(known | more))


def page(name: str, pk: int, email: str = "viewer@lautern.example") -> str:
    answer = signed_in(email).get(reverse(f"{name}:inspect", args=[pk]))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_device_without_doubts_says_so(home: Town) -> None:
    store(home, None, None)
    refused = RefusedUplink.objects.filter(device=home.device)
    refused.delete()
    assert "In den letzten 7 Tagen war kein Messwert zweifelhaft, und keine" in page("device", home.device)  # fmt: skip


def test_flags_are_told_in_a_sentence_before_their_numbers(home: Town) -> None:
    store(home, None, JUMP, JUMP, CLOCK)
    refuse(home, count=4)
    text = page("device", home.device)
    begin = text.index("In den letzten 7 Tagen waren 3 Messwerte zweifelhaft.")
    why = (
        text.index("Er weicht um 85", begin)
        if "Er weicht um 85" in text
        else text.index("85", begin)
    )
    assert why < text.index("2 Messwerte, zuletzt", begin)
    assert "Oft stand kurz etwas vor dem Sensor." in text
    assert "Der Wert selbst ist nicht betroffen." in text
    assert "warten unter „Abgewiesene Nachrichten“" in text
    assert text.index("900", begin) < text.index("4 Nachrichten, zuletzt", begin)


def test_old_doubts_and_settled_messages_count_no_more(home: Town) -> None:
    RefusedUplink.objects.all().delete()
    store(home, JUMP, back=8 * DAY)
    refuse(home, outcome=RefusedUplink.REPLAYED)
    refuse(home, last_at=now_us() - 8 * DAY)
    found = doubts_of(home.device, now_us())
    assert (found.readings, found.messages) == (0, 0)


def test_the_page_of_a_refused_message_begins_with_what_happened(home: Town) -> None:
    store(home, JUMP)
    kept = refuse(
        home,
        count=3,
        outcome=RefusedUplink.REFUSED_AGAIN,
        outcome_facts={"reason": "unit_unfit", "field": "level"},
        replayed_at=now_us(),
    )
    text = page("refused", kept.pk)
    begin = text.index("Anlass")
    assert begin < text.index("900", begin) < text.index("Dieselbe kam 3-mal", begin)
    assert "noch einmal verarbeitet" in text
    assert "war ein Messwert zweifelhaft" in text
    assert reverse("device:inspect", args=[home.device]) in text


def test_a_message_of_no_device_has_no_doubts_beside_it(home: Town) -> None:
    kept = refuse(home, device_id=None, reason="unknown_device", facts={"dev_eui": "AB"})
    assert "device-quality" not in page("refused", kept.pk)


def test_a_device_without_fields_has_nothing_doubtful(home: Town) -> None:
    Device.objects.get(pk=home.device).fields.all().delete()
    store(home, JUMP)
    assert doubts_of(home.device, now_us()).readings == 0
