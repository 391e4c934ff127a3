"""Statements that Django puts together once: for what is asked at every bell and for every message.

To put a statement together costs Django several times what the engine needs to answer it. What is built here
with markers in the place of values keeps its text; a call only fills the values in. Each thread has texts of
its own, because it has a connection of its own.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.db.models.sql import UpdateQuery

from stadtherz.store.database import database, run

M = TypeVar("M", bound=Model)
R = TypeVar("R")

Value = int | str
_MARKERS = -(2**62)  # no id, no time and no number of anything


class _Text:
    """A statement and where its values go. Raises LookupError where one does not get in as it is."""

    def __init__(self, sql: str, params: Sequence[Any], markers: Mapping[Value, str]) -> None:
        self.sql = sql
        self._params = list(params)
        self._places = [
            (place, markers[each])
            for place, each in enumerate(params)
            if isinstance(each, int | str) and each in markers
        ]
        if missing := set(markers.values()) - {name for _place, name in self._places}:
            raise LookupError(f"not in the statement as they are: {', '.join(sorted(missing))}")

    def filled(self, values: Mapping[str, Value]) -> tuple[str, tuple[Any, ...]]:
        params = self._params.copy()
        for place, name in self._places:
            value = values[name]
            params[place] = str(value) if isinstance(value, str) else value  # an enumeration's, too
        return self.sql, tuple(params)


def _markers(values: Mapping[str, Value]) -> dict[Value, str]:
    """For each name a value of the same kind that is none."""
    return {
        f"\x01{name}" if isinstance(value, str) else _MARKERS + number: name
        for number, (name, value) in enumerate(values.items())
    }


class PreparedQuery(Generic[M, R]):
    """A question that is asked often, with values that have names: ids, times and words as they are kept.

        later = PreparedQuery(lambda than: Delivery.objects.filter(changed_at__gt=than))
        later(than=moment)

    `build` must do the same whatever the values are: None, a list or a sum would be another question. What
    the rows relate to comes by `select_related`, not by `prefetch_related`.
    """

    def __init__(self, build: Callable[..., "QuerySet[M, R]"]) -> None:
        self._build = build
        self._kept = threading.local()

    def __call__(self, **values: Value) -> list[R]:
        kept = vars(self._kept)
        if kept.get("connection") is not database():
            kept.update(self._prepared(values), connection=database())
        text, rows = kept["text"], kept["rows"]
        vars(kept["compiler"])["as_sql"] = lambda *_which, **_how: text.filled(values)
        return list(rows._iterable_class(rows))

    def _prepared(self, values: Mapping[str, Value]) -> dict[str, Any]:
        markers = _markers(values)
        rows = self._build(**{name: marker for marker, name in markers.items()})
        compiler = rows.query.get_compiler(connection=database())
        sql, params = compiler.as_sql()
        vars(rows.query)["get_compiler"] = lambda *_which, **_how: compiler
        return {"text": _Text(sql, params, markers), "rows": rows, "compiler": compiler}


class PreparedUpdate(Generic[M]):
    """A change that is made often: rows, and what is written into them; says how many rows it changed."""

    def __init__(self, build: Callable[..., tuple[QuerySet[M], dict[str, Any]]]) -> None:
        self._build = build
        self._kept = threading.local()

    def __call__(self, **values: Value) -> int:
        kept = vars(self._kept)
        if kept.get("connection") is not database():
            kept.update(text=self._prepared(values), connection=database())
        return run(*kept["text"].filled(values))

    def _prepared(self, values: Mapping[str, Value]) -> _Text:
        markers = _markers(values)
        rows, written = self._build(**{name: marker for marker, name in markers.items()})
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(written)
        sql, params = query.get_compiler(connection=database()).as_sql()
        return _Text(sql, params, markers)
