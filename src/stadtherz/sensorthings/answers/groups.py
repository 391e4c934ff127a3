"""Aggregated rows: what `$apply` has made, chosen and put in order by the names it gave.

A condition or an order knows these names, `phenomenonTime` (where a stretch of time begins) and
`Datastream/id`. All of them are numbers or times. NaN stands for what is missing: a part of results
that is nowhere a number in a bucket where others are.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from stadtherz.base.errors import QuerySyntaxError
from stadtherz.base.expressions import Kind
from stadtherz.sensorthings.language.literals import instant, number
from stadtherz.sensorthings.language.syntax import (
    Constant,
    Membership,
    Name,
    Node,
    Operation,
    OrderTerm,
    Unary,
)

Numbers = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_COMPUTED: Mapping[str, Callable[[Any, Any], Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
}
_JOINED: Mapping[str, Callable[[Any, Any], Any]] = {"and": np.logical_and, "or": np.logical_or}
_TIME = ("phenomenonTime",)
_STREAM = tuple(
    (stream, key) for stream in ("Datastream", "MultiDatastream") for key in ("id", "@iot.id")
)


@dataclass(frozen=True, slots=True)
class Rows:
    """A row for each Datastream and stretch of time; without these `start` is None."""

    stream: Int64
    start: Int64 | None
    values: Mapping[str, Numbers]

    def __len__(self) -> int:
        return len(self.stream)

    def take(self, places: npt.NDArray[Any] | slice) -> "Rows":
        start = None if self.start is None else self.start[places]
        values = {name: column[places] for name, column in self.values.items()}
        return Rows(self.stream[places], start, values)


def fulfilling(rows: Rows, condition: Node, option: str) -> Rows:
    """Those of the rows that fulfil the condition.

    Raises:
        QuerySyntaxError: for names that rows do not have, and what cannot be compared.
    """
    with np.errstate(all="ignore"):
        found = _Reader(rows, option).of_kind(Kind.BOOLEAN, condition)
    return rows.take(np.broadcast_to(np.asarray(found, bool), len(rows)))


def in_order(rows: Rows, terms: Sequence[OrderTerm]) -> Rows:
    """The rows by these terms; what is equal stays as it is. Raises as `fulfilling`."""
    reader = _Reader(rows, "$orderby")
    with np.errstate(all="ignore"):
        keys = [reader.key(term) for term in terms]
    return rows.take(np.lexsort(keys[::-1])) if keys else rows


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads nodes as columns of the rows, or as one value for all of them."""

    rows: Rows
    option: str

    def key(self, term: OrderTerm) -> npt.NDArray[Any]:
        kind, values = self._read(term.by)
        if kind is Kind.BOOLEAN:
            raise self._fail(term.by, "has no order")
        values = np.where(np.isnan(values), -np.inf, values) if kind is Kind.NUMBER else values
        return np.broadcast_to(-values if term.descending else values, len(self.rows))

    def of_kind(self, kind: Kind, node: Node) -> Any:
        found, values = self._read(node)
        if found is not kind:
            raise self._fail(node, f"is a {found}, where a {kind} is expected")
        return values

    def _read(self, node: Node) -> tuple[Kind, Any]:
        match node:
            case Name():
                return self._named(node)
            case Constant(kind="number", text=text):
                return Kind.NUMBER, np.float64(number(text))
            case Constant(kind="time" | "date"):
                return Kind.TIME, self._instant(node)
            case Unary(operator="not", operand=inner):
                return Kind.BOOLEAN, np.logical_not(self.of_kind(Kind.BOOLEAN, inner))
            case Unary(operand=inner):
                return Kind.NUMBER, -self.of_kind(Kind.NUMBER, inner)
            case Operation():
                return self._operation(node)
            case Membership(value=value, members=tuple(members)) if members:
                either = [self._compared("eq", value, member) for member in members]
                return Kind.BOOLEAN, reduce(np.logical_or, either)
        raise self._fail(node, "cannot be asked of aggregates; they are numbers and times")

    def _named(self, node: Name) -> tuple[Kind, Any]:
        if node.path == _TIME and self.rows.start is not None:
            return Kind.TIME, self.rows.start
        if node.path in _STREAM:
            return Kind.NUMBER, self.rows.stream
        found = self.rows.values.get("/".join(node.path))
        if found is None:
            known = ", ".join(self.rows.values)
            raise self._fail(node, f"an aggregate has no {'/'.join(node.path)!r}; it has {known}")
        return Kind.NUMBER, found

    def _operation(self, node: Operation) -> tuple[Kind, Any]:
        if node.operator in _COMPARED:
            return Kind.BOOLEAN, self._compared(node.operator, node.left, node.right)
        kind, known = (
            (Kind.BOOLEAN, _JOINED) if node.operator in _JOINED else (Kind.NUMBER, _COMPUTED)
        )
        if node.operator not in known:
            raise self._fail(node, f"{node.operator} is not known of aggregates")
        left, right = (self.of_kind(kind, side) for side in (node.left, node.right))
        return kind, known[node.operator](left, right)

    def _compared(self, name: str, left: Node, right: Node) -> Any:
        kind, values = self._read(left)
        if isinstance(right, Constant) and right.kind == "null" and name in ("eq", "ne"):
            missing = kind is Kind.NUMBER and np.isnan(values)
            return missing if name == "eq" else np.logical_not(missing)
        if kind is Kind.TIME and isinstance(right, Constant) and right.kind == "text":
            return _COMPARED[name](values, self._instant(right))
        return _COMPARED[name](values, self.of_kind(kind, right))

    def _instant(self, node: Constant) -> np.int64:
        try:
            return np.int64(instant(node.text))
        except ValueError as error:
            raise self._fail(node, str(error)) from None

    def _fail(self, node: Node, reason: str) -> QuerySyntaxError:
        return QuerySyntaxError(self.option, reason, node.position)
