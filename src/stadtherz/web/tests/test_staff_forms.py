"""Message forms in the back office: written, tried with an example, and seen by their own people only."""

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.identity.public import ApiToken
from stadtherz.ingest.public import Device, DeviceField, MessageForm, RefusedUplink
from stadtherz.web.tests.staff_cast import Town, form_of, signed_in, town

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Town:
    home = town("lautern")
    station = Device.objects.create(
        owner_id=home.organisation, network="json", dev_eui="Nord 1", name="Station Nord"
    )
    DeviceField.objects.create(
        device=station, datastream_id=home.stream, path="level", minimum=0, maximum=500
    )
    return home


def tried(client: Client, home: Town, message: str, **more: str) -> str:
    url = reverse("messageform:inspect", args=[home.message_form])
    return client.post(url, {"message": message, **more}).content.decode()


def test_a_form_is_added_and_leads_to_the_box_to_try_it(editor: Client, home: Town) -> None:
    values = {**form_of(editor, reverse("messageform:add")), "name": "Zähler", "key": "counter"}
    assert values["time_zone"] == "Europe/Berlin"
    answer = editor.post(reverse("messageform:add"), {**values, "device": "topic:2"})
    form = MessageForm.objects.get(key="counter")
    assert answer["Location"] == reverse("messageform:inspect", args=[form.pk])
    page = editor.get(answer["Location"]).content.decode()
    assert "http://testserver/ingest/json/counter" in page
    assert "Mit einem Beispiel ausprobieren" in page


@pytest.mark.parametrize(
    ("field", "written", "told"),
    [
        ("device", "a..b", "Nicht lesbar"),
        ("time_zone", "Mars/Phobos", "Diese Zeitzone gibt es nicht"),
    ],
)
def test_a_mistake_comes_back_with_the_field(
    editor: Client, home: Town, field: str, written: str, told: str
) -> None:
    url = reverse("messageform:edit", args=[home.message_form])
    page = editor.post(url, {**form_of(editor, url), field: written}).content.decode()
    assert told in page


def test_an_example_shows_device_time_and_values_and_stores_nothing(
    editor: Client, home: Town
) -> None:
    page = tried(editor, home, '{"id": "Nord 1", "at": "2025-11-26T08:00:00", "level": 5.5}')
    for told in ("Nord 1 (Station Nord)", "26.11.2025 08:00", "Wasserstand lautern", "5,5 cm"):
        assert told in page
    assert not RefusedUplink.objects.exclude(pk=home.refused).exists()


def test_what_a_weather_station_pushes_is_tried_too(editor: Client, home: Town) -> None:
    page = tried(editor, home, "id=Nord+1&at=2025-11-26+08%3A00%3A00&level=7")
    assert "7,0 cm" in page


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('{"id": "Nord 1", "at": "gestern"}', "Zeit der Messung (at): „gestern“ ist keine Zeit"),
        ('{"station": "Nord 1"}', "Kennung des Geräts (id): steht nicht in der Nachricht."),
        (
            '{"id": "Süd", "at": 1764144000, "x": {"y": [3]}}',
            "Das Gerät Süd ist hier nicht angemeldet",
        ),
        ('{"id": "Nord 1", "at": 1764144000, "level": 900}', "900"),
        ('{"id": "Nord 1", "at": 1764144000, "other": 1}', "Erwartet"),
        ('{"id": ', "ab Zeichen 7 der Zeile 1 ist das kein JSON"),
        ("[]", "Die Liste ist leer."),
    ],
)
def test_an_example_that_fails_says_what_and_why(
    editor: Client, home: Town, message: str, told: str
) -> None:
    assert told in tried(editor, home, message)


def test_the_fields_of_a_message_are_shown_as_they_are_written_in_a_device_field(
    editor: Client, home: Town
) -> None:
    message = '{"id": "?", "x": {"y": [3]}, "a.b": "<script>", "at": 1764144000}'
    page = tried(editor, home, message)
    for told in ("<code>x.y[0]</code>: 3", "<code>[&quot;a.b&quot;]</code>: &lt;script&gt;"):
        assert told in page


def test_many_readings_are_shown_in_part(editor: Client, home: Town) -> None:
    entry = '{"id": "Nord 1", "at": 1764144000, "level": 5}'
    page = tried(editor, home, f"[{', '.join([entry] * 25)}]")
    assert "Messung 20 von 25" in page
    assert "5 weitere Messungen" in page


def test_an_empty_example_asks_for_one(editor: Client, home: Town) -> None:
    assert 'staff-problem">Dieses Feld' in tried(editor, home, "")


def test_who_only_looks_may_try_and_strangers_find_nothing(home: Town) -> None:
    town("pirmasens")
    example = '{"id": "Nord 1", "at": 1764144000, "level": 5}'
    assert "5,0 cm" in tried(signed_in("viewer@lautern.example"), home, example)
    stranger = signed_in("administrator@pirmasens.example")
    url = reverse("messageform:inspect", args=[home.message_form])
    assert stranger.post(url, {"message": example}).status_code == 404
    assert "Nord" not in tried(stranger, town("kusel"), example).partition("ingest/json")[0]


# --- tokens of one device ------------------------------------------------------------------------


def new_token(client: Client, home: Town, device: int, *scopes: str) -> str:
    values = {"name": "Eins", "organisation": home.organisation, "device": device, "scopes": scopes}
    return client.post(reverse("token:add"), values).content.decode()


def test_an_administrator_makes_a_token_for_one_device(home: Town) -> None:
    administrator = signed_in("administrator@lautern.example")
    assert "sh_" in new_token(administrator, home, home.device, "ingest")
    assert ApiToken.objects.get(name="Eins").device_id == home.device


def test_a_token_of_a_device_can_do_nothing_else(home: Town) -> None:
    elsewhere = town("pirmasens")
    administrator = signed_in("administrator@lautern.example")
    assert "nur Messungen liefern" in new_token(administrator, home, home.device, "ingest", "read")
    new_token(administrator, home, elsewhere.device, "ingest")
    assert not ApiToken.objects.filter(name="Eins").exists()
    assert "Sonde pirmasens" not in administrator.get(reverse("token:add")).content.decode()


def test_a_token_ends_with_its_device(home: Town) -> None:
    administrator = signed_in("administrator@lautern.example")
    new_token(administrator, home, home.device, "ingest")
    Device.objects.get(pk=home.device).delete()
    assert not ApiToken.objects.filter(name="Eins").exists()
