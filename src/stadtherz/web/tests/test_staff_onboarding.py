"""A clerk connects a device in the back office, step by step and without JavaScript."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.identity.public import AuditEntry
from stadtherz.ingest.public import (
    Device,
    DeviceField,
    DeviceType,
    Draft,
    RefusedUplink,
)
from stadtherz.web.tests.staff_cast import Town, signed_in, town

pytestmark = pytest.mark.django_db

RECORDED = Path(__file__).parents[2] / "ingest" / "tests" / "recorded"
EUI = "0004A30B001C0530"


def sample() -> str:
    return orjson.dumps(orjson.loads((RECORDED / "tts3-up.json").read_bytes())["body"]).decode()


def begun(client: Client) -> Draft:
    client.post(reverse("device:connect"), {"way": "sample", "sample": sample()})
    return Draft.objects.latest("pk")


def page(client: Client, name: str, *args: Any) -> str:
    response = client.get(reverse(f"device:{name}", args=args))
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def fields_of(html: str) -> dict[str, Any]:
    """What a browser would send of the last form of the page, without its buttons."""
    form = re.findall(r"<form.*?</form>", html, re.DOTALL)[-1]
    values = {}
    for tag in re.findall(r"<input[^>]*>", form):
        found = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        ticked = found.get("type") in ("checkbox", "radio")
        if not ticked or " checked" in tag:
            values[found.get("name", "")] = found.get("value", "on" if ticked else "")
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        values[name] = chosen[1] if chosen else ""
    return {name: unescape(value) for name, value in values.items()}


def place(name: str = "Wetter am Rathaus", **changed: str) -> dict[str, str]:
    return {
        "name": name,
        "longitude": "7,7689",
        "latitude": "49,4447",
        "access": "public",
    } | changed


def walked(client: Client, name: str = "Wetter am Rathaus") -> Draft:
    """A draft just before the test."""
    draft = begun(client)
    client.post(
        reverse("device:connect_device", args=[draft.pk]),
        {"network": "tts", "dev_eui": EUI, "kind": ""},
    )
    client.post(reverse("device:connect_place", args=[draft.pk]), place(name))
    url = reverse("device:connect_values", args=[draft.pk])
    answer = client.post(url, fields_of(client.get(url).content.decode()))
    assert answer["Location"].endswith("/test/")
    draft.refresh_from_db()
    return draft


def test_a_pasted_message_fills_the_first_steps_in(editor: Client) -> None:
    draft = begun(editor)
    first = page(editor, "connect_device", draft.pk)
    assert EUI in first
    assert "Erkannt" in first
    second = page(editor, "connect_place", draft.pk)
    assert 'value="dev1"' in second
    assert "23,72678" in second
    third = page(editor, "connect_values", draft.pk)
    assert "luminosity" in third
    assert "Helligkeit" in third
    assert "1\N{NO-BREAK SPACE}°C" in third


def test_the_test_says_in_words_what_would_be_stored(editor: Client) -> None:
    draft = walked(editor)
    shown = page(editor, "connect_test", draft.pk)
    assert "Temperatur 1\N{NO-BREAK SPACE}°C" in shown
    assert "12. Februar 2020" in shown
    assert not Device.objects.filter(dev_eui=EUI).exists()


def test_live_makes_everything_and_says_where_it_is(editor: Client, home: Town) -> None:
    draft = walked(editor)
    url = reverse("device:connect_test", args=[draft.pk])
    for _ in range(2):  # a double click
        assert editor.post(url)["Location"].endswith("/done/")
    device = Device.objects.get(dev_eui=EUI)
    assert (device.owner_id, device.network, device.name) == (
        home.organisation,
        "tts",
        "Wetter am Rathaus",
    )
    assert set(device.fields.values_list("path", flat=True)) == {"temperature", "luminosity"}
    done = page(editor, "connect_done", draft.pk)
    for told in (
        "/ingest",
        "/tts",
        "Authorization",
        "Bearer",
        reverse("device:inspect", args=[device.pk]),
    ):
        assert told in done
    assert AuditEntry.objects.filter(action="connect", key=str(device.pk)).count() == 1
    assert device.name in page(editor, "history", device.pk)


def test_a_value_that_is_switched_off_or_renamed_stays_so(editor: Client) -> None:
    draft = walked(editor)
    url = reverse("device:connect_values", args=[draft.pk])
    values = fields_of(editor.get(url).content.decode())
    light = next(name.removesuffix("-path") for name, v in values.items() if v == "luminosity")
    heat = next(name.removesuffix("-path") for name, v in values.items() if v == "temperature")
    values.pop(f"{light}-wanted")
    values |= {f"{heat}-name": "Luft", f"{heat}-minimum": "-40", f"{heat}-maximum": "0,5"}
    editor.post(url, values)
    shown = page(editor, "connect_test", draft.pk)
    assert "Luft" in shown
    assert "0,5" in shown
    assert "würde nicht gespeichert" in shown
    editor.post(reverse("device:connect_test", args=[draft.pk]))
    field = DeviceField.objects.get(device__dev_eui=EUI)
    assert (field.path, field.minimum, field.maximum) == ("temperature", -40, 0.5)


def test_an_unknown_device_in_the_refused_list_is_connected_from_there(
    editor: Client, home: Town
) -> None:
    refused = RefusedUplink.objects.create(
        owner_id=home.organisation,
        network="tts",
        reason="unknown_device",
        facts={"dev_eui": EUI},
        document=sample().encode(),
        fingerprint="x",
        received_at=1_600_000_000_000_000,
        last_at=1_600_000_000_000_000,
    )
    assert EUI in page(editor, "connect")
    inspect = editor.get(reverse("refused:inspect", args=[refused.pk])).content.decode()
    assert reverse("device:connect_refused", args=[refused.pk]) in inspect
    answer = editor.post(reverse("device:connect_refused", args=[refused.pk]))
    draft = Draft.objects.get()
    assert answer["Location"] == reverse("device:connect_device", args=[draft.pk])
    assert (draft.dev_eui, draft.network, draft.name) == (EUI, "tts", "dev1")
    editor.post(reverse("device:connect_refused", args=[refused.pk]))
    assert Draft.objects.count() == 1


def test_without_a_message_the_test_waits_for_one(editor: Client, home: Town) -> None:
    editor.post(reverse("device:connect"), {"way": "hand"})
    draft = Draft.objects.get()
    editor.post(
        reverse("device:connect_device", args=[draft.pk]),
        {"network": "tts", "dev_eui": EUI, "kind": ""},
    )
    editor.post(reverse("device:connect_place", args=[draft.pk]), place())
    url = reverse("device:connect_values", args=[draft.pk])
    assert "Noch ist nicht bekannt" in editor.get(url).content.decode()
    editor.post(url, {"path": "level_cm", "add": "1"})
    values = fields_of(editor.get(url).content.decode())
    assert "level_cm" in values.values()
    assert editor.post(url, values)["Location"].endswith("/test/")
    assert "Wir warten" in page(editor, "connect_test", draft.pk)
    waits = reverse("device:connect_waits", args=[draft.pk])
    assert editor.get(waits).json() == {"waits": True}
    RefusedUplink.objects.create(
        owner_id=home.organisation,
        network="tts",
        reason="unknown_device",
        facts={"dev_eui": EUI},
        document=sample().replace("temperature", "level_cm").encode(),
        fingerprint="x",
        received_at=1_600_000_000_000_000,
        last_at=1_600_000_000_000_000,
    )
    assert editor.get(waits).json() == {"waits": False}
    assert "Stand 1\N{NO-BREAK SPACE}cm" in page(editor, "connect_test", draft.pk)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "nicht vollständig"),
        ('{"end_device_ids": {}}', "nicht lesbar"),
        ("7", "einzelner Wert"),
        ("hallo", "weder ein ganzes JSON-Dokument"),
        ("", "erforderlich|required|Pflichtfeld"),
    ],
)
def test_what_is_no_message_is_told_at_the_field(editor: Client, text: str, told: str) -> None:
    answer = editor.post(reverse("device:connect"), {"way": "sample", "sample": text})
    assert re.search(told, answer.content.decode())
    assert not Draft.objects.exists()


def test_a_type_is_found_by_a_part_of_its_name(editor: Client, home: Town) -> None:
    for name in ("Radar 1", "Radar 2"):
        DeviceType.objects.create(
            owner_id=home.organisation, vendor="Mill", name=name, key=f"mill/{name[-1]}"
        )
    draft = begun(editor)
    url = reverse("device:connect_device", args=[draft.pk])
    given = {"network": "tts", "dev_eui": EUI}
    several = editor.post(url, given | {"kind": "radar"}).content.decode()
    assert several.count('name="chosen"') == 2
    wanted = DeviceType.objects.get(key="mill/2").pk
    assert editor.post(url, given | {"kind": "radar", "chosen": wanted}).status_code == 302
    draft.refresh_from_db()
    assert draft.device_type_id == wanted
    assert "passt" in editor.post(url, given | {"kind": "laser"}).content.decode()
    assert editor.post(url, given | {"kind": "mill/1"}).status_code == 302


def test_a_type_is_found_by_what_it_measures_in_any_language(editor: Client, home: Town) -> None:
    proposals = [{"path": "h", "name": "Relative humidity", "unit": "%", "definition": ""}]
    DeviceType.objects.filter(pk=home.device_type).update(proposals=proposals)
    draft = begun(editor)
    url = reverse("device:connect_device", args=[draft.pk])
    given = {"network": "tts", "dev_eui": EUI}
    assert "passt" in editor.post(url, given | {"kind": "Wasserstand"}).content.decode()
    assert editor.post(url, given | {"kind": "Luftfeuchte"}).status_code == 302
    draft.refresh_from_db()
    assert draft.device_type_id == home.device_type


def test_a_scanned_code_of_the_maker_is_a_number_too(editor: Client) -> None:
    draft = begun(editor)
    code = f"LW:D0:1122334455667788:{EUI}:AABB1122:OAABBCCDDEEFF"
    url = reverse("device:connect_device", args=[draft.pk])
    editor.post(url, {"network": "chirpstack", "dev_eui": code, "kind": ""})
    draft.refresh_from_db()
    assert (draft.network, draft.dev_eui) == ("chirpstack", EUI)


def test_a_device_and_a_station_that_are_there_are_told(editor: Client, home: Town) -> None:
    known = Device.objects.get(pk=home.device)
    draft = begun(editor)
    url = reverse("device:connect_device", args=[draft.pk])
    told = editor.post(url, {"network": "tts", "dev_eui": known.dev_eui, "kind": ""})
    assert "Sonde lautern" in told.content.decode()
    again = editor.post(
        reverse("device:connect_place", args=[draft.pk]), place("Pegel lautern")
    ).content.decode()
    assert "gibt es schon" in again


@pytest.mark.parametrize(
    "changed",
    [{"name": ""}, {"latitude": ""}, {"latitude": "95"}, {"longitude": "Ost"}, {"access": "group"}],
)
def test_a_place_with_a_mistake_comes_back(editor: Client, changed: dict[str, str]) -> None:
    draft = begun(editor)
    url = reverse("device:connect_place", args=[draft.pk])
    answer = editor.post(url, place(**changed))
    assert answer.status_code == 200
    assert "error-message" in answer.content.decode()


def test_a_payload_that_nobody_read_is_read_by_a_byte_map(editor: Client) -> None:
    document = orjson.loads(sample())
    document["uplink_message"].pop("decoded_payload")
    raw = orjson.dumps(document).decode()
    editor.post(reverse("device:connect"), {"way": "sample", "sample": raw})
    draft = Draft.objects.get()
    url = reverse("device:connect_values", args=[draft.pk])
    assert "82 41 de" in editor.get(url).content.decode()
    wrong = editor.post(url, {"read": "1", "byte_map": "level 0 u7"}).content.decode()
    assert "Zeile 1" in wrong
    editor.post(url, {"read": "1", "byte_map": "level_cm 0 u16be *0.1 cm"})
    assert "3.334,5\N{NO-BREAK SPACE}cm" in editor.get(url).content.decode()


def test_a_draft_is_its_authors_alone(editor: Client, home: Town) -> None:
    draft = walked(editor)
    town("pirmasens")
    for who in ("administrator@lautern.example", "editor@pirmasens.example"):
        other = signed_in(who)
        for step in ("device", "place", "values", "test", "waits", "done"):
            url = reverse(f"device:connect_{step}", args=[draft.pk])
            assert other.get(url).status_code == 404, step
            assert other.post(url).status_code in (404, 405), step
        assert other.post(reverse("device:connect_discard", args=[draft.pk])).status_code == 404
        assert EUI not in page(other, "connect")
    assert Draft.objects.filter(pk=draft.pk).exists()


def test_who_only_looks_connects_nothing(home: Town) -> None:
    viewer = signed_in("viewer@lautern.example")
    for url in (
        reverse("device:connect"),
        reverse("device:connect_lists"),
        reverse("device:swap", args=[home.device]),
    ):
        assert viewer.get(url).status_code in (302, 403), url
    viewer.post(reverse("device:connect"), {"way": "sample", "sample": sample()})
    assert not Draft.objects.exists()
    assert "Defektes Gerät" not in page(viewer, "inspect", home.device)


def test_refused_messages_and_organisations_of_others_do_not_exist(
    editor: Client, home: Town
) -> None:
    other = town("pirmasens")
    refused = RefusedUplink.objects.create(
        owner_id=other.organisation,
        network="tts",
        reason="unknown_device",
        facts={"dev_eui": EUI},
        document=sample().encode(),
        fingerprint="x",
        received_at=1,
        last_at=1,
    )
    assert editor.post(reverse("device:connect_refused", args=[refused.pk])).status_code == 404
    forged = {"way": "sample", "sample": sample(), "organisation": other.organisation}
    assert editor.post(reverse("device:connect"), forged).status_code in (302, 403)
    assert not Draft.objects.filter(owner_id=other.organisation).exists()
    assert EUI not in page(editor, "connect")


def test_types_and_codecs_of_others_cannot_be_chosen(editor: Client, home: Town) -> None:
    other = town("pirmasens")
    draft = begun(editor)
    url = reverse("device:connect_device", args=[draft.pk])
    given = {
        "network": "tts",
        "dev_eui": EUI,
        "kind": "maker/pirmasens",
        "chosen": other.device_type,
    }
    assert "pirmasens (maker" not in editor.post(url, given).content.decode()
    editor.post(
        reverse("device:connect_values", args=[draft.pk]), {"read": "1", "codec": other.codec}
    )
    draft.refresh_from_db()
    assert draft.device_type is None
    assert draft.codec is None


def test_a_draft_is_gone_on_with_or_deleted(editor: Client) -> None:
    draft = walked(editor)
    start = page(editor, "connect")
    assert "Wetter am Rathaus" in start
    assert reverse("device:connect_test", args=[draft.pk]) in start
    editor.post(reverse("device:connect_discard", args=[draft.pk]))
    assert not Draft.objects.exists()
