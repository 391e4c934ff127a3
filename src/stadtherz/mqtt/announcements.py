"""Which entities were created or changed: written in the transaction that did it, read by the feed.

Readings have the log for this. Ids of announcements are given out before their commit, so on PostgreSQL
a lower one may appear after a higher one: readers look back a little and remember what they have seen.
"""

import threading
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Max
from django.db.models.signals import post_save

from stadtherz.base.time import DAY, now_us
from stadtherz.mqtt.models import Announcement

_MODELS = (
    "Thing",
    "Location",
    "HistoricalLocation",
    "Sensor",
    "ObservedProperty",
    "Datastream",
    "FeatureOfInterest",
    "Actuator",
    "TaskingCapability",
    "Task",
    "FeatureType",
    "Party",
    "License",
    "Campaign",
    "ObservationGroup",
    "Relation",
)
_KEPT = 7 * DAY
_BACK = 500  # announcements looked at again
_MOST = 2_000

_news = threading.Event()


class Change(NamedTuple):
    entity: str
    key: int
    created: bool


def follow_entities() -> None:
    """Announce what anybody saves."""
    for model in _MODELS:
        post_save.connect(_saved, sender=f"store.{model}", dispatch_uid=f"mqtt-{model}")


def _saved(*, sender: Any, instance: Any, created: bool, raw: bool = False, **_: Any) -> None:
    if raw:  # a backup is put back: nothing happens to anything
        return
    Announcement.objects.create(
        entity=sender.__name__, key=instance.pk, created=created, at=now_us()
    )
    transaction.on_commit(_news.set)


def wait(seconds: float) -> None:
    """Until this process has announced something, or for so long."""
    _news.wait(seconds)
    _news.clear()


def wake() -> None:
    _news.set()


def end() -> int:
    """The highest announcement there is."""
    return int(Announcement.objects.aggregate(highest=Max("pk"))["highest"] or 0)


class Reader:
    """Goes on from a place, and hears of each announcement once."""

    def __init__(self, place: int) -> None:
        self.place = place
        self._seen = set(_ids(place - _BACK, place))

    def news(self) -> list[Change]:
        """What was announced since, in order; the last word on an entity only."""
        rows = Announcement.objects.filter(pk__gt=self.place - _BACK).order_by("pk")[:_MOST]
        fresh = [row for row in rows if row.pk not in self._seen]
        if not fresh:
            return []
        self.place = max(self.place, fresh[-1].pk)
        self._seen = {k for k in self._seen if k > self.place - 2 * _BACK}
        self._seen.update(row.pk for row in fresh)
        return _last_words(fresh)


def since(place: int) -> list[Change]:
    """What was announced behind the place, for a client that comes back."""
    return _last_words(Announcement.objects.filter(pk__gt=place).order_by("pk")[:_MOST])


def _last_words(rows: Iterable[Announcement]) -> list[Change]:
    found: dict[tuple[str, int], bool] = {}
    for row in rows:
        created = found.pop((row.entity, row.key), False) or row.created
        found[row.entity, row.key] = created
    return [Change(entity, key, created) for (entity, key), created in found.items()]


def _ids(after: int, upto: int) -> list[int]:
    rows = Announcement.objects.filter(pk__gt=after, pk__lte=upto)
    return list(rows.values_list("pk", flat=True))


def forget_old() -> None:
    """Remove what nobody will come back to."""
    Announcement.objects.filter(at__lt=now_us() - _KEPT).delete()
