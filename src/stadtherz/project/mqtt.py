"""MQTT with what the city has set, and with who its people and machines are."""

from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from stadtherz.base.visibility import Visibility
from stadtherz.identity.public import (
    ApiToken,
    GroupMembership,
    Membership,
    User,
    visibility_of_scope,
)
from stadtherz.mqtt.public import Door, Settings, listening
from stadtherz.store.public import sharing_changed

door = Door()
_OFF = "off"


async def start() -> None:
    """Open the door, unless it is switched off. Raises Invalid where a setting is wrong."""
    told = settings.STADTHERZ
    if told["mqtt"].strip().lower() == _OFF:
        return
    root = urlsplit(told["public_url"])
    await door.start(
        who_is,
        Settings(
            root=told["public_url"],
            name=root.hostname or "localhost",
            listening=listening(told["mqtt"], plain=told["mqtt_plain"]),
            certificate=_file(told["mqtt_certificate"]),
            key=_file(told["mqtt_key"]),
            strangers=told["mqtt_strangers"],
        ),
    )


def endpoints(url: str) -> list[str]:
    """Where MQTT is spoken by the city at this address; nothing if it is switched off."""
    return [] if door.hub is None else [url.replace("http", "ws", 1) + "/mqtt", *door.endpoints]


def _file(name: str) -> Path | None:
    return Path(name) if name else None


def who_is(user: str, password: str, address: str) -> Visibility:
    """Who shows these credentials: a token is the password, whatever the user name says.

    The same question that a request with them would put.
    """
    headers: list[tuple[bytes, bytes]] = []
    if user or password:
        pair = b64encode(f"{user}:{password}".encode())
        headers.append((b"authorization", b"Basic " + pair))
    return visibility_of_scope({"headers": headers, "client": (address, 0), "method": "GET"})


def _rights_changed(**_signal: Any) -> None:
    transaction.on_commit(door.rights_changed)


for _signal in (post_save, post_delete):
    for _model in (ApiToken, GroupMembership, Membership, User):
        _signal.connect(
            _rights_changed, sender=_model, dispatch_uid=f"mqtt-{id(_signal)}-{_model.__name__}"
        )
sharing_changed.connect(_rights_changed, dispatch_uid="mqtt-sharing")
