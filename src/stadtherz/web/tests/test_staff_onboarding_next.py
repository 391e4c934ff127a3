"""After a device is connected: the next one of the same message, and one more of the same kind."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.ingest.public import Device, DeviceField, Draft
from stadtherz.web.tests.test_staff_onboarding import EUI, fields_of, place, walked
from stadtherz.web.tests.test_staff_onboarding_json import AT, accepted, live, paste, stored

pytestmark = pytest.mark.django_db

HALLS = {
    "sensors": [
        {"id": "S-1", "deviceName": "Halle Nord", "ts": AT, "temp": 4.5, "hum": 81},
        {"id": "S-2", "deviceName": "Halle Süd", "ts": AT, "temp": 5},
        {"id": "S-3", "ts": AT, "temp": 6},
    ]
}
TWIN = "70B3D57ED0069901"


def url(step: str, draft: Draft) -> str:
    return reverse(f"device:connect_{step}", args=[draft.pk])


def shown(client: Client, step: str, draft: Draft) -> str:
    return client.get(url(step, draft)).content.decode()


def begun(client: Client, draft: Draft, data: dict[str, str]) -> Draft:
    answer = client.post(url("done", draft), data)
    assert answer.status_code == 302, re.findall(r"error-message.*?</p", answer.content.decode())
    assert answer["Location"].endswith("/place/")
    return Draft.objects.latest("pk")


def test_the_name_in_a_message_is_proposed_and_one_that_was_written_stays(editor: Client) -> None:
    draft = paste(editor, {"id": "w", "friendly_name": "Hof", "time": AT, "temp": 4})
    assert 'value="Hof"' in shown(editor, "place", draft)
    accepted(editor, draft, "Wetter im Hof")
    answer = editor.post(url("message", draft), fields_of(shown(editor, "message", draft)))
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert draft.name == "Wetter im Hof"


def test_another_device_of_the_message_brings_its_own_name(editor: Client) -> None:
    draft = paste(editor, HALLS)
    assert draft.name == "Halle Nord"
    fields = fields_of(shown(editor, "message", draft))
    editor.post(url("message", draft), fields | {"which": "S-2"})
    draft.refresh_from_db()
    assert (draft.dev_eui, draft.name) == ("S-2", "Halle Süd")


def test_the_next_device_of_the_message_keeps_what_was_said(editor: Client) -> None:
    draft = accepted(editor, paste(editor, HALLS), "Nord")
    live(editor, draft)
    done = shown(editor, "done", draft)
    assert re.findall(r'name="next" value="([^"]*)"', done) == ["S-2", "S-3"]
    second = begun(editor, draft, {"next": "S-2"})
    assert (second.dev_eui, second.name, second.form) == ("S-2", "Halle Süd", draft.form)
    assert [each["path"] for each in second.streams] == ["temp"]
    editor.post(url("place", second), place("Süd"))
    editor.post(url("values", second), fields_of(shown(editor, "values", second)))
    assert stored(live(editor, second)) == {}  # a pasted message is an example
    assert re.findall(r'name="next" value="([^"]*)"', shown(editor, "done", second)) == ["S-3"]
    assert editor.post(url("done", draft), {"next": "S-2"})["Location"].endswith("/done/")


def test_a_message_is_kept_only_as_long_as_it_tells_of_others(editor: Client) -> None:
    draft = accepted(editor, paste(editor, {"id": "w", "time": AT, "temp": 4}))
    live(editor, draft)
    assert draft.sample == ""
    assert 'name="next"' not in shown(editor, "done", draft)


def test_one_more_like_it_needs_its_number_name_and_place(editor: Client) -> None:
    first = walked(editor)
    live(editor, first)
    wrong = editor.post(url("done", first), {"dev_eui": "70B3"}).content.decode()
    assert "16 Ziffern" in wrong
    known = editor.post(url("done", first), {"dev_eui": EUI}).content.decode()
    assert "ist schon angeschlossen" in known
    draft = begun(editor, first, {"dev_eui": TWIN})
    editor.post(url("place", draft), place("Zwilling"))
    editor.post(url("values", draft), fields_of(shown(editor, "values", draft)))
    device = live(editor, draft)
    paths = [
        sorted(DeviceField.objects.filter(device=each).values_list("path", flat=True))
        for each in (first.device, device)
    ]
    assert paths[0] == paths[1]
    assert (device.network, device.dev_eui) == ("tts", TWIN)


def test_one_more_that_sends_json_can_go_back_without_a_message(editor: Client) -> None:
    first = accepted(editor, paste(editor, {"id": "w-1", "time": AT, "temp": 4}))
    live(editor, first)
    draft = begun(editor, first, {"dev_eui": "w-2"})
    for step in ("message", "device"):
        answer = editor.get(url(step, draft), follow=True)
        assert answer.redirect_chain[-1][0].endswith("/place/")
    editor.post(url("place", draft), place("Zwei"))
    editor.post(url("values", draft), fields_of(shown(editor, "values", draft)))
    assert live(editor, draft).dev_eui == "w-2"


def test_where_nothing_in_a_message_names_the_device_there_is_none_like_it(editor: Client) -> None:
    changed: dict[str, Any] = {"device": "own", "own": "Nur eine"}
    draft = accepted(editor, paste(editor, {"time": AT, "temp": 4}), **changed)
    device: Device = live(editor, draft)
    assert 'name="dev_eui"' not in shown(editor, "done", draft)
    assert editor.post(url("done", draft), {"dev_eui": "x"}).status_code == 404
    assert device.dev_eui == "Nur eine"
