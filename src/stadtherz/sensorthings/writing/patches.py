"""Documents changed in the two standard ways: JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396)."""

from typing import Any

import orjson
from jsonpatch import JsonPatch, JsonPatchException, JsonPatchTestFailed
from jsonpointer import JsonPointerException

from stadtherz.base.errors import Conflict, Invalid, TooLarge

MAX_OPERATIONS = 200
MAX_SIZE = 2 * 1024 * 1024

Document = dict[str, Any]


def apply_operations(document: Document, operations: Any) -> Document:
    """The document after all operations of a JSON Patch.

    Raises:
        Invalid: naming the operation that is malformed or finds no place for what it does.
        Conflict: if a `test` finds something else than it expects.
        TooLarge: for too many operations, or a document that grows or nests too much by them.
    """
    if not isinstance(operations, list):
        raise Invalid("body", "must be a list of operations")
    if len(operations) > MAX_OPERATIONS:
        raise TooLarge(f"a JSON Patch may have {MAX_OPERATIONS} operations")
    changed: Any = _checked(document, "the entity")
    for place, operation in enumerate(operations, start=1):
        changed = _applied(changed, operation, _name(place, operation))
    if not isinstance(changed, dict):
        raise Invalid("body", "what the operations leave is no JSON object")
    return changed


def _applied(document: Any, operation: Any, name: str) -> Any:
    try:
        changed = JsonPatch([operation]).apply(document, in_place=True)
    except JsonPatchTestFailed:
        raise Conflict(f"{name}: something else is there") from None
    except (JsonPatchException, JsonPointerException) as error:
        reason = str(error).partition(" not found in ")  # behind it stands the whole document
        raise Invalid(name, (reason[0] + reason[1].removesuffix(" in "))[:200]) from None
    except RecursionError:
        raise TooLarge(f"{name}: JSON is nested too deeply") from None
    # Copies can double a document each time, and deepen it.
    return _checked(changed, name) if operation["op"] in ("copy", "move") else changed


def _checked(document: Any, name: str) -> Any:
    """A copy of the document, if it is one that can be sent and kept."""
    try:
        text = orjson.dumps(document)
    except orjson.JSONEncodeError:
        raise TooLarge(f"{name}: JSON is nested too deeply") from None
    if len(text) > MAX_SIZE:
        raise TooLarge(f"{name}: the entity would be longer than {MAX_SIZE} bytes")
    return orjson.loads(text)


def _name(place: int, operation: Any) -> str:
    """`operation 2 (replace /name)`"""
    if not isinstance(operation, dict):
        return f"operation {place}"
    said = (operation.get("op"), operation.get("path"))
    return f"operation {place} ({' '.join(str(word)[:60] for word in said if word is not None)})"


def merge_into(document: Document, patch: Any) -> Document:
    """The document with the members of a JSON Merge Patch; null takes one away.

    >>> merge_into({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 4}})
    {'b': {'c': 4, 'd': 3}}
    """
    if not isinstance(patch, dict):
        raise Invalid("body", "must be a JSON object")
    try:
        merged: Document = _merged(document, patch)
    except RecursionError:
        raise TooLarge("JSON is nested too deeply") from None
    return merged


def _merged(document: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged
