"""`cast` gives the same on the engine at hand as in Python, whatever the value; and lists."""

from typing import Any

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadtherz.base.expressions import Call, Column, Literal
from stadtherz.base.functions import FUNCTIONS
from stadtherz.base.time import EARLIEST, LATEST, parse_instant
from stadtherz.sql.casts import INSTANT, NUMBER
from stadtherz.sql.functions import IMPLEMENTATIONS
from stadtherz.sql.public import Source, compile_value, compose, dialect_of, install_functions

pytestmark = pytest.mark.django_db
unhurried = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def _functions(db: None) -> None:
    install_functions(connections["default"])


def called(name: str, *values: Any) -> Any:
    connection = connections["default"]
    signature = FUNCTIONS[name]
    arguments = tuple(
        Literal(value, kind) for value, kind in zip(values, signature.takes, strict=True)
    )
    value = compile_value(Call(name, arguments, signature.gives), _nothing, dialect_of(connection))
    compiled = compose("SELECT {}", value)
    with connection.cursor() as cursor:
        cursor.execute(compiled.text, compiled.parameters)
        return cursor.fetchone()[0]


def _nothing(column: Column) -> Source:
    raise AssertionError(column)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("number_text", (6.0,), "6"),
        ("number_text", (6.5,), "6.5"),
        ("number_text", (-0.0,), "0"),
        ("number_text", (1e-5,), "1e-05"),
        ("number_text", (1e20,), "1e+20"),
        ("number_text", (9007199254740993,), "9007199254740992"),
        ("boolean_text", (True,), "true"),
        ("boolean_text", (False,), "false"),
        ("time_text", (parse_instant("2026-01-02T03:04:05Z"),), "2026-01-02T03:04:05.000Z"),
        ("time_text", (1,), "1970-01-01T00:00:00.000001Z"),
        ("text_number", ("6",), 6),
        ("text_number", ("-6.5e2",), -650),
        ("text_number", ("1e999",), None),
        ("text_number", ("1e-999",), None),
        ("text_number", ("0e-999",), 0),
        ("text_number", ("6\n",), None),
        ("text_number", (" 6",), None),
        ("text_number", ("",), None),
        ("text_number", ("NaN",), None),
        ("text_boolean", ("true",), True),
        ("text_boolean", ("False",), None),
        ("text_time", ("2026-01-02T03:04:05+01:00",), parse_instant("2026-01-02T02:04:05Z")),
        ("text_time", ("2026-01-02T03:04Z",), parse_instant("2026-01-02T03:04:00Z")),
        ("text_time", ("2026-02-30T03:04:05Z",), None),
        ("text_time", ("2026-01-02T03:04:05",), None),
        ("text_time", ("2026-01-02",), None),
        ("text_date", ("2026-01-02",), parse_instant("2026-01-02T00:00:00Z")),
        ("text_date", ("2026-02-30",), None),
        ("text_date", ("0000-01-01",), None),
        ("whole", (2.5, 0, 255), 3),
        ("whole", (-2.5, -128, 127), -3),
        ("whole", (255.4, 0, 255), 255),
        ("whole", (255.5, 0, 255), None),
        ("whole", (None, 0, 255), None),
        ("single", (0.1,), 0.10000000149011612),
        ("single", (1e39,), None),
        ("single", (1e-45,), None),
        ("list_has_text", (["a", "b"], "b"), True),
        ("list_has_text", (["a", ["b"]], "b"), False),
        ("list_has_text", ({"b": "b"}, "b"), False),
        ("list_has_number", ([1, "2", 2.5], 2.5), True),
        ("list_has_number", ([1, "2", True], 2), False),
        ("list_has_number", ([True], 1), False),
        ("list_has_number", ([1.0], 1), True),
        ("list_has_text", (None, "b"), None),
    ],
)
def test_single_casts(name: str, values: tuple[Any, ...], expected: Any) -> None:
    found = called(name, *values)
    assert found == expected
    assert (found is None) == (expected is None)


def _agree(name: str, *values: Any) -> None:
    assert called(name, *values) == IMPLEMENTATIONS[name](*values)


numbers = st.one_of(
    st.integers(-(2**53), 2**53).map(float),
    st.integers(-(10**9), 10**9).map(lambda n: n / 1000),
    st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False).filter(
        lambda value: not 1e15 <= abs(value) < 9e15  # there PostgreSQL writes fractions otherwise
    ),
)


@given(numbers)
@unhurried
def test_numbers_become_the_same_texts(value: float) -> None:
    _agree("number_text", value)
    _agree("single", value)
    _agree("whole", value, -(2**31), 2**31 - 1)


@given(st.one_of(st.from_regex(NUMBER), st.text(alphabet="+-.0123456789eE \n", max_size=8)))
@unhurried
def test_texts_become_the_same_numbers(text: str) -> None:
    _agree("text_number", text)


@given(st.from_regex(INSTANT))
@unhurried
def test_texts_become_the_same_times(text: str) -> None:
    _agree("text_time", text)
    _agree("text_date", text[:10])


@given(st.integers(EARLIEST, LATEST))
@unhurried
def test_times_become_the_same_texts_and_times_again(us: int) -> None:
    _agree("time_text", us)
    assert called("text_time", called("time_text", us)) == us
