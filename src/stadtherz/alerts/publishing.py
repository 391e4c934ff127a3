"""Public warnings for subscribers of our own MQTT listener: what pages and the CAP feed show, as it changes.

Who subscribes to `stadtherz/v1/warnings` gets each warning in force, retained, and then each change once. A
message has the form of `warning.schema.json` beside this file, see docs/howto/connect-by-mqtt.md.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.db.models.signals import post_save
from django.dispatch import receiver

from stadtherz.alerts.models import Alert, AlertEvent
from stadtherz.alerts.warnings import TOLD, PublicWarning, WarningChange, warnings_of
from stadtherz.alerts.warnings import public_warnings as in_force
from stadtherz.base.time import iso
from stadtherz.base.visibility import Visibility
from stadtherz.mqtt.public import Board, announce
from stadtherz.store.public import StreamInfo, streams

TOPIC = "stadtherz/v1/warnings"
VERSION = 1
SCHEMA = Path(__file__).with_name("warning.schema.json")
_KIND = "Warning"
_WITHDRAWN = "withdrawn"


@receiver(post_save, sender=AlertEvent, dispatch_uid="alerts-publishing-event")
def _changed(instance: AlertEvent, *, created: bool, raw: bool = False, **_signal: Any) -> None:
    if created and not raw and instance.change in TOLD and _is_public(instance.alert):
        announce(_KIND, instance.pk)


def withdrawn(alert: Alert) -> None:
    """It has ended without a word; who has it on a map must take it away."""
    if _is_public(alert):
        announce(_KIND, -alert.pk)


def _is_public(alert: Alert) -> bool:
    return alert.public and not alert.drill and alert.datastream_id is not None


def board() -> Board:
    return Board(TOPIC, _KIND, _standing, _told)


def _standing(visibility: Visibility) -> list[bytes]:
    """The newest change of each warning in force, in the order in which they were told."""
    pairs = [(each, each.changes[-1]) for each in in_force(visibility) if each.changes]
    return _documents(sorted(pairs, key=lambda pair: pair[1].id))


def _told(keys: Collection[int], visibility: Visibility) -> list[bytes]:
    """The changes with these numbers; those below zero are of warnings that were withdrawn."""
    events = {key for key in keys if key > 0}
    gone = {-key for key in keys if key < 0}
    alerts = {*AlertEvent.objects.filter(pk__in=events).values_list("alert", flat=True), *gone}
    found = warnings_of(alerts, visibility)
    pairs = [(each, change) for each in found for change in each.changes if change.id in events]
    words = _documents(sorted(pairs, key=lambda pair: pair[1].id))
    last = [(each, each.changes[-1]) for each in found if each.id in gone and each.changes]
    return words + _documents(last, withdrawn=True)


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
