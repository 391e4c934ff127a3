"""Sets of Observations as bytes, straight from columns: as entities, and as data arrays (18-088 §12).

No object is made for a reading. Every property is a list of JSON texts (`texts`); a page is one join
over all of them.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import orjson

from stadtherz.sensorthings import texts
from stadtherz.sensorthings.found import Readings
from stadtherz.sensorthings.links import Urls
from stadtherz.sensorthings.plan import ADDRESS, ID, SetPlan
from stadtherz.sensorthings.readings import some
from stadtherz.sensorthings.render import frame, notes
from stadtherz.sensorthings.schema import DATASTREAM, OBSERVATION, Property, Shape
from stadtherz.sensorthings.texts import NULL, Column, Texts, layout, listed
from stadtherz.store.public import Columns

_SELF = "@iot.selfLink"
_ID = "@iot.id"
_FEATURE = "FeatureOfInterest"
_FEATURE_ID = "FeatureOfInterest/id"
_COMPONENTS = ("id", *(p.name for p in OBSERVATION.properties))


def page(found: Readings, urls: Urls, path: str) -> bytes:
    """A set as entities; `path` is its absolute address, where the next page is found, too."""
    columns, plan = found.columns, found.plan
    always = _always(columns, plan, urls)
    sometimes = _sometimes(columns, plan, leading=b"," if always else b"")
    row: list[Column] = [b"{", *_separated(always), *([sometimes] if sometimes else []), b"}"]
    rows = layout(row, len(columns))
    context = urls.context(plan.entity.plural, plan.format)
    return b"".join([_head(found, urls, path, context), b'"value":[', *rows, b"]}"])


def data_array(found: Readings, selected: Sequence[str] | None, urls: Urls, path: str) -> bytes:
    """A set as arrays, one for each Datastream, in the order in which these come first."""
    names = _COMPONENTS if selected is None else _components(selected)
    ordered, groups = _grouped(found.columns)
    columns = [_component(name, ordered, urls) for name in names]
    parts = [
        _group(stream, names, [c if isinstance(c, bytes) else c[where] for c in columns], urls, n)
        for stream, where, n in groups
    ]
    return b"".join((_head(found, urls, path), b'"value":[', b",".join(parts), b"]}"))


def _head(
    found: Readings, urls: Urls, path: str, context: Mapping[str, str] = MappingProxyType({})
) -> bytes:
    """The beginning of the document, up to its value."""
    told = orjson.dumps({**context, **frame("", found, urls, path)})
    return b"{" if told == b"{}" else told[:-1] + b","


# --- entities ------------------------------------------------------------------------------------


def _always(columns: Columns, plan: SetPlan, urls: Urls) -> list[list[Column]]:
    """The members that every reading has, each as columns of its parts."""
    keys = texts.integers(columns.id)
    address = _quoted(urls.entity_set(OBSERVATION)) + b"("
    members: list[list[Column]] = []
    addresses = plan.format.addresses
    if addresses and (plan.shows(ADDRESS) or urls.face.odata):
        members.append([_named(urls.face.address), b'"' + address, keys, b')"'])
    if plan.shows(ID):
        members.append([_named(urls.face.id), keys])
    shown = [p for p in plan.entity.properties if plan.shows(p.name) and not p.silent]
    members += [[_named(prop.name), _property(prop, columns)] for prop in shown]
    for link in plan.entity.links:
        if addresses and plan.shows(link.name):
            name = urls.face.navigation_link(link.name)
            members.append([_named(name), b'"' + address, keys, f')/{link.name}"'.encode()])
    return members


def _sometimes(columns: Columns, plan: SetPlan, leading: bytes) -> Texts | None:
    """The members that only some readings have, each reading's as one text; None if none has any."""
    shown = [p for p in plan.entity.properties if plan.shows(p.name) and p.silent]
    found = {prop.name: _property(prop, columns) for prop in shown}
    held = {n: listed(c, len(columns)) for n, c in found.items() if not isinstance(c, bytes)}
    if not held:
        return None
    rows = [
        [_named(name) + text for name, text in zip(held, row, strict=True) if text != NULL]
        for row in zip(*held.values(), strict=True)
    ]
    return [leading + b",".join(row) if row else b"" for row in rows]


def _separated(members: list[list[Column]]) -> list[Column]:
    parts: list[Column] = []
    for member in members:
        parts += [b",", *member] if parts else member
    return parts


def _quoted(text: str) -> bytes:
    """The inside of a JSON text."""
    return orjson.dumps(text)[1:-1]


def _named(name: str) -> bytes:
    return f'"{name}":'.encode()


def _property(prop: Property, columns: Columns) -> Column:
    """A property's texts; `NULL` alone where no reading has it."""
    match prop.shape, prop.column:
        case Shape.TIME, _:
            return texts.instants(columns.result_time)
        case (Shape.PERIOD | Shape.MOMENT | Shape.INTERVAL) as shape, column:
            starts, ends = (getattr(columns, name) for name in prop.columns)
            return _SPANS[shape](starts, ends)
        case Shape.NOTES, _:
            found = _notes(columns)
        case _, "result":
            return texts.results(columns.result)
        case _, column:
            found = getattr(columns, column)
    return NULL if found is None else texts.documents(found)


def _notes(columns: Columns) -> Sequence[Any] | None:
    parameters, qualities = columns.parameters, columns.result_quality
    if parameters is None or qualities is None:
        return parameters if qualities is None else [notes(None, each) for each in qualities]
    return [notes(*each) for each in zip(parameters, qualities, strict=True)]


_SPANS = {
    Shape.PERIOD: texts.periods,
    Shape.MOMENT: texts.moments,
    Shape.INTERVAL: texts.intervals,
}


# --- data arrays ---------------------------------------------------------------------------------


def _components(selected: Sequence[str]) -> tuple[str, ...]:
    """What `$select` names, in its order; a group says which Datastream it is of."""
    names = dict.fromkeys(_FEATURE_ID if name == _FEATURE else name for name in selected)
    return tuple(name for name in names if name != DATASTREAM.name)


def _component(name: str, columns: Columns, urls: Urls) -> Column:
    if name in ("id", _ID):
        return texts.integers(columns.id)
    if name == _SELF:
        start = f'"{urls.entity_set(OBSERVATION)}('.encode()
        keys = listed(texts.integers(columns.id), len(columns))
        return [start + key + b')"' for key in keys]
    if name == _FEATURE_ID:
        return texts.integers(columns.feature)
    prop = OBSERVATION.property(name)
    assert prop is not None, "the plan has looked at the names"
    return _property(prop, columns)


Group = tuple[int, slice, int]  # a datastream, where its readings are, and how many


def _grouped(columns: Columns) -> tuple[Columns, list[Group]]:
    """The readings with those of each datastream together, and where these are."""
    size = len(columns)
    streams = columns.datastream
    if not size:
        return columns, []
    if (streams == streams[0]).all():
        return columns, [(int(streams[0]), slice(0, size), size)]
    distinct, first, group = np.unique(streams, return_index=True, return_inverse=True)
    rank = np.empty(len(distinct), np.int64)
    by_first = np.argsort(first)
    rank[by_first] = np.arange(len(distinct))
    ordered = some(columns, np.argsort(rank[group], kind="stable"))
    ends = np.cumsum(np.bincount(rank[group])).tolist()
    begins = [0, *ends[:-1]]
    named = zip(distinct[by_first].tolist(), begins, ends, strict=True)
    return ordered, [(stream, slice(begin, end), end - begin) for stream, begin, end in named]


def _group(
    stream: int, names: Sequence[str], columns: list[Column], urls: Urls, size: int
) -> bytes:
    told = orjson.dumps(
        {
            "Datastream@iot.navigationLink": urls.entity(DATASTREAM, stream),
            "components": names,
            "dataArray@iot.count": size,
        }
    )
    row: list[Column] = [b"[", *_separated([[column] for column in columns]), b"]"]
    return b"".join([told[:-1], b',"dataArray":[', *layout(row, size), b"]}"])
