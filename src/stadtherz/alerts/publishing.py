"""Public warnings for subscribers of our own MQTT listener: what pages and the CAP feed show, as it changes.

Who subscribes to `stadtherz/v1/warnings` gets each warning in force, retained, and then each change once. A
message has the form of `warning.schema.json` beside this file, see docs/howto/connect-by-mqtt.md.

A warning that is made private, hidden with its datastream, or deleted with its alert is withdrawn: who can
see it no more hears its number and nothing else.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.signals import post_save, pre_delete, pre_save
from django.dispatch import receiver

from stadtherz.alerts.models import Alert, AlertEvent
from stadtherz.alerts.news import tell
from stadtherz.alerts.shown import settle, withdraw
from stadtherz.alerts.warnings import TOLD, PublicWarning, WarningChange, warnings_of
from stadtherz.alerts.warnings import public_warnings as in_force
from stadtherz.base.time import iso, now_us
from stadtherz.base.visibility import ANONYMOUS, AccessLevel, Visibility
from stadtherz.mqtt.public import Board, announce
from stadtherz.store.public import StreamInfo, streams

TOPIC = "stadtherz/v1/warnings"
VERSION = 1
SCHEMA = Path(__file__).with_name("warning.schema.json")
_KIND = "Warning"
_HIDDEN = "Warning hidden"  # from somebody who could see it: everybody may know that
_HIDDEN_INSIDE = "Warning hidden inside"  # it never was there for strangers
_WITHDRAWN = "withdrawn"


@receiver(post_save, sender=AlertEvent, dispatch_uid="alerts-publishing-event")
def _changed(instance: AlertEvent, *, created: bool, raw: bool = False, **_signal: Any) -> None:
    if created and not raw and instance.change in TOLD and _is_public(instance.alert):
        announce(_KIND, instance.pk)
        settle([instance.alert_id])


def withdrawn(alert: Alert) -> None:
    """It has ended without a word; who has it on a map must take it away."""
    if _is_public(alert):
        announce(_KIND, -alert.pk)
        settle([alert.pk])


def made_private(alert: Alert) -> None:
    """Who has seen it until now hears that there is nothing to see any more. Call it after saving."""
    if not alert.drill:
        _taken_away(alert)
        settle([alert.pk])


@receiver(pre_delete, sender=Alert, dispatch_uid="alerts-publishing-deleted")
def _deleted(instance: Alert, **_signal: Any) -> None:
    if not _is_public(instance):
        return
    if instance.cleared_at is None:
        _taken_away(instance)
    withdraw(instance)


def _taken_away(alert: Alert) -> None:
    if alert.datastream_id is not None:
        _hide(_with_access(Alert.objects.filter(pk=alert.pk)))
        tell(public=True)


@receiver(pre_save, sender="store.Datastream", dispatch_uid="alerts-publishing-datastream")
@receiver(pre_save, sender="store.Thing", dispatch_uid="alerts-publishing-thing")
def _access_changes(sender: Any, instance: Any, *, raw: bool = False, **_signal: Any) -> None:
    """Look what was open to whom before."""
    if raw or instance._state.adding:
        return
    path = "datastream__thing" if sender.__name__ == "Thing" else "datastream"
    found = _open().filter(**{path: instance.pk})
    same = Q(**{f"{path}__access": instance.access, f"{path}__group": instance.group_id})
    instance._warnings_before = _with_access(found.exclude(same))


@receiver(post_save, sender="store.Datastream", dispatch_uid="alerts-publishing-datastream-after")
@receiver(post_save, sender="store.Thing", dispatch_uid="alerts-publishing-thing-after")
def _access_changed(instance: Any, **_signal: Any) -> None:
    """Those who lose it are told, and those who get it."""
    rows = instance.__dict__.pop("_warnings_before", ())
    if rows:
        _hide(rows)
        for alert, _thing, _stream in rows:
            _say_again(alert)
        settle([alert for alert, *_levels in rows])
        tell(public=True)


def _open() -> QuerySet[Alert]:
    return Alert.objects.filter(cleared_at=None, public=True, drill=False)


_Row = tuple[int, str, str]


def _with_access(alerts: QuerySet[Alert]) -> list[_Row]:
    """Alerts with what their Thing and datastream are open to, as it stands in the database."""
    of = "datastream__"
    return list(alerts.order_by("pk").values_list("pk", f"{of}thing__access", f"{of}access"))


def _hide(rows: Iterable[_Row]) -> None:
    for alert, *levels in rows:
        everybody = all(level == AccessLevel.PUBLIC for level in levels)
        announce(_HIDDEN if everybody else _HIDDEN_INSIDE, alert)


def _say_again(alert: int) -> None:
    """Its newest change, for those who may see it from now on; others know its number."""
    events = AlertEvent.objects.filter(alert=alert, change__in=TOLD).order_by("-pk")
    if (newest := events.values_list("pk", flat=True).first()) is not None:
        announce(_KIND, newest)


def _is_public(alert: Alert) -> bool:
    return alert.public and not alert.drill and alert.datastream_id is not None


def board() -> Board:
    return Board(TOPIC, (_KIND, _HIDDEN, _HIDDEN_INSIDE), _standing, _told, _farewell)


def _standing(visibility: Visibility) -> list[bytes]:
    """The newest change of each warning in force, in the order in which they were told."""
    pairs = [(each, each.changes[-1]) for each in in_force(visibility) if each.changes]
    return _documents(sorted(pairs, key=lambda pair: pair[1].id))


def _told(announced: Mapping[str, Collection[int]], visibility: Visibility) -> list[bytes]:
    """The changes with these numbers; those below zero are of warnings that were withdrawn."""
    keys = announced.get(_KIND, ())
    events = {key for key in keys if key > 0}
    gone = {-key for key in keys if key < 0}
    alerts = {*AlertEvent.objects.filter(pk__in=events).values_list("alert", flat=True), *gone}
    found = warnings_of(alerts, visibility)
    pairs = [(each, change) for each in found for change in each.changes if change.id in events]
    words = _documents(sorted(pairs, key=lambda pair: pair[1].id))
    last = [(each, each.changes[-1]) for each in found if each.id in gone and each.changes]
    return words + _documents(last, withdrawn=True) + _of_hidden(announced, visibility)


def _of_hidden(announced: Mapping[str, Collection[int]], visibility: Visibility) -> list[bytes]:
    """Only numbers, and only to those who can not, or no longer, see the warning."""
    keys = set(announced.get(_HIDDEN, ()))
    if visibility.actor != ANONYMOUS.actor:
        keys |= set(announced.get(_HIDDEN_INSIDE, ()))
    seen = {each.id for each in warnings_of(keys, visibility)} if keys else set()
    return [_number(each) for each in sorted(keys - seen)]


def _farewell(before: Visibility, now: Visibility) -> list[bytes]:
    """The numbers of those in force that only the rights until now could see."""
    lost = {each.id for each in in_force(before)} - {each.id for each in in_force(now)}
    return [_number(each) for each in sorted(lost)]


def _number(warning: int) -> bytes:
    """That it is gone for the reader, and nothing of what it was."""
    at = iso(now_us())
    told = {
        "type": f"warning.{_WITHDRAWN}",
        "version": VERSION,
        "timestamp": at,
        "data": {
            "warning": warning,
            "event": 0,
            "change": _WITHDRAWN,
            "in_force": False,
            "severity": "ok",
            "kind": "",
            "opened_at": at,
            "at": at,
            "place": {"datastream": 0, "thing": 0, "name": ""},
            "title": {},
            "texts": {},
        },
    }
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def _documents(
    pairs: Iterable[tuple[PublicWarning, WarningChange]], *, withdrawn: bool = False
) -> list[bytes]:
    told = list(pairs)
    known = streams({warning.datastream for warning, _ in told})
    return [
        orjson.dumps(
            _document(warning, change, known[warning.datastream], withdrawn=withdrawn),
            option=orjson.OPT_SORT_KEYS,
        )
        for warning, change in told
        if warning.datastream in known
    ]


def _document(
    warning: PublicWarning, change: WarningChange, stream: StreamInfo, *, withdrawn: bool
) -> dict[str, Any]:
    name = _WITHDRAWN if withdrawn else str(change.change)
    at = warning.over if withdrawn and warning.over is not None else change.recorded
    return {
        "type": f"warning.{name}",
        "version": VERSION,
        "timestamp": iso(at),
        "data": {
            "warning": warning.id,
            "event": change.id,
            "change": name,
            "in_force": not withdrawn and change.change != AlertEvent.Change.CLEARED,
            "severity": str(change.severity),
            "kind": warning.kind,
            "opened_at": iso(warning.opened),
            "at": iso(change.at),
            "place": {"datastream": stream.id, "thing": stream.thing, "name": stream.thing_name},
            "title": dict(warning.title),
            "texts": {} if withdrawn else _texts(change),
        },
    }


def _texts(change: WarningChange) -> dict[str, dict[str, str]]:
    return {language: _words(change, language) for language in change.sentences}


def _words(change: WarningChange, language: str) -> dict[str, str]:
    def part(held: Mapping[str, str]) -> str:
        return held.get(language, "")

    link = part(change.links)
    return {
        "subject": part(change.subjects),
        "sentence": part(change.sentences),
        "advice": part(change.advice),
        "link": f"{settings.STADTHERZ['public_url']}{link}" if link else "",
    }
