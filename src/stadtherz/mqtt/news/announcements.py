"""Which entities were created or changed: written in the transaction that did it, read by the feed.

New readings have the log for this; those that are corrected keep their place there, and are announced. Ids of announcements are given out before their commit, so on PostgreSQL
a lower one may appear after a higher one. There each gets a place when it is first seen: whoever has read
up to one will never miss a lower one that appears later.
"""

import threading
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple, get_args

from django.db import transaction
from django.db.models import Max
from django.db.models.signals import post_save, pre_save

from stadtherz.base.time import DAY, now_us
from stadtherz.mqtt.models import Announcement, SavedSession
from stadtherz.store.public import Entity, on_sqlite, readings_corrected, sharing_changed

_KEPT = 7 * DAY
_MOST = 2_000

_READING = "Observation"
_ACCESS = "Access"

_ordering = threading.Lock()


class Change(NamedTuple):
    entity: str
    key: int
    created: bool

    @property
    def of_access(self) -> bool:
        """Whether somebody may see something else from now on, though their own rights are the same."""
        return self.entity == _ACCESS


def follow_entities() -> None:
    """Announce what anybody saves."""
    for model in get_args(Entity):
        post_save.connect(_saved, sender=f"store.{model}", dispatch_uid=f"mqtt-{model}")
        pre_save.connect(_may_open, sender=f"store.{model}", dispatch_uid=f"mqtt-access-{model}")
    sharing_changed.connect(_access_changed, dispatch_uid="mqtt-access-sharing")
    readings_corrected.connect(_corrected, dispatch_uid="mqtt-corrected")


def _saved(*, sender: Any, instance: Any, created: bool, raw: bool = False, **_: Any) -> None:
    if raw:  # a backup is put back: nothing happens to anything
        return
    Announcement.objects.create(
        entity=sender.__name__, key=instance.pk, created=created, at=now_us()
    )


def _may_open(*, sender: Any, instance: Any, raw: bool = False, **_: Any) -> None:
    """Whether it is for others from now on than it was."""
    if raw or instance._state.adding or not hasattr(instance, "access"):
        return
    same = {"access": instance.access, "group": instance.group_id}
    if sender.objects.filter(pk=instance.pk).exclude(**same).exists():
        _access_changed()


def _access_changed(**_: Any) -> None:
    Announcement.objects.create(entity=_ACCESS, key=0, created=False, at=now_us())


def _corrected(*, keys: Collection[int], **_: Any) -> None:
    at = now_us()
    rows = (Announcement(entity=_READING, key=key, created=False, at=at) for key in keys)
    Announcement.objects.bulk_create(rows, batch_size=_MOST)


def end() -> int:
    """The place of the last announcement there is."""
    _put_in_order()
    return int(Announcement.objects.aggregate(highest=Max(_place()))["highest"] or 0)


def since(place: int, until: int | None = None) -> tuple[list[Change], int]:
    """What was announced behind the place, at most until another, and up to where that is.

    In order, and of an entity the last word only. There may be more.
    """
    _put_in_order()
    behind = Announcement.objects.filter(**{f"{_place()}__gt": place}).order_by(_place())
    if until is not None:
        behind = behind.filter(**{f"{_place()}__lte": until})
    rows = list(behind[:_MOST])
    if until is not None and len(rows) < _MOST:
        return _last_words(rows), max(place, until)
    return _last_words(rows), int(getattr(rows[-1], _place())) if rows else place


def access_changed(place: int) -> bool:
    """Whether anything was hidden from somebody, or opened, behind the place."""
    _put_in_order()
    behind = Announcement.objects.filter(**{f"{_place()}__gt": place}, entity=_ACCESS)
    return behind.exists()


def _last_words(rows: Iterable[Announcement]) -> list[Change]:
    found: dict[tuple[str, int], bool] = {}
    for row in rows:
        created = found.pop((row.entity, row.key), False) or row.created
        found[row.entity, row.key] = created
    return [Change(entity, key, created) for (entity, key), created in found.items()]


def _place() -> str:
    """What tells the order of the commits: SQLite writes one after the other."""
    return "pk" if on_sqlite() else "place"


def _put_in_order() -> None:
    """Give places to what has become visible since the last call. Not within a transaction."""
    if on_sqlite():
        return
    unplaced = Announcement.objects.filter(place=None)
    if not unplaced.exists():
        return
    with _ordering, transaction.atomic():
        rows = list(unplaced.select_for_update().order_by("pk"))
        for place, row in enumerate(rows, _last_place() + 1):
            row.place = place
        Announcement.objects.bulk_update(rows, ["place"], batch_size=_MOST)


def _last_place() -> int:
    told = Announcement.objects.aggregate(highest=Max("place"))["highest"]
    heard = SavedSession.objects.aggregate(highest=Max("change_place"))["highest"]
    return max(told or 0, heard or 0)


def forget_old() -> None:
    """Remove what nobody will come back to; the last one stays and says how far it goes."""
    old = Announcement.objects.filter(at__lt=now_us() - _KEPT)
    old.exclude(**{_place(): end()}).delete()
