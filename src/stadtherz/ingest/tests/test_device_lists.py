"""Many devices by a list: what is wrong is told line by line, what is right is connected once."""

from itertools import pairwise

import pytest
from django.utils import translation

from stadtherz.base.errors import Invalid
from stadtherz.ingest.models import Device, DeviceField, DeviceType
from stadtherz.ingest.onboarding.bulk import Outcome, Reader, connect_rows, go_on, keep_list
from stadtherz.ingest.onboarding.sheet import Listed, number, read_sheet, template
from stadtherz.ingest.public import NewField, register_device
from stadtherz.ingest.tests.factories import EUI, Town, make_organisation, make_town
from stadtherz.store.models import Thing
from stadtherz.store.public import organisations

GERMAN = "Name;Netz;Geräte-EUI;Gerätetyp;Längengrad;Breitengrad;Organisation;Beschreibung\n"


@pytest.fixture
def reader(town: Town) -> Reader:
    make_type(town.organisation)
    return Reader([each for each in organisations() if each.id == town.organisation])


def make_type(owner: int, key: str = "mill/t1") -> DeviceType:
    return DeviceType.objects.create(
        owner_id=owner,
        key=key,
        vendor="Mill",
        name="T1",
        proposals=[
            {"path": path, "name": path, "unit": "Cel", "definition": f"urn:{path}"}
            for path in ("temp", "hum")
        ],
    )


def eui(number: int) -> str:
    return f"{0xA840410000000000 + number:016X}"


def line(number: int, **changed: str) -> Listed:
    values = {
        "name": f"Station {number}",
        "network": "tts",
        "eui": eui(number),
        "type": "mill/t1",
        "longitude": "7,77",
        "latitude": "49.44",
    }
    return Listed(number, values | changed)


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_template_is_a_list_itself(language: str) -> None:
    (row,) = read_sheet(template(language))
    assert row.values["network"] == "chirpstack"
    assert number(row.values["longitude"]) == pytest.approx(7.7689)


@pytest.mark.parametrize(
    "content",
    [
        (GERMAN + "Pegel Mühle;tts;A8;mill/t1;7,7;49,4;;\n").encode("utf-8-sig"),
        (GERMAN + "Pegel Mühle;tts;A8;mill/t1;7,7;49,4;;\r\n").encode("cp1252"),
        'name,network,dev_eui,type,lon,lat\n"Pegel Mühle",tts,A8,mill/t1,"7,7",49.4\n'.encode(),
        "NAME\tNetwork\tDevEUI\tDevice Type Key\tLON\tLAT\nPegel Mühle\ttts\tA8\tmill/t1\t7.7\t49.4".encode(),
    ],
)
def test_spreadsheets_of_every_kind_are_read(content: bytes) -> None:
    (row,) = read_sheet(content)
    assert row.values["name"] == "Pegel Mühle"
    assert (number(row.values["longitude"]), number(row.values["latitude"])) == (7.7, 49.4)


def test_lines_keep_their_numbers_over_empty_ones() -> None:
    rows = read_sheet((GERMAN + "\nA;tts;1;x\n;;;\n\nB;tts;2;x\n").encode())
    assert [(row.line, row.values["name"]) for row in rows] == [(3, "A"), (6, "B")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"name;network;eui\nA;tts;1",
        GERMAN.encode(),
        b"name;name;network;eui;type\nA;A;tts;1;x",
        b'"name;network',
        b"\x00\x01\x02",
        b"PK\x03\x04" + bytes(range(256)),
        b"x" * (1024 * 1024 + 1),
    ],
)
def test_what_is_no_list_is_told_in_a_sentence(content: bytes) -> None:
    with pytest.raises(Invalid) as problem:
        read_sheet(content)
    assert problem.value.field == "file"


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 300}, "200"),
        ({"name": "Gauge"}, "Gauge"),
        ({"network": "sigfox"}, "sigfox"),
        ({"network": ""}, "network"),
        ({"eui": "123"}, "16"),
        ({"eui": ""}, "EUI"),
        ({"type": ""}, "device type"),
        ({"type": "no/such"}, "no/such"),
        ({"longitude": "east"}, "place"),
        ({"latitude": ""}, "place"),
        ({"latitude": "95"}, "place"),
        ({"organisation": "nowhere"}, "nowhere"),
    ],
)
def test_a_wrong_cell_is_told_in_a_sentence(
    reader: Reader, changed: dict[str, str], word: str
) -> None:
    with translation.override("en"):
        looked = reader.look(line(1, **changed))
    assert looked.outcome == Outcome.PROBLEM
    assert word in " ".join(looked.problems)


def test_all_that_is_wrong_with_a_line_is_told_at_once(reader: Reader) -> None:
    looked = reader.look(line(1, network="x", eui="y", longitude="z"))
    assert len(looked.problems) == 3


def test_one_device_or_name_twice_in_a_list_is_told(reader: Reader) -> None:
    rows = [line(1), line(2, eui=eui(1)), line(3, name="Station 1"), line(4)]
    outcomes = [reader.look(row).outcome for row in rows]
    assert outcomes == [Outcome.OPEN, Outcome.PROBLEM, Outcome.PROBLEM, Outcome.OPEN]


def test_an_organisation_of_others_looks_like_none(reader: Reader) -> None:
    make_organisation("other")
    known, unknown = (
        reader.look(line(1, organisation=name)).problems for name in ("other", "nowhere")
    )
    assert known[0].replace("other", "nowhere") == unknown[0]


def test_a_device_of_others_is_not_named(reader: Reader) -> None:
    make_town("other", eui(1))
    looked = reader.look(line(1))
    assert looked.outcome == Outcome.PROBLEM
    assert "other" not in " ".join(looked.problems)


def test_looking_changes_nothing(reader: Reader) -> None:
    before = Thing.objects.count()
    assert [each.outcome for each in connect_rows([line(1)], reader, dry_run=True)] == [
        Outcome.OPEN
    ]
    assert Thing.objects.count() == before


def test_a_list_connects_its_devices_and_again_changes_nothing(reader: Reader, town: Town) -> None:
    rows = [line(number) for number in range(1, 4)]
    first = [each.outcome for each in connect_rows(rows, reader)]
    assert first == [Outcome.CONNECTED] * 3
    device = Device.objects.get(dev_eui=eui(2))
    assert set(device.fields.values_list("path", flat=True)) == {"temp", "hum"}
    assert Thing.objects.get(name="Station 2").locations.get().location["coordinates"] == [
        7.77,
        49.44,
    ]
    counts = (Device.objects.count(), DeviceField.objects.count(), Thing.objects.count())
    again = [each.outcome for each in connect_rows(rows, Reader(reader.organisations))]
    assert again == [Outcome.KNOWN] * 3
    assert (Device.objects.count(), DeviceField.objects.count(), Thing.objects.count()) == counts


def test_an_import_goes_on_where_it_was(reader: Reader) -> None:
    kept = keep_list("user:1", "list.csv", [line(number) for number in range(1, 6)], reader)
    while kept.rows.filter(outcome=Outcome.OPEN).exists():
        before = Device.objects.count()
        go_on(
            kept, Reader(reader.organisations), seconds=0
        )  # one at a time, as after interruptions
        assert Device.objects.count() == before + 1
    lines = list(kept.rows.values_list("line", "outcome"))
    assert lines == [(number, Outcome.CONNECTED) for number in range(1, 6)]
    assert all(a < b for a, b in pairwise(kept.rows.values_list("device_id", flat=True)))


def test_what_became_wrong_in_the_meantime_is_told(reader: Reader, town: Town) -> None:
    kept = keep_list("user:1", "list.csv", [line(1), line(2)], reader)
    DeviceType.objects.all().delete()
    assert go_on(kept, Reader(reader.organisations)) == []
    assert {row.outcome for row in kept.rows.all()} == {Outcome.PROBLEM}
    assert "mill/t1" in kept.rows.first().problems[0]  # type: ignore[union-attr]


def test_a_registered_device_is_known_whatever_its_line_says_besides(
    reader: Reader, town: Town
) -> None:
    looked = reader.look(line(1, eui=EUI, type="", name=""))
    assert (looked.outcome, looked.device) == (Outcome.KNOWN, town.device)


# --- like another, and without LoRaWAN -----------------------------------------------------------


def test_devices_without_lorawan_are_connected_like_the_first(town: Town, reader: Reader) -> None:
    first = register_device(
        town.organisation,
        "json",
        "ws-1",
        "Weather one",
        fields=[
            NewField(
                "t.f",
                town.level,
                unit="mm",
                factor=2,
                minimum=0,
                maximum=9,
                jump=3,
                frozen_minutes=60,
            )
        ],
    )
    Device.objects.filter(pk=first).update(expected_minutes=15)
    rows = [
        line(n, network=network, eui=f"ws-{n}", type="", like=like)
        for n, network, like in ((2, "json", "ws-1"), (3, "MQTT", "weather one"))
    ]
    done = list(connect_rows(rows, reader))
    assert [each.outcome for each in done] == [Outcome.CONNECTED] * 2, done
    for each in done:
        field = DeviceField.objects.get(device=each.device)
        told = (field.path, field.unit, field.factor, field.minimum, field.maximum, field.jump)
        assert told == ("t.f", "mm", 2, 0, 9, 3)
        assert (field.frozen_minutes, field.device.expected_minutes) == (60, 15)
        assert field.datastream.unit_of_measurement["definition"].endswith("cm")
        assert field.datastream_id != town.level
    again = connect_rows(rows, Reader(reader.organisations))
    assert [each.outcome for each in again] == [Outcome.KNOWN] * 2


def test_what_a_list_says_wrongly_about_such_devices_is_told(town: Town, reader: Reader) -> None:
    other = make_town("village", "ws-9", "json")
    rows = [
        line(2, network="json", eui="ws-2", type="", like="ws-9"),
        line(3, network="json", eui="", type="", like="ws-9"),
        line(4, network="json", eui="x" * 101, type="mill/t1"),
        line(5, station="Nowhere"),
    ]
    with translation.override("en"):
        told = [each.problems for each in connect_rows(rows, reader, dry_run=True)]
    assert ["There is no device" in " ".join(each) for each in told] == [True, True, False, False]
    assert "identifier is missing" in " ".join(told[1])
    assert "longer than 100" in " ".join(told[2])
    assert "no station called" in " ".join(told[3])
    assert other.device


def test_the_same_identifier_of_another_organisation_is_another_device(
    town: Town, reader: Reader
) -> None:
    make_town("village", "ws-1", "json")
    (done,) = connect_rows([line(2, network="json", eui="ws-1")], reader)
    assert done.outcome == Outcome.CONNECTED


def test_a_listed_device_hangs_at_a_station_that_is_there(town: Town, reader: Reader) -> None:
    (done,) = connect_rows([line(2, name="Radar two", station="Gauge")], reader)
    fields = DeviceField.objects.filter(device=done.device)
    assert {each.datastream.thing.name for each in fields} == {"Gauge"}
    assert not Thing.objects.filter(name="Radar two").exists()
