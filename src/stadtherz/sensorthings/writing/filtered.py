"""DELETE of a set with `$filter`: what it finds goes, all of it or nothing."""

from dataclasses import replace

from stadtherz.base.errors import Invalid, TooLarge
from stadtherz.base.time import Micros
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers.fetch import Fetcher
from stadtherz.sensorthings.query import readings
from stadtherz.sensorthings.query.options import parse_query
from stadtherz.sensorthings.query.plan import plan_set
from stadtherz.sensorthings.query.routes import Route
from stadtherz.sensorthings.standard.schema import OBSERVATION, STREAM
from stadtherz.sensorthings.writing import write
from stadtherz.sensorthings.writing.locks import transaction
from stadtherz.store import public as store
from stadtherz.store.public import Selection

MAX_ENTITIES = 10_000
MAX_READINGS = 1_000_000
_SLICE = 50_000


def delete(route: Route, query: str, visibility: Visibility, now: Micros) -> int:
    """Delete what the filter finds in the set, and say how many there were.

    Raises:
        Invalid: without a filter, so that nobody empties a set by a slip.
        Forbidden, Conflict: if one of them may not be deleted; then none is.
        TooLarge: if it finds more than one transaction should take away.
    """
    options = parse_query(query)
    if options.filter is None:
        raise Invalid("$filter", "is missing; nobody empties a whole set")
    if [name for name, _ in options.texts] != ["$filter"]:
        raise Invalid("query", "DELETE of a set takes $filter alone")
    plan = plan_set(route.last.entity, options, now=now)
    with transaction(readings=True):
        fetcher = Fetcher(visibility)
        parent = fetcher.parent(route.steps[:-1])
        if plan.entity.is_a(OBSERVATION):
            found = fetcher.selection(plan, parent, route.last.link)
            return _delete_readings(replace(found, limit=_SLICE), visibility)
        keys = fetcher.keys(plan, parent, route.last.link, MAX_ENTITIES + 1)
        if len(keys) > MAX_ENTITIES:
            raise TooLarge(f"the filter finds more than {MAX_ENTITIES} entities; narrow it")
        for key in keys:
            write.delete(plan.entity, key, visibility)
        return len(keys)


def _delete_readings(selection: Selection, visibility: Visibility) -> int:
    deleted = 0
    checked: set[int] = set()
    while deleted <= MAX_READINGS:
        found = readings.select(selection, visibility)
        for stream in set(found.datastream.tolist()) - checked:
            write.check_stream(STREAM, stream, visibility)
            checked.add(stream)
        deleted += store.delete_readings(found.id.tolist())
        if len(found) < _SLICE:
            return deleted
    raise TooLarge(
        f"the filter finds more than {MAX_READINGS} observations; narrow it, e.g. by time"
    )
