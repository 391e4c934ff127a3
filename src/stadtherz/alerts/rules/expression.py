"""Small checked expressions over named inputs: `level > 80 and (rain > 10 or rain_day > 30)`.

Numbers, names, + - * /, comparisons, `and`, `or`, `not`, `abs`, `min`, `max`. Python's own parser reads
them, and nothing but these parts is let through; they are computed by numpy over whole columns, a
condition as 1 and 0. Where an input is missing the result is missing, except where the rest decides.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from stadtherz.base.errors import QuerySyntaxError

Floats = npt.NDArray[np.float64]

LONGEST = 500
_MOST_PARTS = 100
_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Floats]]] = {
    "abs": (1, np.abs),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}
_ARITHMETIC: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
_COMPARISON: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A text that has been checked; `names` are the inputs it needs."""

    written: str
    names: frozenset[str]
    condition: bool
    _tree: ast.expr

    def compute(self, inputs: Mapping[str, Floats]) -> Floats:
        """The value at each place of the inputs, which have equal lengths; NaN where it is unknown."""
        with np.errstate(all="ignore"):
            found = np.asarray(_value(self._tree, inputs), np.float64)
            length = len(next(iter(inputs.values()))) if inputs else 1
            spread = np.broadcast_to(found, (length,)).copy()
        spread[~np.isfinite(spread)] = np.nan
        return spread


@lru_cache(maxsize=4096)
def parse(written: str) -> Expression:
    """The expression. Raises QuerySyntaxError, which names the position."""
    if len(written) > LONGEST:
        raise _wrong(f"has more than {LONGEST} characters", LONGEST)
    text = written.strip()
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as problem:
        position = (getattr(problem, "offset", None) or 1) - 1
        raise _wrong("cannot be read", position) from problem
    parts = list(ast.walk(tree))
    if len(parts) > _MOST_PARTS:
        raise _wrong("has too many parts", 0)
    _check(tree)
    names = {part.id for part in parts if isinstance(part, ast.Name)} - set(_FUNCTIONS)
    if not names:
        raise _wrong("names no input", 0)
    return Expression(text, frozenset(names), _is_condition(tree), tree)


def _check(part: ast.expr) -> None:
    """Let only known parts through, all the way down."""
    for inner in _parts_of(part):
        _check(inner)


def _parts_of(part: ast.expr) -> Sequence[ast.expr]:
    """What a part is made of; raises for one that is not allowed."""
    match part:
        case ast.Name(id=name) if name not in _FUNCTIONS:
            return ()
        case ast.Constant(value=int() | float()) if not isinstance(part.value, bool):
            return ()
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not(), operand=operand):
            return (operand,)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return (left, right)
        case ast.BoolOp(values=values):
            return values
        case ast.Compare(left=left, ops=ops, comparators=others) if set(map(type, ops)) <= set(
            _COMPARISON
        ):
            return (left, *others)
        case ast.Call():
            return _arguments(part)
    raise _wrong("has a part that is not allowed here", part.col_offset)


def _arguments(call: ast.Call) -> Sequence[ast.expr]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name not in _FUNCTIONS or call.keywords:
        raise _wrong(f"knows only the functions {', '.join(sorted(_FUNCTIONS))}", call.col_offset)
    if len(call.args) != _FUNCTIONS[name][0]:
        raise _wrong(f"{name} takes {_FUNCTIONS[name][0]} values", call.col_offset)
    return call.args


def _is_condition(part: ast.expr) -> bool:
    if isinstance(part, ast.UnaryOp):
        return isinstance(part.op, ast.Not)
    return isinstance(part, ast.Compare | ast.BoolOp)


def _value(part: ast.expr, inputs: Mapping[str, Floats]) -> Any:
    match part:
        case ast.Name(id=name):
            return inputs[name]
        case ast.Constant(value=number):
            return float(number)  # type: ignore[arg-type]
        case ast.UnaryOp(op=op, operand=operand):
            value = _value(operand, inputs)
            return (
                _not(value)
                if isinstance(op, ast.Not)
                else (-value if isinstance(op, ast.USub) else value)
            )
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_value(left, inputs), _value(right, inputs))
        case ast.BoolOp(op=op, values=values):
            both = _and if isinstance(op, ast.And) else _or
            return reduce(both, (_value(value, inputs) for value in values))
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [_value(value, inputs) for value in (left, *others)]
            pairs = zip(ops, sides, sides[1:], strict=False)
            return reduce(_and, (_compared(type(op), one, other) for op, one, other in pairs))
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name][1](*(_value(value, inputs) for value in args))
    raise AssertionError(part)  # _check lets nothing else through


def _compared(op: type, one: Any, other: Any) -> Any:
    unknown = np.isnan(one) | np.isnan(other)
    return np.where(unknown, np.nan, _COMPARISON[op](one, other).astype(np.float64))


def _not(value: Any) -> Any:
    return np.where(np.isnan(value), np.nan, np.equal(value, 0).astype(np.float64))


def _and(one: Any, other: Any) -> Any:
    """False as soon as one side is, also beside an unknown."""
    false = np.equal(one, 0) | np.equal(other, 0)
    return np.where(false, 0.0, np.where(np.isnan(one) | np.isnan(other), np.nan, 1.0))


def _or(one: Any, other: Any) -> Any:
    return _not(_and(_not(one), _not(other)))


def _wrong(reason: str, position: int) -> QuerySyntaxError:
    return QuerySyntaxError("expression", reason, position)
