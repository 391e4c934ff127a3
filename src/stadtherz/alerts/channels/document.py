"""An event as a JSON document for machines; the same for webhooks and MQTT.

Its form is `alert-event.schema.json` beside this file, and explained in docs/howto/alert-channels.md. New
members may be added; whatever else changes gets another `version`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from stadtherz.alerts.models import Alert, AlertEvent
from stadtherz.base.time import Micros, iso

VERSION = 1
SCHEMA = Path(__file__).with_name("alert-event.schema.json")


def document(event: AlertEvent, public_url: str, *, answer: str = "") -> dict[str, Any]:
    """What happened; `answer` is the path of the page on which the receiver takes the alert on."""
    alert = event.alert
    told: dict[str, Any] = {
        "event": event.pk,
        "change": str(event.change),
        "severity": event.severity,
        "rank": event.rank,
        "rank_before": event.rank_before,
        "at": iso(event.at),
        "alert": _alert(alert),
        "place": _place(alert),
        "texts": {language: _words(text, public_url) for language, text in event.texts.items()},
    }
    if answer:
        told["answer"] = f"{public_url}{answer}"
    return {
        "type": f"alert.{event.change}",
        "version": VERSION,
        "timestamp": iso(event.recorded_at),
        "data": told,
    }


def written(document: Mapping[str, Any]) -> bytes:
    """The document as it is sent, byte for byte the same each time."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "kind": alert.kind,
        "test": alert.drill,
        "public": alert.public,
        "opened_at": iso(alert.opened_at),
        "cleared_at": _moment(alert.cleared_at),
        "acknowledged_at": _moment(alert.acknowledged_at),
    }


def _place(alert: Alert) -> dict[str, Any] | None:
    stream = alert.datastream
    if stream is None:
        return None
    return {"datastream": stream.pk, "thing": stream.thing_id, "name": stream.thing.name}


def _words(text: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    return {
        "subject": text["subject"],
        "sentence": text["sentence"],
        "facts": [{"name": name, "value": value} for name, value in text.get("facts", ())],
        "link": f"{public_url}{text['link']}",
    }


def _moment(at: Micros | None) -> str | None:
    return None if at is None else iso(at)
