"""req/request-data/built-in-query-functions (18-088 table 25): text, numbers, dates."""

from collections.abc import Callable

import pytest

from stadtherz.sensorthings.tests.client import Client

Found = Callable[[str, str], list[str]]
LAUTER, ALSENZ, GLAN = "Lauter", "Alsenz", "100% Glan_x"
EVERY = [LAUTER, ALSENZ, GLAN]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("substringof('ut', name)", [LAUTER]),
        ("substringof('%', name)", [GLAN]),
        ("substringof('_', name)", [GLAN]),
        ("contains(name, 'sen')", [ALSENZ]),
        ("startswith(name, 'A')", [ALSENZ]),
        ("endswith(name, 'er')", [LAUTER]),
        ("endswith(name, 'er') eq true", [LAUTER]),
        ("endswith(name, 'er') eq false", [ALSENZ, GLAN]),
        ("endswith(name, 'er') eq (length(name) eq 6)", [LAUTER, GLAN]),
        ("endswith(name, 'er') ne (properties/depth gt 1)", EVERY),
        ("length(name) eq 11", [GLAN]),
        ("indexof(name, 'u') eq 2", [LAUTER]),
        ("indexof(name, 'zz') eq -1", EVERY),
        ("substring(name, 1) eq 'auter'", [LAUTER]),
        ("substring(name, 1, 2) eq 'ls'", [ALSENZ]),
        ("tolower(name) eq 'lauter'", [LAUTER]),
        ("toupper(name) eq 'LAUTER'", [LAUTER]),
        ("trim(concat('  ', concat(name, ' '))) eq 'Lauter'", [LAUTER]),
        ("concat(concat(name, ', '), description) eq 'Lauter, at the bridge'", [LAUTER]),
        ("name eq concat('Lau', 'ter')", [LAUTER]),
        ("length(properties/river/name) gt 14", [GLAN]),
        ("round(properties/depth div 2) eq 1", [LAUTER, ALSENZ]),
        ("floor(properties/depth div 2) eq 1", [ALSENZ, GLAN]),
        ("ceiling(properties/depth div 2) eq 1", [LAUTER, ALSENZ]),
        ("length(name) div 4 eq 1", [LAUTER, ALSENZ]),
        ("length(name) div 4 eq 2.75", []),
        ("length(name) divby 4 eq 2.75", [GLAN]),
        ("(0 sub length(name)) div 4 eq -2", [GLAN]),
        ("length(name) add 1 div 2 eq length(name)", EVERY),
        ("Datastreams/$count div 2 eq 0", EVERY),
        ("round(length(name)) div 4 eq 2.75", [GLAN]),
        ("7 divby 2 eq 3.5", EVERY),
        ("length(name) div 0 eq null", EVERY),
    ],
)
def test_functions_on_text_and_numbers(found: Found, condition: str, names: list[str]) -> None:
    assert found("Things", condition) == names


@pytest.mark.parametrize(
    ("condition", "indices"),
    [
        ("year(phenomenonTime) eq 2026", [0, 1, 2]),
        ("month(phenomenonTime) eq 2", [2]),
        ("day(phenomenonTime) eq 1", [0, 1]),
        ("hour(phenomenonTime) eq 18", [1]),
        ("minute(phenomenonTime) eq 30", [1]),
        ("second(phenomenonTime) eq 15", [1]),
        ("fractionalseconds(phenomenonTime) eq 0.25", [1]),
        ("totaloffsetminutes(phenomenonTime) eq 0", [0, 1, 2]),
        ("totaloffsetminutes(2026-01-01T00:00:00+01:00) eq 60", [0, 1, 2]),
        ("totaloffsetminutes(2026-01-01T00:00:00-03:30) eq -210", [0, 1, 2]),
        ("totaloffsetminutes(2026-01-01T00:00:00Z) eq 0", [0, 1, 2]),
        ("date(phenomenonTime) eq 2026-01-01", [0, 1]),
        ("date(phenomenonTime) eq date'2026-02-03'", [2]),
        ("time(phenomenonTime) eq '06:00:00'", [0]),
        ("time(phenomenonTime) eq 06:00:00", [0]),
        ("time(phenomenonTime) eq 06:00", [0]),
        ("time(phenomenonTime) eq timeofday'06:00:00.000'", [0]),
        ("time(phenomenonTime) lt duration'PT7H'", [0]),
        ("phenomenonTime gt mindatetime()", [0, 1, 2]),
        ("phenomenonTime lt maxdatetime()", [0, 1, 2]),
        ("phenomenonTime lt now()", [0, 1, 2]),
        ("now() sub phenomenonTime lt duration'PT1H'", []),
        ("phenomenonTime gt 2026-01-01T12:00:00Z", [1, 2]),
        ("phenomenonTime gt '2026-01-01T12:00:00Z'", [1, 2]),
        (
            "phenomenonTime ge 2026-01-01T07:00:00+01:00 and phenomenonTime le 2026-01-01T06:00:00Z",
            [0],
        ),
        ("phenomenonTime add duration'P1D' gt 2026-02-04T00:00:00Z", [2]),
        ("phenomenonTime sub duration'PT6H' eq 2026-01-01T00:00:00Z", [0]),
        ("phenomenonTime sub 2026-01-01T00:00:00Z eq duration'PT6H'", [0]),
        ("totalseconds(duration'PT1H0.5S') eq 3600.5", [0, 1, 2]),
        ("totalseconds(phenomenonTime sub 2026-01-01T00:00:00Z) eq 21600", [0]),
        ("totalseconds(time(phenomenonTime)) gt 66615", [1]),
        ("(phenomenonTime sub 2026-01-01T00:00:00Z) div 2 eq duration'PT3H'", [0]),
        ("(phenomenonTime sub 2026-01-01T00:00:00Z) divby 0.5 eq duration'PT12H'", [0]),
        ("duration'PT1H' mul result eq duration'PT2H30M'", [1]),
        ("result mul duration'PT1H' gt duration'PT2H30M'", [2]),
        ("phenomenonTime add duration'PT1H' mul 2 gt 2026-02-03T13:59:59Z", [2]),
        ("phenomenonTime sub -duration'PT6H' eq 2026-01-01T12:00:00Z", [0]),
        ("duration'PT1H' div 0 eq null", [0, 1, 2]),
        ("duration'PT1H' mul 1e300 eq null", [0, 1, 2]),
        ("duration'PT1H' div 1e-300 eq null", [0, 1, 2]),
        ("duration'PT0S' div -1e-300 eq duration'PT0S'", [0, 1, 2]),
        ("duration'PT1H' mul 1e-300 eq duration'PT0S'", [0, 1, 2]),
        ("resultTime eq phenomenonTime", [0, 1, 2]),
        ("resultTime lt 2026-01-02", [0, 1]),
        ("validTime eq null", [0, 1, 2]),
        ("year(validTime) eq 2026", []),
    ],
)
def test_functions_on_times(city: Client, condition: str, indices: list[int]) -> None:
    stream = city.get("/Datastreams").ids[0]
    path = f"/Datastreams({stream})/Observations"
    everything = city.get(path).ids
    found = city.get(f"{path}?$filter={condition.replace('+', '%2B')}").ids
    assert found == [everything[i] for i in indices]


def test_a_plus_sign_that_was_not_encoded_still_means_plus(city: Client) -> None:
    plain = city.get("/Observations?$filter=phenomenonTime eq 2026-01-01T07:00:00+01:00")
    assert len(plain.value) == 3
