"""What is deleted, told to those who listen to version 2.0 (23-019, pub_sub): the entity as it was.

It is put into words before it goes, with the rights, options and filters of each topic, because nothing
can be asked about it afterwards; and it is told when the deletion is committed. So it reaches those who
are connected at that moment (ADR 34).
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from typing import Any, NamedTuple, get_args

from django.db import transaction
from django.db.models.signals import pre_delete

from stadtherz.base.errors import StadtherzError
from stadtherz.mqtt.news.groups import Group, Members
from stadtherz.sensorthings.public import reading_going
from stadtherz.store.public import Entity

log = logging.getLogger(__name__)

_OBSERVATION = "Observation"


class Gone(NamedTuple):
    """What a group is told of a deletion."""

    group: Group
    words: list[bytes]
    members: Members


class Deletions:
    """`listeners` are asked for at each deletion; `hand_over` runs on the loop."""

    def __init__(
        self,
        listeners: Callable[[], Iterable[tuple[Group, Members]]],
        hand_over: Callable[[list[Gone]], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._listeners = listeners
        self._hand_over = hand_over
        self._loop = loop

    def start(self) -> None:
        for model in get_args(Entity):
            pre_delete.connect(self._entity, sender=f"store.{model}", dispatch_uid=self._uid(model))
        reading_going.connect(self._reading, dispatch_uid=self._uid(_OBSERVATION))

    def stop(self) -> None:
        for model in get_args(Entity):
            pre_delete.disconnect(sender=f"store.{model}", dispatch_uid=self._uid(model))
        reading_going.disconnect(dispatch_uid=self._uid(_OBSERVATION))

    def _uid(self, name: str) -> str:
        return f"mqtt-going-{name}-{id(self)}"

    def _entity(self, *, sender: Any, instance: Any, **_: Any) -> None:
        self._about(sender.__name__, instance.pk)

    def _reading(self, *, key: int, **_: Any) -> None:
        self._about(_OBSERVATION, key)

    def _about(self, kind: str, key: int) -> None:
        """Put it into words while it is there; tell it once it has gone."""
        told: list[Gone] = []
        for group, members in self._listeners():
            if members and (words := _last_words(group, kind, key)):
                told.append(Gone(group, words, members))
        if told:
            transaction.on_commit(lambda: self._tell(told))

    def _tell(self, told: list[Gone]) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._hand_over, told)


def _last_words(group: Group, kind: str, key: int) -> list[bytes]:
    """What the group is told of it; nobody's topic hinders the deletion."""
    try:
        with transaction.atomic() if group.heard.costly else nullcontext():
            return group.of_going(kind, key)
    except StadtherzError:  # what they listen to is hidden from them by now
        return []
    except Exception:  # the translator: a filter that the engine cannot compute breaks no deletion
        log.exception("The deletion of %s %s cannot be told to %s", kind, key, group.topic[:200])
        return []
