"""What is read many at a time is what `base.time` reads one by one."""

from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import iso, parse_instant, parse_period
from stadtherz.sensorthings.writing.instants import parse_instants, parse_periods
from stadtherz.store.public import NONE

_MOMENTS = st.datetimes().map(lambda moment: moment.isoformat(timespec="microseconds"))
_FRACTIONS = st.integers(0, 9).map(lambda width: slice(0, 20 + width if width else 19))
_ZONES = st.sampled_from(["Z", "Z", "+00:00", "-07:30", "+14:00"])
_COMMON = st.tuples(_MOMENTS, _FRACTIONS, _ZONES).map(lambda t: (t[0] + "000")[t[1]] + t[2])


@given(st.lists(st.none() | _COMMON))
def test_common_forms_are_read_as_one_by_one(texts: list[str | None]) -> None:
    expected = [NONE if text is None else parse_instant(text) for text in texts]
    found = parse_instants(texts)
    assert found is not None
    assert found.tolist() == expected


@given(st.lists(_COMMON, min_size=1, max_size=3), st.data())
def test_a_changed_text_is_read_as_one_by_one_or_not_at_all(
    texts: list[str], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(texts) - 1))
    text = texts[place]
    at = data.draw(st.integers(0, len(text) - 1))
    new = data.draw(st.sampled_from("0123456789:-.TZ+ ,/ä\0"))
    texts[place] = text[:at] + new + text[at + 1 :]
    found = parse_instants(texts)
    if found is not None:
        assert found.tolist() == [parse_instant(text) for text in texts]


@given(st.lists(st.none() | st.tuples(_COMMON, st.none() | _COMMON)))
def test_periods_are_read_as_one_by_one(pairs: list[tuple[str, str | None] | None]) -> None:
    texts = [None if p is None else p[0] if p[1] is None else f"{p[0]}/{p[1]}" for p in pairs]
    found = parse_periods(texts)
    try:
        periods = [None if text is None else parse_period(text) for text in texts]
    except ValueError:
        assert found is None
        return
    assert found is not None
    starts, ends = (column.tolist() for column in found)
    assert starts == [NONE if p is None else p.start for p in periods]
    assert ends == [NONE if p is None or p.end is None else p.end for p in periods]


def test_what_is_uncommon_is_left_to_others() -> None:
    for text in ("2026-01-01", "2026-01-01T00:00:00", "2026-02-29T00:00:00Z", iso(0) + " ", ""):
        assert parse_instants([text]) is None
