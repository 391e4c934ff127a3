"""Device types in the back office: chosen at a device, they bring its datastreams."""

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.ingest.public import Codec, Device, DeviceField, DeviceType
from stadtherz.web.tests.staff_cast import Town, signed_in, town

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Town:
    home = town("lautern")
    kind = DeviceType.objects.create(
        owner_id=home.organisation,
        key="mill/t1",
        vendor="Mill",
        name="T1",
        proposals=[
            {"path": path, "name": name, "unit": unit, "definition": f"urn:test:{path}"}
            for path, name, unit in (("temp", "Temperature", "Cel"), ("hum", "Humidity", "%"))
        ],
    )
    Device.objects.filter(pk=home.device).update(device_type=kind)
    return home


def fields(home: Town) -> set[str]:
    return set(DeviceField.objects.filter(device=home.device).values_list("path", flat=True))


def set_up(client: Client, device: int, *paths: str) -> int:
    return client.post(reverse("device:set_up", args=[device]), {"path": paths}).status_code


def test_a_devices_page_offers_what_its_type_measures(editor: Client, home: Town) -> None:
    page = editor.get(reverse("device:inspect", args=[home.device])).content.decode()
    assert 'value="temp"' in page
    assert "Messreihen einrichten" in page


def test_the_chosen_datastreams_are_set_up_and_no_longer_offered(
    editor: Client, home: Town
) -> None:
    assert set_up(editor, home.device, "temp") == 302
    assert fields(home) == {"level", "temp"}
    page = editor.get(reverse("device:inspect", args=[home.device])).content.decode()
    assert 'value="temp"' not in page
    assert 'value="hum"' in page


def test_nothing_chosen_or_nothing_proposed_changes_nothing(editor: Client, home: Town) -> None:
    set_up(editor, home.device)
    set_up(editor, home.device, "forged")
    assert fields(home) == {"level"}


def test_who_only_looks_cannot_set_up_and_strangers_find_nothing(home: Town) -> None:
    elsewhere = town("pirmasens")
    viewer = signed_in("viewer@lautern.example")
    assert set_up(viewer, home.device, "temp") in (302, 403)
    assert set_up(signed_in("editor@pirmasens.example"), home.device, "temp") == 404
    assert fields(home) == {"level"}
    assert elsewhere.device != home.device


def test_types_and_codecs_of_others_are_not_there(home: Town) -> None:
    codec = Codec.objects.create(owner_id=home.organisation, name="Radar", text="var a")
    town("pirmasens")
    stranger = signed_in("administrator@pirmasens.example")
    for name, row in (
        ("codec", codec.pk),
        ("devicetype", DeviceType.objects.get(key="mill/t1").pk),
    ):
        assert stranger.get(reverse(f"{name}:edit", args=[row])).status_code == 404
        assert "Radar" not in stranger.get(reverse(f"{name}:index")).content.decode()
    form = stranger.get(reverse("device:add")).content.decode()
    assert "Radar" not in form
    assert "Mill" not in form


def test_a_byte_map_with_a_mistake_comes_back_with_the_line(editor: Client, home: Town) -> None:
    values = {"name": "Map", "owner": home.organisation, "kind": "bytes", "text": "a 0 u8\nb 1 u7"}
    page = editor.post(reverse("codec:add"), values).content.decode()
    assert "Zeile 2" in page
    assert not Codec.objects.filter(name="Map").exists()


def test_a_types_page_tells_its_tests_and_values(editor: Client) -> None:
    kind = DeviceType.objects.get(key="mill/t1")
    kind.test_problems = ["warm: <b>"]
    kind.save()
    page = editor.get(reverse("devicetype:inspect", args=[kind.pk])).content.decode()
    assert "Temperature (temp)" in page
    assert "warm: &lt;b&gt;" in page


def test_a_device_travels_once_its_place_is_among_its_values(editor: Client, home: Town) -> None:
    page = travel(editor, home)
    assert "Keines seiner Felder ist eine Länge und eine Breite" in page
    proposals = [
        {"path": path, "name": path, "unit": "deg", "definition": f"urn:test:{path}"}
        for path in ("lon", "lat")
    ]
    DeviceType.objects.filter(devices=home.device).update(proposals=proposals)
    set_up(editor, home.device, "lon", "lat")
    travel(editor, home)
    assert Device.objects.get(pk=home.device).moves
    page = editor.get(reverse("device:inspect", args=[home.device])).content.decode()
    assert "Die Station fährt mit" in page


def travel(client: Client, home: Town) -> str:
    """What editing the device says after its station was told to travel with it."""
    device = Device.objects.get(pk=home.device)
    names = ("name", "network", "dev_eui", "time_path", "clock_zone", "note")
    values = {name: getattr(device, name) for name in names}
    values |= {"owner": home.organisation, "device_type": device.device_type_id}
    values |= {"variables": "{}", "active": "on", "moves": "on"}
    return client.post(reverse("device:edit", args=[device.pk]), values).content.decode()


def test_a_type_can_be_looked_at_again_and_devices_stay(editor: Client, home: Town) -> None:
    kind = DeviceType.objects.get(key="mill/t1")
    kind.proposals = [
        {"path": "soil_temp", "name": "X", "unit": "1", "definition": "urn:x", "example": 8.5}
    ]
    kind.save()
    again = reverse("devicetype:propose", args=[kind.pk])
    assert again in editor.get(reverse("devicetype:inspect", args=[kind.pk])).content.decode()
    shown = editor.get(again).content.decode()
    assert "X (1)" in shown
    assert "Soil temperature (Cel)" in shown
    assert DeviceType.objects.get(pk=kind.pk).proposals == kind.proposals
    assert editor.post(again).status_code == 302
    kind.refresh_from_db()
    assert [each["name"] for each in kind.proposals] == ["Soil temperature"]
    assert fields(home) == {"level"}
    assert "nichts geändert" in editor.get(again).content.decode()


def test_who_only_looks_changes_no_type_and_strangers_find_none(home: Town) -> None:
    town("pirmasens")
    again = reverse("devicetype:propose", args=[DeviceType.objects.get(key="mill/t1").pk])
    for method in ("get", "post"):
        viewer = getattr(signed_in("viewer@lautern.example"), method)
        assert viewer(again).status_code in (302, 403)
        stranger = getattr(signed_in("editor@pirmasens.example"), method)
        assert stranger(again).status_code == 404
    assert [e["path"] for e in DeviceType.objects.get(key="mill/t1").proposals] == ["temp", "hum"]
