"""Charts drawn by the server: what is in the SVG, and what the browser is told."""

import json
from xml.etree import ElementTree as ET

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import DAY, HOUR
from stadtherz.kit.declaration import Severity, Step
from stadtherz.web.charts import SPARK_POINTS, LineChart, line_chart, sparkline, thin
from stadtherz.web.tests.web_cast import NOON, chart

FINITE = st.floats(-1e9, 1e9)


@given(st.lists(FINITE, min_size=2, max_size=200))
def test_a_sparkline_is_xml_with_at_most_48_points(values: list[float]) -> None:
    drawn = ET.fromstring(sparkline(values))
    area, line = drawn
    assert line.attrib["d"].count("L") < SPARK_POINTS
    assert area.attrib["d"].endswith("Z")
    assert "nan" not in line.attrib["d"]


def test_one_value_makes_no_line() -> None:
    assert sparkline([3.0]) == sparkline([]) == ""


@given(st.lists(FINITE, max_size=300), st.integers(1, 60))
def test_thinning_keeps_the_mean_within_the_values(values: list[float], most: int) -> None:
    thinned = thin(values, most)
    assert len(thinned) == min(len(values), most)
    assert all(min(values) - 1e-3 <= v <= max(values) + 1e-3 for v in thinned)


def test_markup_carries_no_inline_style() -> None:
    drawn = str(line_chart(chart(40, 41, 42))) + str(sparkline([1, 2, 3]))
    assert "style" not in drawn


def test_title_and_summary_name_the_picture() -> None:
    drawn = ET.fromstring(line_chart(chart(40, 41, 42)))
    title, description = drawn[0], drawn[1]
    assert drawn.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"
    assert (title.text, description.text) == ("Pegel Mühle", "Das Wasser steht bei 42 cm.")


def test_steps_are_lines_with_their_names() -> None:
    drawn = str(line_chart(chart(40, 41)))
    assert "sh-plot__step--warning" in drawn
    assert ">Vorwarnung</text>" in drawn


@pytest.mark.parametrize(
    ("numbers", "marks"), [((0.0, 1.0), [0, 1]), ((0.0, 3.0), [0, 1, 2, 3]), ((0.0,), [-1, 0, 1])]
)
def test_what_is_counted_has_whole_marks(numbers: tuple[float, ...], marks: list[int]) -> None:
    assert chart(*numbers, steps=(), counts=True).levels == marks


def test_names_from_people_cannot_become_markup() -> None:
    hostile = Step("<script>", 50, Severity.DANGER)
    drawn = str(line_chart(chart(40, 41, steps=(hostile,), title="<b>")))
    assert "<script>" not in drawn
    assert "<b>" not in drawn


def test_silence_breaks_the_line() -> None:
    points = [(NOON - 9 * HOUR, 1.0), (NOON - 8 * HOUR, 2.0), (NOON, 3.0)]
    whole = ET.fromstring(line_chart(chart(points=points)))
    broken = ET.fromstring(line_chart(chart(points=points, gap=2 * HOUR)))
    assert (drawn(whole, "sh-plot__line"), drawn(whole, "sh-plot__dot")) == (1, 0)
    assert (drawn(broken, "sh-plot__line"), drawn(broken, "sh-plot__dot")) == (1, 1)


def drawn(picture: ET.Element, what: str) -> int:
    return sum(each.attrib.get("class") == what for each in picture)


def test_a_single_reading_is_a_dot_within_the_picture() -> None:
    picture = ET.fromstring(line_chart(chart(points=[(NOON, 3.0)])))
    (dot,) = (each for each in picture if each.attrib.get("class") == "sh-plot__dot")
    assert 0 < float(dot.attrib["cx"]) < 480
    assert 0 < float(dot.attrib["cy"]) < 280
    assert drawn(picture, "sh-plot__line") == 0


def test_a_reading_alone_is_a_dot() -> None:
    points = [(NOON - n * 5 * HOUR, float(n)) for n in (3, 2, 1, 0)]
    drawn = ET.fromstring(line_chart(chart(points=points, gap=2 * HOUR)))
    assert sum(each.tag == "circle" for each in drawn) == len(points)


def test_a_single_reading_stands_in_the_middle_of_a_day() -> None:
    only = LineChart("k", "Pegel", "", "cm", [(NOON, 41.0)], "Einer.")
    assert (only.start, only.end) == (NOON - DAY // 2, NOON + DAY // 2)
    drawn = str(only.svg)
    assert "<circle" in drawn
    assert drawn.count("sh-plot__time") > 2  # the axis says when


def test_no_readings_are_a_sentence() -> None:
    with override("de"):
        assert "Keine Messwerte" in line_chart(chart())


def test_the_zone_stands_at_the_axis() -> None:
    with override("de"):
        assert "Zeiten in MEZ" in line_chart(chart(1, 2))


@pytest.mark.parametrize("numbers", [(), (5,), (5, 5, 5), (0.1, 0.2), (-30, 900)])
def test_the_browser_gets_marks_around_all_values(numbers: tuple[float, ...]) -> None:
    data = json.loads(json.dumps(chart(*numbers, steps=()).data))
    levels = data["levels"]
    assert all(levels[0] <= value <= levels[-1] for value in numbers)
    assert all(data["start"] <= time <= data["end"] for time, _value in data["points"])


def test_the_browser_gets_the_citys_clock() -> None:
    [[time, _value]] = chart(42).data["points"]
    assert time == NOON // 1000 + 3_600_000  # MEZ is an hour ahead


def test_a_null_stands_where_the_line_breaks() -> None:
    points = [(NOON - DAY, 1.0), (NOON, 2.0)]
    values = [value for _time, value in chart(points=points, gap=HOUR).data["points"]]
    assert values == [1.0, None, 2.0]


def test_the_table_is_short_and_starts_with_the_newest() -> None:
    rows = chart(*range(500)).table
    assert len(rows) <= SPARK_POINTS
    assert rows[0] == (NOON, "499\u00a0cm", "")


JUMP = {"code": "jump", "flags": ["jump"], "pass": False, "change": 30, "minutes": 5}


def test_doubtful_readings_are_marked_by_a_shape_and_told_in_words() -> None:
    plain = chart(*range(500))
    doubted = plain.points[123][0]
    with override("de"):
        shown = chart(*range(500), doubts={doubted: JUMP, plain.points[7][0]: {"of": "others"}})
        assert str(shown.svg).count("sh-plot__doubt") == 1
        assert "1 Messwert ist zweifelhaft" in shown.doubt_text
        assert shown.doubt_text in str(shown.svg)
        ((time, _value, why),) = [row for row in shown.table if row[2]]
        assert time == doubted
        assert "Minuten" in why
    assert shown.data["doubts"] == [[shown._wall(doubted), 123.0]]
    assert plain.doubt_text == ""
    assert "sh-plot__doubt" not in str(plain.svg)
