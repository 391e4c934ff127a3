"""Lists of devices, swaps and stickers in the back office."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localtime

from stadtherz.base.time import now
from stadtherz.base.visibility import SYSTEM
from stadtherz.identity.public import AuditEntry
from stadtherz.ingest.public import Device, DeviceField, DeviceList, DeviceType, Replacement
from stadtherz.store.public import update
from stadtherz.web.devices import stickers
from stadtherz.web.devices.lists import _harmless
from stadtherz.web.tests.staff_cast import Town, signed_in, town

pytestmark = pytest.mark.django_db

HEAD = "Name;Netz;Geräte-EUI;Gerätetyp;Längengrad;Breitengrad;Organisation;Beschreibung\n"
NEW = "A84041000181A2B3"


@pytest.fixture
def home() -> Town:
    home = town("lautern")
    DeviceType.objects.create(
        owner_id=home.organisation,
        key="mill/t1",
        vendor="Mill",
        name="T1",
        proposals=[
            {"path": "temp", "name": "Temperature", "unit": "Cel", "definition": "urn:test:temp"}
        ],
    )
    return home


def hand_in(client: Client, *lines: str, name: str = "Liste.csv") -> str:
    file = SimpleUploadedFile(name, (HEAD + "\n".join(lines)).encode())
    answer = client.post(reverse("device:connect_lists"), {"file": file})
    return str(answer.get("Location", ""))


def good(number: int) -> str:
    return f"Station {number};tts;A8404100018100{number:02X};mill/t1;7,77;49,44;;"


def test_a_list_is_looked_at_connected_and_reported(editor: Client) -> None:
    url = hand_in(editor, good(1), good(2), "Ohne;sigfox;1;mill/t1;;;;")
    shown = editor.get(url).content.decode()
    assert "2 Geräte können angeschlossen werden" in shown
    assert "sigfox" in shown
    assert not Device.objects.filter(name="Station 1").exists()
    assert editor.post(url).status_code == 302
    assert Device.objects.filter(name__startswith="Station ").count() == 2
    assert AuditEntry.objects.filter(action="connect").count() == 2
    done = editor.get(url).content.decode()
    assert "2 Geräte sind jetzt angeschlossen" in done
    report = editor.get(f"{url}report/").content.decode("utf-8-sig").splitlines()
    assert len(report) == 4
    assert "angeschlossen" in report[1]
    assert "sigfox" in report[3]


def test_the_same_list_again_changes_nothing(editor: Client) -> None:
    editor.post(hand_in(editor, good(1)))
    before = (Device.objects.count(), DeviceField.objects.count())
    again = hand_in(editor, good(1))
    assert "1 Gerät ist schon da" in editor.get(again).content.decode()
    editor.post(again)
    assert (Device.objects.count(), DeviceField.objects.count()) == before


def test_the_template_comes_in_the_language_of_the_page(editor: Client) -> None:
    answer = editor.get(reverse("device:connect_list_template"))
    assert answer.content.decode("utf-8-sig").startswith("Name;Netz;")
    assert "attachment" in answer["Content-Disposition"]


def test_a_file_that_is_no_list_comes_back_with_the_reason(editor: Client) -> None:
    file = SimpleUploadedFile("x.csv", b"a,b\n1,2")
    answer = editor.post(reverse("device:connect_lists"), {"file": file})
    assert "Spalten fehlen in der ersten Zeile: Name, Netz, Geräte-EUI, Gerätetyp." in (
        answer.content.decode()
    )
    assert not DeviceList.objects.exists()


def test_a_list_is_its_authors_alone(editor: Client, home: Town) -> None:
    url = hand_in(editor, good(1))
    for address in (url, f"{url}report/"):
        assert signed_in("administrator@lautern.example").get(address).status_code == 404
    assert signed_in("administrator@lautern.example").post(url).status_code == 404
    assert not Device.objects.filter(name="Station 1").exists()


def test_a_list_reaches_no_other_organisation(editor: Client, home: Town) -> None:
    town("pirmasens")
    url = hand_in(editor, "A;tts;A84041000181A2B3;mill/t1;;;pirmasens;")
    editor.post(url)
    assert not Device.objects.filter(name="A").exists()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_report_holds_no_formula(text: str) -> None:
    assert _harmless(text).startswith("'")


# --- swapping -------------------------------------------------------------------------------------


def swapped(client: Client, device: int, **given: str) -> int:
    values = {"network": "tts", "dev_eui": NEW, "device_type": "", "at": "", "note": "Akku defekt"}
    return client.post(reverse("device:swap", args=[device]), values | given).status_code


def test_a_swap_keeps_the_datastreams_and_is_seen_at_both_devices(
    editor: Client, home: Town
) -> None:
    assert swapped(editor, home.device) == 302
    old, new = Device.objects.get(pk=home.device), Device.objects.get(dev_eui=NEW)
    assert not old.active
    assert "Akku defekt" in old.note
    assert NEW in old.note
    assert new.fields.get().datastream_id == home.stream
    for device, other in ((old, new), (new, old)):
        shown = editor.get(reverse("device:inspect", args=[device.pk])).content.decode()
        assert other.dev_eui in shown
        assert reverse("device:inspect", args=[other.pk]) in shown
        history = editor.get(reverse("device:history", args=[device.pk])).content.decode()
        assert other.dev_eui in history
    assert AuditEntry.objects.filter(action="swap").count() == 2


def test_another_type_asks_where_the_values_stand(editor: Client, home: Town) -> None:
    proposals = [{"path": "mm", "name": "Level", "unit": "mm", "definition": "urn:test:level"}]
    radar = DeviceType.objects.create(
        owner_id=home.organisation, key="mill/r", vendor="Mill", name="R", proposals=proposals
    )
    kind = str(radar.pk)
    url = reverse("device:swap", args=[home.device])
    values = {"network": "tts", "dev_eui": NEW, "device_type": kind, "at": "", "note": ""}
    asked = editor.post(url, values)
    assert asked.status_code == 200
    assert "von einem anderen Typ" in asked.content.decode()
    assert not Replacement.objects.exists()
    field = f"f{home.field}"
    sources = {
        "sources": "1",
        f"{field}-path": "mm",
        f"{field}-factor": "0,1",
        f"{field}-offset": "2",
    }
    assert editor.post(url, values | sources).status_code == 302
    new = DeviceField.objects.get(device__dev_eui=NEW)
    assert (new.path, new.unit, new.factor, new.offset) == ("mm", "mm", 0.1, 2)


def test_a_value_that_cannot_be_what_the_datastream_holds_is_told(
    editor: Client, home: Town
) -> None:
    """The new type has only a temperature, the datastream holds a level."""
    field = f"f{home.field}"
    sources = {
        "sources": "1",
        f"{field}-path": "temp",
        f"{field}-factor": "1",
        f"{field}-offset": "0",
    }
    kind = str(DeviceType.objects.get(key="mill/t1").pk)
    assert swapped(editor, home.device, device_type=kind, **sources) == 200
    assert not Replacement.objects.exists()
    assert swapped(editor, home.device, device_type=kind, **sources | {f"{field}-path": ""}) == 302
    assert not DeviceField.objects.filter(device__dev_eui=NEW).exists()


def test_a_swap_with_a_mistake_comes_back(editor: Client, home: Town) -> None:
    tomorrow = (localtime(now()) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    known = Device.objects.get(pk=home.device).dev_eui
    for given in ({"dev_eui": "12"}, {"dev_eui": known}, {"at": tomorrow}, {"network": "x"}):
        assert swapped(editor, home.device, **given) == 200
    assert not Replacement.objects.exists()


def test_a_device_of_others_is_not_swapped(editor: Client, home: Town) -> None:
    other = town("pirmasens")
    assert swapped(editor, other.device) == 404
    kind = str(other.device_type)
    assert swapped(editor, home.device, device_type=kind) == 200
    assert swapped(signed_in("viewer@lautern.example"), home.device) in (302, 403)
    assert not Replacement.objects.exists()


# --- stickers -------------------------------------------------------------------------------------


def test_a_sheet_holds_a_code_for_each_chosen_device_of_ones_own(
    editor: Client, home: Town
) -> None:
    other = town("pirmasens")
    url = f"{reverse('device:stickers')}?print=1&d={home.device}&d={other.device}"
    sheet = editor.get(url).content.decode()
    assert sheet.count("<svg") == 1
    assert f"/d/{home.device}" in sheet
    assert "style=" not in sheet
    assert "pirmasens" not in editor.get(reverse("device:stickers")).content.decode()


@pytest.mark.parametrize(
    "query", ["?print=1", "?print=1&d=x", "?print=1&d=99999999999999999999", "?list=7"]
)
def test_odd_choices_of_stickers_break_nothing(editor: Client, query: str) -> None:
    assert editor.get(reverse("device:stickers") + query).status_code == 200


def test_of_more_devices_than_are_printed_at_once_none_is_left_out(
    editor: Client, home: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = hand_in(editor, *map(good, range(1, 6)))
    editor.post(url)
    monkeypatch.setattr(stickers, "_MOST", 3)
    first = f"{reverse('device:stickers')}?list={DeviceList.objects.get().pk}"
    page = editor.get(first).content.decode()
    assert "1 bis 3 von 5 Geräten" in page
    (second,) = {f"{reverse('device:stickers')}{found}" for found in _parts(page) if "p=2" in found}
    pages = [page, editor.get(second).content.decode()]
    assert sum(each.count('name="d"') for each in pages) == 5


def _parts(page: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'href="(\?[^"]*p=\d+)"', page)]


def test_a_line_without_a_type_says_whose_it_has(editor: Client, home: Town) -> None:
    text = "Name;Netz;EUI;Wie Gerät\nNeu;tts;A840410001810001;Sonde lautern\n"
    file = SimpleUploadedFile("Liste.csv", ("\ufeff" + text).encode())
    url = str(editor.post(reverse("device:connect_lists"), {"file": file})["Location"])
    assert "wie Sonde lautern" in editor.get(url).content.decode()


def test_a_scanned_sticker_leads_each_visitor_to_what_they_may_see(
    editor: Client, home: Town
) -> None:
    url = f"/d/{home.device}"
    assert editor.get(url)["Location"] == reverse("device:inspect", args=[home.device])
    assert Client().get(url).status_code == 404  # its datastream is the organisation's own
    assert Client().get("/d/99999").status_code == 404
    assert Client().get("/d/99999999999999999999").status_code == 404
    update("Datastream", home.stream, {"access": "public"}, SYSTEM)
    update("Thing", home.thing, {"access": "public"}, SYSTEM)
    assert Client().get(url)["Location"] == f"/sta/v1.1/Things({home.thing})"


def test_without_device_types_the_way_on_is_said_before_a_list_is_made(
    editor: Client, home: Town
) -> None:
    address = reverse("device:connect_lists")
    assert "noch keine Gerätetypen" not in editor.get(address).content.decode()
    DeviceType.objects.all().delete()
    page = editor.get(address).content.decode()
    assert "noch keine Gerätetypen" in page
    assert "in der Spalte „Wie Gerät“" in page
