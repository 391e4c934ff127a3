"""Sets of Observations as data arrays (18-088 §12), straight from columns."""

from collections.abc import Sequence

import numpy as np
import orjson

from stadtherz.sensorthings import several, texts
from stadtherz.sensorthings.found import Page, of_readings
from stadtherz.sensorthings.links import Urls
from stadtherz.sensorthings.members import texts_of
from stadtherz.sensorthings.readings import some
from stadtherz.sensorthings.render import head
from stadtherz.sensorthings.schema import DATASTREAM, MULTI_DATASTREAM, OBSERVATION, EntityType
from stadtherz.sensorthings.texts import Column, layout
from stadtherz.store.public import Columns

_SELF = "@iot.selfLink"
_ID = "@iot.id"
_FEATURE = "FeatureOfInterest"
_FEATURE_ID = "FeatureOfInterest/id"
_COMPONENTS = ("id", *(p.name for p in OBSERVATION.properties))


def data_array(found: Page, selected: Sequence[str] | None, urls: Urls, path: str) -> bytes:
    """A set as arrays, one for each Datastream, in the order in which these come first."""
    assert found.columns is not None, "there are data arrays of Observations only"
    names = _COMPONENTS if selected is None else _components(selected)
    ordered, groups = _grouped(found.columns)
    page = of_readings(found.plan, ordered)
    held = several.of_several_parts(key for key, where, _ in groups if _has_lists(ordered, where))
    columns = [_component(name, page, urls) for name in names] if groups else []
    parts = [
        _group(
            MULTI_DATASTREAM if stream in held else DATASTREAM,
            stream,
            names,
            [c if isinstance(c, bytes) else c[where] for c in columns],
            urls,
            n,
        )
        for stream, where, n in groups
    ]
    return b"".join((head(found, urls, path), b'"value":[', b",".join(parts), b"]}"))


def _components(selected: Sequence[str]) -> tuple[str, ...]:
    """What `$select` names, in its order; a group says which Datastream it is of."""
    names = dict.fromkeys(_FEATURE_ID if name == _FEATURE else name for name in selected)
    streams = (DATASTREAM.name, MULTI_DATASTREAM.name)
    return tuple(name for name in names if name not in streams)


def _component(name: str, page: Page, urls: Urls) -> Column:
    if name in ("id", _ID):
        return texts.integers(page.values["id"])
    if name == _SELF:
        start = f'"{urls.entity_set(OBSERVATION)}('.encode()
        return texts.rows([start, texts.integers(page.values["id"]), b')"'], len(page))
    if name == _FEATURE_ID:
        return texts.integers(page.values["feature"])
    prop = OBSERVATION.property(name)
    assert prop is not None, "the plan has looked at the names"
    return texts_of(prop, page)


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


def _has_lists(columns: Columns, where: slice) -> bool:
    found = columns.result[where]
    return found.dtype == object and any(isinstance(each, list) for each in found)


def _group(
    kind: EntityType,
    stream: int,
    names: Sequence[str],
    columns: list[Column],
    urls: Urls,
    size: int,
) -> bytes:
    told = orjson.dumps(
        {
            urls.face.navigation_link(kind.name): urls.entity(kind, stream),
            "components": names,
            "dataArray@iot.count": size,
        }
    )
    row: list[Column] = [b"["]
    for column in columns:
        row += [column, b","]
    row[-1] = b"]" if columns else b"[]"
    return b"".join([told[:-1], b',"dataArray":[', *layout(row, size), b"]}"])
