"""Conditions on the items of a list within JSON, told twice: to Python and to PostgreSQL.

Python reads a tree, PostgreSQL an SQL/JSON path (SQL:2016, in strict mode, where an item of another
type makes a comparison unknown). Unknown counts as false, also below a negation, as everywhere here.
"""

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

Tree = list[Any]
"""`["and" | "or", parts]`, `["not", part]`, or `[comparison, path, value]`."""

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
    "contains": operator.contains, "startswith": str.startswith, "endswith": str.endswith,
}  # fmt: skip
_SIGNS = {"eq": "==", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
OF_TEXTS = ("contains", "startswith", "endswith")
COMPARISONS = ("eq", *_ORDERED)


def has_some(document: str, told: str) -> bool:
    """Whether the document is a list with an item for which the condition holds."""
    held = orjson.loads(document)
    return isinstance(held, list) and any(_holds(_tree(told), item) for item in held)


@lru_cache(maxsize=64)
def _tree(told: str) -> Tree:
    tree: Tree = orjson.loads(told)
    return tree


def _holds(tree: Tree, item: Any) -> bool:
    match tree:
        case ["and", parts]:
            return all(_holds(part, item) for part in parts)
        case ["or", parts]:
            return any(_holds(part, item) for part in parts)
        case ["not", part]:
            return not _holds(part, item)
        case [name, path, value]:
            return _compared(name, _inside(item, path), value)
    raise AssertionError(tree)


def _inside(item: Any, path: list[str]) -> Any:
    for step in path:
        item = item.get(step) if isinstance(item, dict) else None
    return item


def _compared(name: str, held: Any, value: Any) -> bool:
    if _type(held) != _type(value):
        return False
    if name == "eq":
        return bool(held == value)
    return _type(held) in (float, str) and _ORDERED[name](held, value)


def _type(value: Any) -> type:
    """Numbers are one type; JSON's booleans are none of them."""
    return float if type(value) is int else type(value)


def path_of(tree: Tree) -> str:
    """The SQL/JSON path that finds the items of a list for which the condition holds.

    >>> path_of(["eq", ["name"], "x"])
    'strict $[*] ? (@."name" == "x")'
    """
    return f"strict $[*] ? ({_predicate(tree, negated=False)})"


def _predicate(tree: Tree, *, negated: bool) -> str:
    match tree:
        case ["not", part]:
            return _predicate(part, negated=not negated)
        case ["and" | "or" as name, parts]:
            sign = " && " if (name == "and") != negated else " || "
            if not parts:
                return "(1 == 1)" if (name == "and") != negated else "(1 == 2)"
            return f"({sign.join(_predicate(part, negated=negated) for part in parts)})"
        case [name, path, value]:
            plain = _comparison(name, "@" + "".join(f".{_text(step)}" for step in path), value)
            return f"(!({plain}) || ({plain}) is unknown)" if negated else plain
    raise AssertionError(tree)


def _comparison(name: str, item: str, value: Any) -> str:
    if value is None:  # what is missing is null, too
        return f"({item} == null || ({item} == null) is unknown)" if name == "eq" else "(1 == 2)"
    if name == "startswith":
        return f"{item} starts with {_text(value)}"
    if name == "contains":
        return f'{item} like_regex {_text(value)} flag "q"'
    if name == "endswith":
        return f'{item} like_regex {_text(_escaped(value) + "$")} flag "s"'
    return f"{item} {_SIGNS[name]} {_text(value)}"


def _escaped(text: str) -> str:
    """The text as a regular expression for itself alone."""
    return "".join(f"\\{each}" if each in ".^$*+?()[]{}|\\" else each for each in text)


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
