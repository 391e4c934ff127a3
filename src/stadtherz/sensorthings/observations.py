"""Sets of Observations as bytes, straight from columns: as entities, and as data arrays (18-088 §12).

No object is made for a reading. Every property is a list of JSON texts (`texts`); a page is one join
over all of them.
"""

from collections.abc import Sequence

import numpy as np
import orjson

from stadtherz.sensorthings import texts
from stadtherz.sensorthings.found import Readings
from stadtherz.sensorthings.links import Urls
from stadtherz.sensorthings.plan import SetPlan
from stadtherz.sensorthings.readings import some
from stadtherz.sensorthings.render import frame
from stadtherz.sensorthings.schema import DATASTREAM, OBSERVATION
from stadtherz.sensorthings.texts import NULL, Column, Texts, layout, listed
from stadtherz.store.public import Columns

_SELF = "@iot.selfLink"
_ID = "@iot.id"
_FEATURE = "FeatureOfInterest"
_FEATURE_ID = "FeatureOfInterest/id"
_ALWAYS = ("phenomenonTime", "resultTime", "result")
_OPTIONAL = ("resultQuality", "validTime", "parameters")
_COMPONENTS = ("id", *(p.name for p in OBSERVATION.properties))


def page(found: Readings, urls: Urls, path: str) -> bytes:
    """A set as entities; `path` is its absolute address, where the next page is found, too."""
    columns, plan = found.columns, found.plan
    always = _always(columns, plan, urls)
    sometimes = _sometimes(columns, plan, leading=b"," if always else b"")
    row: list[Column] = [b"{", *_separated(always), *([sometimes] if sometimes else []), b"}"]
    rows = layout(row, len(columns))
    return b"".join([_head(found, path), b'"value":[', *rows, b"]}"])


def data_array(found: Readings, selected: Sequence[str] | None, urls: Urls, path: str) -> bytes:
    """A set as arrays, one for each Datastream, in the order in which these come first."""
    names = _COMPONENTS if selected is None else _components(selected)
    ordered, groups = _grouped(found.columns)
    columns = [_component(name, ordered, urls) for name in names]
    parts = [
        _group(stream, names, [c if isinstance(c, bytes) else c[where] for c in columns], urls, n)
        for stream, where, n in groups
    ]
    return b"".join((_head(found, path), b'"value":[', b",".join(parts), b"]}"))


def _head(found: Readings, path: str) -> bytes:
    """The beginning of the document, up to its value."""
    told = orjson.dumps(frame("", found, path))
    return b"{" if told == b"{}" else told[:-1] + b","


# --- entities ------------------------------------------------------------------------------------


def _always(columns: Columns, plan: SetPlan, urls: Urls) -> list[list[Column]]:
    """The members that every reading has, each as columns of its parts."""
    keys = texts.integers(columns.id)
    address = _quoted(urls.entity_set(OBSERVATION)) + b"("
    members: list[list[Column]] = []
    if plan.shows(_SELF):
        members.append([b'"@iot.selfLink":"' + address, keys, b')"'])
    if plan.shows(_ID):
        members.append([b'"@iot.id":', keys])
    shown = [name for name in _ALWAYS if plan.shows(name)]
    members += [[_named(name), _property(name, columns)] for name in shown]
    for link in OBSERVATION.links:
        if plan.shows(link.name):
            name = f"{link.name}@iot.navigationLink"
            members.append([_named(name), b'"' + address, keys, f')/{link.name}"'.encode()])
    return members


def _sometimes(columns: Columns, plan: SetPlan, leading: bytes) -> Texts | None:
    """The members that only some readings have, each reading's as one text; None if none has any."""
    shown = [name for name in _OPTIONAL if plan.shows(name)]
    found = {name: _property(name, columns) for name in shown}
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


def _property(name: str, columns: Columns) -> Column:
    """A property's texts; `NULL` alone where no reading has it."""
    match name:
        case "phenomenonTime":
            return texts.periods(columns.phenomenon_start, columns.phenomenon_end)
        case "resultTime":
            return texts.instants(columns.result_time)
        case "result":
            return texts.results(columns.result)
        case "validTime":
            return texts.periods(columns.valid_start, columns.valid_end)
        case "resultQuality":
            found = columns.result_quality
        case _:
            found = columns.parameters
    return NULL if found is None else texts.documents(found)


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
    return _property(name, columns)


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
