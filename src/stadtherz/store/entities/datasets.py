"""Data sets: Things and datastreams under one name, with a URL, topics and rights of their own.

What belongs to one, and whom it is opened to, says `sharing`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from re import fullmatch
from typing import Any

from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import Signal

from stadtherz.base.errors import Conflict, Forbidden, Invalid, NotFound
from stadtherz.base.visibility import AccessLevel, Share, Visibility
from stadtherz.sql.public import Sql, compose, join
from stadtherz.store.database import exclusive, members, rows_of
from stadtherz.store.entities.changing import entity_changed
from stadtherz.store.entities.fields import apply_values
from stadtherz.store.entities.ownership import check_writable, is_readable, unseen
from stadtherz.store.models import SLUG, AccessGroup, Dataset, Datastream, Organisation, Thing
from stadtherz.store.supposing import Otherwise, require, supposes

sharing_changed = Signal()
"""Sent inside the transaction: somebody may see more or less than before."""

_LISTS: Mapping[str, Any] = {
    "things": Thing,
    "datastreams": Datastream,
    "readers": Organisation,
    "contributors": Organisation,
    "reader_groups": AccessGroup,
    "contributor_groups": AccessGroup,
}
"""What a data set holds several of, by field."""


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What a data set tells of itself; `shares` and members are for those who may change it."""

    id: int
    slug: str
    title: str
    description: str
    licence: str
    owner: int
    owner_name: str
    access: str
    group: int | None


# --- reading -------------------------------------------------------------------------------------


def datasets(visibility: Visibility) -> list[DatasetInfo]:
    """The data sets that the caller may read, by title."""
    there = Dataset.objects.select_related("owner")
    return [_info(held) for held in there if _may_read(held, visibility)]


def dataset(slug: str, visibility: Visibility) -> DatasetInfo:
    """The data set of this name. Raises NotFound if there is none that the caller may read."""
    return _info(_find(slug, visibility))


def within(visibility: Visibility, slug: str) -> Visibility:
    """The same caller, who sees nothing beside this data set. Raises NotFound as `dataset`."""
    held = _find(slug, visibility)
    home = held.owner_id if visibility.may_write(held.owner_id) else visibility.home
    return replace(visibility, dataset=held.pk, home=home)


def lists_of(slug: str, visibility: Visibility) -> dict[str, list[int]]:
    """Ids of the members and of those whom they are shared with, for who may change the data set.

    Raises NotFound, Forbidden.
    """
    held = _find(slug, visibility)
    check_writable(held, visibility)
    return {name: sorted(getattr(held, name).values_list("pk", flat=True)) for name in _LISTS}


def _find(slug: str, visibility: Visibility) -> Dataset:
    held = Dataset.objects.select_related("owner").filter(slug=slug).first()
    if held is None or not _may_read(held, visibility):
        raise NotFound(f"the data set {slug[:60]!r}")
    return held


def _may_read(held: Dataset, visibility: Visibility) -> bool:
    return held.pk in {share.dataset for share in visibility.shares} or is_readable(
        held, visibility
    )


def _info(held: Dataset) -> DatasetInfo:
    return DatasetInfo(
        held.pk,
        held.slug,
        held.title,
        held.description,
        held.licence,
        held.owner_id,
        held.owner.name,
        held.access,
        held.group_id,
    )


# --- whom they are shared with -------------------------------------------------------------------

_SHARED = (
    "SELECT d.id, {writes} FROM store_dataset d"
    " JOIN store_dataset_{table} s ON s.dataset_id = d.id WHERE {{}}"
)


def with_shares(visibility: Visibility) -> Visibility:
    """The caller with the data sets of others that are shared with him. Asks the database.

    A question supposes that they are those that they were when he last asked (`store.supposing`).
    """
    if visibility.everything:
        return visibility
    asked = [
        *_shared("readers", "s.organisation_id", visibility.organisations, writes=False),
        *_shared("contributors", "s.organisation_id", visibility.organisations, writes=False),
        *_shared("contributors", "s.organisation_id", visibility.writes, writes=True),
        *_shared("reader_groups", "s.accessgroup_id", visibility.groups, writes=False),
        *_shared("contributor_groups", "s.accessgroup_id", visibility.groups, writes=True),
    ]
    if not asked:
        return visibility
    shares = _shares(join(" UNION ALL ", asked), visibility)
    return replace(visibility, shares=shares) if shares else visibility


def _shares(statement: Sql, visibility: Visibility) -> frozenset[Share]:
    who = (visibility.organisations, visibility.writes, visibility.groups)
    known = _known.get(who)
    if supposes() and known is not None:
        require(statement, partial(_check_known, who, known))
        return known
    found = _shares_in(rows_of(statement, often=True))
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[who] = found
    return found


_Who = tuple[frozenset[int], frozenset[int], frozenset[int]]
_known: dict[_Who, frozenset[Share]] = {}
"""What is supposed, by organisations, those that may be written for, and groups."""

_MOST_KNOWN = 10_000


def _check_known(who: _Who, known: frozenset[Share], rows: Sequence[tuple[Any, ...]]) -> None:
    if _shares_in(rows) != known:
        _known.pop(who, None)
        raise Otherwise


def _shares_in(rows: Sequence[tuple[Any, ...]]) -> frozenset[Share]:
    found: dict[int, Share] = {}
    for key, writes in rows:
        held = found.get(key)
        found[key] = Share(key, bool(writes) or (held is not None and held.writes))
    return frozenset(found.values())


def _shared(table: str, column: str, who: frozenset[int], *, writes: bool) -> list[Sql]:
    if not who:
        return []
    text = _SHARED.format(writes=int(writes), table=table)
    return [compose(text, members(column, sorted(who)))]


# --- changing ------------------------------------------------------------------------------------


def create_dataset(values: Mapping[str, Any], visibility: Visibility) -> str:
    """A new data set's slug; `values` by field, relations and lists as ids.

    Raises Invalid, Forbidden, and Conflict for a slug that is taken.
    """
    with exclusive():
        held = Dataset()
        mine = {} if visibility.home is None else {"owner": visibility.home}
        _apply(held, {**mine, **values}, visibility, creating=True)
        _announce("create", held, values, visibility)
    return held.slug


def update_dataset(slug: str, values: Mapping[str, Any], visibility: Visibility) -> str:
    """Change the given values of a data set; its slug, which may be another now.

    Raises NotFound, Forbidden, Invalid, Conflict.
    """
    with exclusive():
        held = _find(slug, visibility)
        check_writable(held, visibility)
        _apply(held, values, visibility, creating=False)
        _announce("update", held, values, visibility)
    return held.slug


def delete_dataset(slug: str, visibility: Visibility) -> None:
    """Delete a data set; its members stay. Raises NotFound, Forbidden."""
    with exclusive():
        held = _find(slug, visibility)
        check_writable(held, visibility)
        _announce("delete", held, {"slug": slug}, visibility)
        held.delete()


def adopt(kind: str, key: int, visibility: Visibility) -> None:
    """A Thing or datastream that was created within the caller's data set becomes a member.

    Raises Forbidden for whom the data set does not belong to.
    """
    assert visibility.dataset is not None, "the caller asks within a data set"
    held = Dataset.objects.get(pk=visibility.dataset)
    if not visibility.may_write(held.owner_id):
        raise Forbidden("only the organisation that the data set belongs to gives it new members")
    (held.things if kind == "Thing" else held.datastreams).add(key)
    _announce("update", held, {f"{kind.lower()}s": [key]}, visibility)


def _apply(
    held: Dataset, values: Mapping[str, Any], visibility: Visibility, *, creating: bool
) -> None:
    own = {name: value for name, value in values.items() if name not in _LISTS}
    apply_values(held, own, visibility, creating=creating)
    check_writable(held, visibility)
    if not fullmatch(SLUG, held.slug):
        raise Invalid("slug", "must consist of small letters, digits and single hyphens")
    if Dataset.objects.filter(slug=held.slug).exclude(pk=held.pk).exists():
        raise Conflict(f"there is a data set {held.slug!r} already")
    if held.access != AccessLevel.GROUP:
        held.group_id = None
    held.save()
    for name in _LISTS.keys() & values.keys():
        getattr(held, name).set(_checked(name, values[name], visibility))


def _checked(name: str, keys: Any, visibility: Visibility) -> Sequence[int]:
    """The ids, of which each names something that is there, and that the caller may see."""
    whole = isinstance(keys, list | tuple) and all(type(key) is int for key in keys)
    if not whole:
        raise Invalid(name, "must be a list of ids")
    if missing := unseen(_LISTS[name], keys, visibility):
        raise Invalid(name, f"there is no {_LISTS[name]._meta.verbose_name} {missing[0]}")
    return list(keys)


def _announce(
    action: str, held: Dataset, values: Mapping[str, Any], visibility: Visibility
) -> None:
    entity_changed.send(
        sender="Dataset",
        actor=visibility.actor,
        action=action,
        entity="Dataset",
        id=held.pk,
        owner=held.owner_id,
        changes=dict(values),
    )


# --- who else has to know --------------------------------------------------------------------------


def follow_sharing() -> None:
    """Tell whenever anybody saves or deletes a data set, or shares it."""
    for signal in (post_save, post_delete):
        signal.connect(_sharing_changed, sender=Dataset, dispatch_uid=f"datasets-{id(signal)}")
    for name in _LISTS:
        through = getattr(Dataset, name).through
        m2m_changed.connect(_sharing_changed, sender=through, dispatch_uid=f"datasets-{name}")


def _sharing_changed(**_: Any) -> None:
    sharing_changed.send(sender="Dataset")
