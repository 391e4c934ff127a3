"""What a message holds: each of its values with the path that leads to it."""

from collections.abc import Iterator
from typing import Any

_DEEPEST_LIST = 60  # entries of a list that are looked at


def leaves(content: Any, most: int) -> list[tuple[str, Any]]:
    """The first values that hold no others, in the order of the message, as (path, value)."""
    found: list[tuple[str, Any]] = []
    todo: list[tuple[str, Any]] = [("", content)]
    while todo and len(found) < most:
        path, value = todo.pop()
        inner = list(inside(path, value))
        if inner:
            todo.extend(reversed(inner[:most]))
        elif path:
            found.append((path, value))
    return found


def lists(content: Any, most: int) -> list[tuple[str, list[Any]]]:
    """The first lists of objects, outer ones first."""
    found: list[tuple[str, list[Any]]] = []
    todo: list[tuple[str, Any]] = [("", content)]
    while todo and len(found) < most:
        path, value = todo.pop(0)
        if path and isinstance(value, list) and value and all(isinstance(e, dict) for e in value):
            found.append((path, value))
        todo.extend(inside(path, value))
    return found


def inside(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a value holds directly."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name and '"' not in name:
                yield path + step(name, first=not path), each
    elif isinstance(value, list):
        for place, each in enumerate(value[:_DEEPEST_LIST]):
            yield f"{path}[{place}]", each


def step(name: str, *, first: bool) -> str:
    """One name further in a path."""
    if set(name) & set(".[]=+") or ":" in name:
        return f'["{name}"]'
    return name if first else f".{name}"
