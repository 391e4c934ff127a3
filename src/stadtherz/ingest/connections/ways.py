"""Remembers by which connection, and under which topics, a device is reached."""

from collections.abc import Sequence
from typing import Any

import orjson

from stadtherz.base.errors import Invalid
from stadtherz.ingest.connections.inbox import Message
from stadtherz.ingest.connections.intake import Source
from stadtherz.ingest.downlinks import documents
from stadtherz.ingest.downlinks.models import LONGEST_TOPIC, DownlinkWay
from stadtherz.ingest.models import Device, normal_eui

_MOST = 20_000  # topics remembered; and of strangers
_AT_ONCE = 20  # questions to the database for each group of messages


class Ways:
    """Of one connection; asks the database once for each device."""

    def __init__(self, connection: int) -> None:
        self._connection = connection
        self._known: set[str] = set()

    def learn(self, source: Source, messages: Sequence[Message]) -> None:
        """From messages that are stored."""
        news: dict[str, Message] = {}
        for message in messages:
            way = documents.way(source.network, message.topic)
            if way and way not in self._known:
                news[way] = message
        for way, message in list(news.items())[:_AT_ONCE]:
            if len(self._known) >= _MOST:
                self._known.clear()
            if self._remember(source, way, message):
                self._known.add(way)

    def _remember(self, source: Source, way: str, message: Message) -> bool:
        """False for a device that is not registered: it may be soon."""
        eui = normal_eui(_eui(source.network, message))
        row = Device.objects.filter(owner=source.owner, network=source.network, dev_eui=eui).first()
        if row is None:
            return False
        values = {"connection_id": self._connection, "topic": way}
        held = DownlinkWay.objects.filter(device=row, **values)
        if len(way) <= LONGEST_TOPIC and not held.exists():
            DownlinkWay.objects.update_or_create(device=row, defaults=values)
        return True


def _eui(network: str, message: Message) -> str:
    if network == "chirpstack":
        return message.topic.split("/")[-3]
    try:
        told: Any = orjson.loads(message.payload)
        eui = told["end_device_ids"]["dev_eui"]
    except (orjson.JSONDecodeError, KeyError, TypeError, Invalid):
        return ""
    return eui if isinstance(eui, str) else ""
