"""Sessions on disk, so that clients find theirs after the server was started anew."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Min

from stadtherz.base.time import SECOND, now_us
from stadtherz.base.visibility import Share, Visibility
from stadtherz.mqtt.clients.messages import Place
from stadtherz.mqtt.clients.session import Wanted
from stadtherz.mqtt.models import OpenMessage, SavedSession
from stadtherz.mqtt.wire.packets import Wish

_AT_ONCE = 500
Wishes = dict[str, Wanted]


@dataclass(frozen=True, slots=True)
class Saved:
    expiry: int
    wishes: Wishes
    place: Place
    opened: tuple[tuple[int, int], ...] = ()  # packet identifiers and contents
    rights: Visibility | None = None


Opened = tuple[str, str, int, int]
"""A message with quality 2 that is kept and not released: whose, its identifier and content."""


def load(actor: str, client_id: str) -> Saved | None:
    """The session, unless it has expired."""
    row = SavedSession.objects.filter(actor=actor, client_id=client_id).first()
    if row is None or _is_over(row):
        return None
    place = Place(row.log_place, row.change_place)
    opened = OpenMessage.objects.filter(actor=actor, client_id=client_id)
    return Saved(
        row.expiry,
        {topic: _wanted(topic, *kept) for topic, *kept in row.wishes},
        place,
        tuple(opened.values_list("packet_id", "content")),
        None if row.rights is None else _rights(row.rights),
    )


def _wanted(topic: str, wish: list[Any], identifier: int, since: Iterable[int] = ()) -> Wanted:
    return Wanted(Wish(topic, *wish), identifier, Place(*since))


def _kept(wanted: Wanted) -> list[Any]:
    topic, *wish = wanted.wish
    return [topic, wish, wanted.identifier, list(wanted.since)]


def _kept_rights(rights: Visibility) -> dict[str, Any]:
    """What was to be seen with them; what was to be changed is of no interest here."""
    return {
        "actor": rights.actor,
        "organisations": sorted(rights.organisations),
        "groups": sorted(rights.groups),
        "everything": rights.everything,
        "shares": sorted(share.dataset for share in rights.shares),
        "dataset": rights.dataset,
    }


def _rights(kept: dict[str, Any]) -> Visibility:
    return Visibility(
        actor=kept["actor"],
        organisations=frozenset(kept["organisations"]),
        groups=frozenset(kept["groups"]),
        everything=kept["everything"],
        shares=frozenset(Share(each) for each in kept["shares"]),
        dataset=kept["dataset"],
    )


def sees_the_same(one: Visibility, other: Visibility) -> bool:
    return _kept_rights(one) == _kept_rights(other)


def _is_over(row: SavedSession) -> bool:
    return row.left_at is not None and row.left_at + row.expiry * SECOND < now_us()


def save(actor: str, client_id: str, saved: Saved, *, left: bool) -> None:
    """Keep the session; `left`: its client has just gone."""
    values: dict[str, Any] = {
        "expiry": saved.expiry,
        "wishes": [_kept(wanted) for wanted in saved.wishes.values()],
        "log_place": saved.place.log,
        "change_place": saved.place.change,
        "left_at": now_us() if left else None,
        "rights": None if saved.rights is None else _kept_rights(saved.rights),
    }
    SavedSession.objects.update_or_create(actor=actor, client_id=client_id, defaults=values)


def open_messages(opened: Iterable[Opened]) -> None:
    """Remember what may come again until it is released."""
    OpenMessage.objects.bulk_create(
        [OpenMessage(actor=a, client_id=c, packet_id=p, content=x) for a, c, p, x in opened],
        update_conflicts=True,
        unique_fields=["actor", "client_id", "packet_id"],
        update_fields=["content"],
    )


def close_messages(released: Iterable[tuple[tuple[str, str], int]]) -> None:
    """They are released and will not come again."""
    by_session: dict[tuple[str, str], list[int]] = {}
    for key, packet_id in released:
        by_session.setdefault(key, []).append(packet_id)
    with transaction.atomic():
        for (actor, client_id), ids in by_session.items():
            mine = OpenMessage.objects.filter(actor=actor, client_id=client_id)
            for begin in range(0, len(ids), _AT_ONCE):
                mine.filter(packet_id__in=ids[begin : begin + _AT_ONCE]).delete()


def forget(actor: str, client_id: str) -> None:
    OpenMessage.objects.filter(actor=actor, client_id=client_id).delete()
    SavedSession.objects.filter(actor=actor, client_id=client_id).delete()


def move(places: Iterable[tuple[tuple[str, str], Place]]) -> None:
    """Note how far these sessions have been served."""
    for (actor, client_id), place in places:
        SavedSession.objects.filter(actor=actor, client_id=client_id).update(
            log_place=place.log, change_place=place.change
        )


def start() -> None:
    """After a crash: whoever was connected has left, as far as we know, just now."""
    SavedSession.objects.filter(left_at=None).update(left_at=now_us())


def forget_old() -> None:
    """Remove sessions that have expired."""
    for row in SavedSession.objects.exclude(left_at=None).iterator():
        if _is_over(row):
            forget(row.actor, row.client_id)


def keys() -> set[tuple[str, str]]:
    """Whose sessions are kept."""
    return set(SavedSession.objects.values_list("actor", "client_id"))


def lowest() -> int | None:
    """The lowest place of the log to which any of them comes back."""
    served = SavedSession.objects.exclude(wishes=[])
    found: int | None = served.aggregate(lowest=Min("log_place"))["lowest"]
    return found
