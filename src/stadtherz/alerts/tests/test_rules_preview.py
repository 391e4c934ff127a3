"""What a rule would have done: the counts of real floods, the same as live, and nothing is touched."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.alerts.models import Alert, AlertEvent, Rule, RuleInput, RuleState, RuleStep
from stadtherz.alerts.rules import engine, expression
from stadtherz.alerts.rules.mistakes import mistakes
from stadtherz.alerts.rules.preview import preview
from stadtherz.alerts.tests.rule_cast import Curve, dead_run, isar, make_rule
from stadtherz.base import time, vocabulary
from stadtherz.base.errors import Invalid, QuerySyntaxError
from stadtherz.base.time import DAY, MINUTE, Period
from stadtherz.kit.testing import Town
from stadtherz.store.public import Reading, append
from stadtherz.stream.public import drain, register, unregister


@pytest.fixture
def town(transactional_db: None) -> Town:
    return Town.found()


@pytest.fixture
def stream(town: Town) -> int:
    return town.datastream(vocabulary.WATER_LEVEL, "Isar")


def keep(stream: int, curve: Curve) -> None:
    append([Reading(stream, Period(at), value) for at, value in curve])


def span(curve: Curve) -> tuple[int, int]:
    return curve[0][0], curve[-1][0]


@pytest.mark.parametrize(
    ("limit", "hysteresis", "samples", "expected"),
    [
        (140, 0, 1, 33),
        (140, 5, 1, 10),
        (140, 10, 1, 9),
        (140, 5, 2, 9),
        (180, 5, 1, 2),
        (240, 0, 1, 1),
    ],
)
def test_the_year_of_the_isar(
    town: Town, stream: int, limit: float, hysteresis: float, samples: int, expected: int
) -> None:
    keep(stream, isar())
    rule = make_rule(
        town.organisation,
        limit,
        datastream=stream,
        hysteresis=hysteresis,
        samples=samples,
        active=False,
    )
    found = preview(rule, *span(isar()))
    assert (found.warnings, found.readings) == (expected, len(isar()))
    assert not Alert.objects.exists()
    assert not RuleState.objects.exists()


def test_a_rule_that_is_not_saved_yet_can_be_tried(town: Town, stream: int) -> None:
    keep(stream, dead_run())
    rule = Rule(owner_id=town.organisation, name_de="x", datastream_id=stream)
    rule.steps = [RuleStep(name_de="Stufe", limit=70, hysteresis=5)]
    assert preview(rule, *span(dead_run())).warnings == 4


def test_live_it_warns_as_the_preview_has_said(town: Town, stream: int) -> None:
    """The same creek, reading by reading as it was recorded, with the clock of those days."""
    curve = [
        pair for pair in dead_run() if dead_run()[0][0] <= pair[0] < dead_run()[0][0] + 3 * DAY
    ]
    rule = make_rule(
        town.organisation, 40, 70, datastream=stream, hysteresis=5, hold_minutes=7, calm_minutes=12
    )
    consumer = engine.consumer()
    register(consumer)
    try:
        for at, value in curve:
            with time.stopped_at(time.from_us(at)):
                engine.tick(at)
                keep(stream, [(at, value)])
                drain()
    finally:
        unregister(consumer.name)
    live = [(e.at, e.rank_before, e.rank) for e in AlertEvent.objects.order_by("pk")]
    said = preview(rule, *span(curve)).changes
    assert live == [(each.at, each.before, each.after) for each in said]
    assert len(live) > 4


def test_silence_is_previewed(town: Town, stream: int) -> None:
    keep(stream, [(0, 1.0), (10 * MINUTE, 1.0), (100 * MINUTE, 1.0)])
    rule = make_rule(town.organisation, 30, datastream=stream, measure="missing")
    found = preview(rule, 0, 140 * MINUTE)
    assert [(c.at // MINUTE, c.after) for c in found.changes] == [(40, 1), (100, 0), (130, 1)]


def test_an_expression_is_previewed(town: Town, stream: int) -> None:
    rain = town.datastream(vocabulary.WATER_TEMPERATURE, "Regen")
    keep(stream, [(place * 10 * MINUTE, 60.0 + 10 * place) for place in range(6)])
    keep(rain, [(15 * MINUTE, 20.0), (45 * MINUTE, 0.0)])
    rule = make_rule(
        town.organisation,
        1,
        measure="expression",
        expression="level > 80 and rain > 10",
        inputs={"level": stream, "rain": rain},
    )
    found = preview(rule, 0, 60 * MINUTE)
    assert [(c.at // MINUTE, c.after) for c in found.changes] == [(30, 1), (45, 0)]


def test_what_cannot_judge_says_so(town: Town, stream: int) -> None:
    with pytest.raises(Invalid):
        preview(make_rule(town.organisation, datastream=stream), 0, 1)


# --- mistakes ------------------------------------------------------------------------------------


def found(
    rule: Rule, *limits: float, hysteresis: float = 0, inputs: tuple[str, ...] = ()
) -> set[str]:
    steps = [RuleStep(limit=limit, hysteresis=hysteresis) for limit in limits]
    return set(mistakes(rule, steps, [RuleInput(name=name) for name in inputs]))


@pytest.mark.parametrize(
    ("rule", "limits", "more", "fields"),
    [
        (Rule(datastream_id=1), (90, 120), {}, set()),
        (Rule(), (90,), {}, {"datastream"}),
        (Rule(datastream_id=1, observed_property_id=1), (90,), {}, {"observed_property"}),
        (Rule(datastream_id=1), (), {}, {"steps"}),
        (Rule(datastream_id=1), (90, 90), {}, {"steps"}),
        (Rule(datastream_id=1), (90, 120), {"hysteresis": 0}, set()),
        (Rule(datastream_id=1, measure="missing"), (0,), {}, {"steps"}),
        (Rule(measure="expression", expression="a > 1"), (1,), {}, {"inputs"}),
        (Rule(measure="expression", expression="a >"), (1,), {"inputs": ("a",)}, {"expression"}),
        (Rule(measure="expression", expression="b > 1"), (1,), {"inputs": ("a",)}, {"expression"}),
        (Rule(measure="expression", expression="a > 1"), (1,), {"inputs": ("a",)}, set()),
    ],
)
def test_mistakes_are_named_at_their_field(
    rule: Rule, limits: tuple[float, ...], more: Any, fields: set[str]
) -> None:
    assert found(rule, *limits, **more) == fields


# --- expressions ---------------------------------------------------------------------------------


def value(written: str, **inputs: float) -> float:
    columns = {name: expression.np.array([each], float) for name, each in inputs.items()}
    return float(expression.parse(written).compute(columns)[0])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a + b * 2", 7),
        ("(a + b) * 2", 8),
        ("-a", -1),
        ("a > 0 and b > 2", 1),
        ("a > 0 and b > 3", 0),
        ("not a > 0 or b == 3", 1),
        ("0 < a < b", 1),
        ("max(a, b) - min(a, b) + abs(-2 * a)", 4),
    ],
)
def test_expressions_are_computed(written: str, expected: float) -> None:
    assert value(written, a=1, b=3) == expected


def test_an_unknown_decides_nothing_unless_the_rest_does() -> None:
    nan = float("nan")
    assert value("a > 0 and b > 2", a=0, b=nan) == 0
    assert value("a > 0 or b > 2", a=1, b=nan) == 1
    assert value("a > 0 and b > 2", a=1, b=nan) != value("a > 0", a=1)
    assert value("a / b", a=1, b=0) != value("a", a=1)  # no infinity


@pytest.mark.parametrize(
    "written",
    [
        "",
        "1 + 1",
        "a >",
        "a.real",
        "__import__('os')",
        "a if b else a",
        "[a]",
        "a ** 9 ** 9",
        "lambda: a",
        "f'{a}'",
        "a and 'x'",
        "max(a)",
        "max(a, b=1)",
        "True and a",
        "a in b",
        "not " * 200 + "a",
        "a+" * 300 + "a",
        "a\0",
    ],
)
def test_everything_else_is_refused_with_its_position(written: str) -> None:
    with pytest.raises(QuerySyntaxError) as refused:
        expression.parse(written)
    assert refused.value.field == "expression"


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_is_refused(written: str) -> None:
    try:
        parsed = expression.parse(written)
    except QuerySyntaxError:
        return
    columns = {name: expression.np.array([1.0, 2.0]) for name in parsed.names}
    assert len(parsed.compute(columns)) == 2
