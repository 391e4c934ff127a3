"""InfluxDB's line protocol, as Telegraf and gateways push it."""

import re
from typing import Any

import pytest
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.time import now_us
from stadtherz.base.visibility import SYSTEM
from stadtherz.ingest.forms import lines
from stadtherz.ingest.forms.proposing import proposed_shape
from stadtherz.ingest.onboarding.messages import sample_of
from stadtherz.ingest.public import NewField, register_device, replay
from stadtherz.ingest.tests.factories import Door, Town, readings, results
from stadtherz.ingest.tests.test_json_door import AT, add_form, refused

# As Telegraf writes it, with each kind of value.
TELEGRAF = (
    b"# weather\n"
    b'weather,station=mill\\ brook,host=pi level=82.5,wet=t,count=12i,note="a \\"b\\", c=d" 1764144000000000000\n'
    b"weather,station=mill\\ brook,host=pi level=83 1764144060000000000\r\n"
)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\\"), min_size=1).filter(
    lambda name: name == name.strip() and not name.startswith("#")
)
VALUES = (
    st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
)


def escaped(name: str) -> str:
    return re.sub(r"([,= ])", r"\\\1", name)


def told(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "F"
    if isinstance(value, int):
        return f"{value}i"
    if isinstance(value, str):
        return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    return repr(value)


def line(
    measurement: str, tags: dict[str, str], fields: dict[str, object], time: int | None
) -> str:
    head = ",".join(
        [escaped(measurement), *(f"{escaped(k)}={escaped(v)}" for k, v in tags.items())]
    )
    body = ",".join(f"{escaped(name)}={told(value)}" for name, value in fields.items())
    return f"{head} {body}" + ("" if time is None else f" {time}")


def test_what_telegraf_writes_is_read() -> None:
    first, second = lines.whole(TELEGRAF.decode())
    assert first == {
        "measurement": "weather",
        "tags": {"station": "mill brook", "host": "pi"},
        "fields": {"level": 82.5, "wet": True, "count": 12, "note": 'a "b", c=d'},
        "time": AT * 10**9,
    }
    assert (second["fields"], second["time"]) == ({"level": 83.0}, (AT + 60) * 10**9)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            NAMES,
            st.dictionaries(NAMES, NAMES, max_size=3),
            st.dictionaries(NAMES, VALUES, min_size=1, max_size=3),
            st.none() | st.integers(0, 10**19 - 1),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_every_line_is_read_as_it_was_meant(meant: list[Any]) -> None:
    text = "\n".join(line(*each) for each in meant)
    assert lines.looks_like(text)
    for entry, (measurement, tags, fields, time) in zip(lines.whole(text), meant, strict=True):
        assert (entry["measurement"], entry.get("tags", {}), entry["time"]) == (
            measurement,
            tags,
            "now" if time is None else time,
        )
        assert entry["fields"] == fields


@pytest.mark.parametrize(
    "text",
    ["", "21.5", "a=1&b=2", "a=1&b=hello world", '{"a b": "c=d"}', "temp 21.5", "x y=", "a,b c=1"],
)
def test_nothing_else_is_taken_for_it(text: str) -> None:
    assert not lines.looks_like(text)


@pytest.mark.parametrize(
    "line", ["weather level", "weather level=high", "weather,a level=1", "x y=1 z"]
)
def test_a_bad_line_is_named(line: str) -> None:
    with pytest.raises(Invalid, match=r"line 3 is not as InfluxDB's line protocol has it: "):
        lines.whole(f"weather level=1\n# more\n{line}\n")


@pytest.mark.parametrize(
    "kind", ["text/plain; charset=utf-8", "application/x-www-form-urlencoded", ""]
)
@pytest.mark.parametrize(("digits", "unit"), [(0, "s"), (3, "ms"), (6, "µs"), (9, "ns")])
def test_lines_are_stored_and_once(
    town: Town, door: Door, kind: str, digits: int, unit: str
) -> None:
    add_form(town.organisation, "lines", device="tags.station", time="time")
    register_device(
        town.organisation, "json", "mill", "Mill", fields=[NewField("fields.level", town.level)]
    )
    body = "\n".join(f"w,station=mill level={n} {(AT + n) * 10**digits}" for n in (1, 2)).encode()
    first, again = (
        door.post(body, path="/ingest/json/lines", **{"Content-Type": kind}) for _ in "12"
    )
    assert (first.json()["stored"], again.json()["duplicates"]) == (2, 2), unit
    assert results(town.level) == [1, 2]
    assert readings(town.level).phenomenon_start.tolist() == [(AT + 1) * 10**6, (AT + 2) * 10**6]


def test_a_thousand_lines_are_taken_and_no_more() -> None:
    assert len(lines.entries("w level=1\n" * 1_000)) == 1_000
    with override("de"), pytest.raises(Invalid, match=r"mehr als 1\.000 Zeilen"):
        sample_of("w level=1\n" * 1_001)


def test_a_person_reads_in_which_line_the_mistake_is() -> None:
    with override("de"), pytest.raises(Invalid, match=r"Zeile 2 ist nicht so.*: w level"):
        sample_of("w level=1 1764144000\nw level")


def test_the_wizard_understands_a_pasted_line() -> None:
    sample = sample_of(TELEGRAF.decode())
    shape = proposed_shape(sample.message, now_us(), "Europe/Berlin")
    assert (shape.device, shape.time, shape.readings) == ("tags.station", "time", "")


def test_a_line_that_is_none_spoils_no_other_and_is_kept_with_its_number(
    town: Town, door: Door
) -> None:
    add_form(town.organisation, "lines", device="tags.station", time="time")
    register_device(
        town.organisation, "json", "mill", "Mill", fields=[NewField("fields.level", town.level)]
    )
    body = b"w level=\nw,station=mill level=1 1764144000\n# x\nw level\nw,station=mill level=2 1764144060"
    answer = door.post(body, path="/ingest/json/lines")
    assert (answer.status_code, answer.json()["stored"]) == (422, 2), answer.text
    assert answer.json()["detail"].startswith("Line 1: it is not as InfluxDB")
    kept = refused()
    assert (kept.reason, kept.facts["refused"], kept.truncated) == ("form_misfit", 2, False)
    given = replay(kept.pk, SYSTEM)
    assert (given.body["stored"], given.body["duplicates"]) == (0, 2)
    assert results(town.level) == [1, 2]
