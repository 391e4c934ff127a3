"""Sets of Observations as data arrays (18-088 §12), straight from columns."""

from collections.abc import Sequence

import numpy as np
import orjson

from stadtherz.sensorthings.answers import several, texts
from stadtherz.sensorthings.answers.found import Page, of_readings
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.answers.members import texts_of
from stadtherz.sensorthings.answers.render import head
from stadtherz.sensorthings.answers.texts import Column, layout
from stadtherz.sensorthings.query.filters import IDS
from stadtherz.sensorthings.query.plan import ADDRESSES
from stadtherz.sensorthings.query.readings import some
from stadtherz.sensorthings.standard.schema import (
    DATASTREAM,
    MULTI_DATASTREAM,
    TO_STREAM,
    EntityType,
)
from stadtherz.store.public import Columns


def data_array(found: Page, selected: Sequence[str] | None, urls: Urls, path: str) -> bytes:
    """A set as arrays, one for each Datastream, in the order in which these come first."""
    assert found.columns is not None, "there are data arrays of Observations only"
    kind = found.plan.entity
    names = _components(kind, selected)
    ordered, groups = _grouped(found.columns)
    page = of_readings(found.plan, ordered)
    if urls.face.odata:
        several.complete_readings(page)
    held = several.of_several_parts(key for key, where, _ in groups if _has_lists(ordered, where))
    columns = [_component(name, page, urls) for name in names] if groups else []
    parts = [
        _group(
            MULTI_DATASTREAM if stream in held and not urls.face.odata else DATASTREAM,
            stream,
            names,
            [c if isinstance(c, bytes) else c[where] for c in columns],
            urls,
            n,
        )
        for stream, where, n in groups
    ]
    context = urls.context(kind.plural)
    return b"".join((head(found, urls, path, context), b'"value":[', b",".join(parts), b"]}"))


def feature_component(kind: EntityType) -> str:
    """What the id of the feature is called among the components of a data array."""
    return f"{kind.feature_link.name}/id"


def _components(kind: EntityType, selected: Sequence[str] | None) -> tuple[str, ...]:
    """What `$select` names, in its order; a group says which Datastream it is of."""
    if selected is None:
        return ("id", *(p.name for p in kind.properties))
    feature = feature_component(kind)
    names = dict.fromkeys(f"{name}/id" if f"{name}/id" == feature else name for name in selected)
    streams = {link.name for link in kind.links if link.via == TO_STREAM}
    return tuple(name for name in names if name not in streams)


def _component(name: str, page: Page, urls: Urls) -> Column:
    kind = page.plan.entity
    if name in IDS:
        return texts.integers(page.values["id"])
    if name in ADDRESSES:
        start = f'"{urls.entity_set(kind)}('.encode()
        return texts.rows([start, texts.integers(page.values["id"]), b')"'], len(page))
    if name == feature_component(kind):
        return texts.integers(page.values["feature"])
    prop = kind.property(name)
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
            f"dataArray@{urls.face.control}count": size,
        }
    )
    row: list[Column] = [b"["]
    for column in columns:
        row += [column, b","]
    row[-1] = b"]" if columns else b"[]"
    return b"".join([told[:-1], b',"dataArray":[', *layout(row, size), b"]}"])
