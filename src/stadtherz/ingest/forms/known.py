"""The message forms of the organisations, as values; cached for seconds.

Every save and deletion in this process empties the cache, also after its transaction commits; changes
by other processes show after `_FRESH`. A form that is not there is never cached.
"""

import threading
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from stadtherz.base.errors import NotFound
from stadtherz.base.time import SECOND, Micros, now_us
from stadtherz.base.visibility import Visibility
from stadtherz.ingest.devices import NotKnown
from stadtherz.ingest.forms.expressions import Expression, parse
from stadtherz.ingest.forms.models import MessageForm
from stadtherz.ingest.forms.reading import KnownForm

_FRESH: Micros = 3 * SECOND

_Key = tuple[int, str]


class _Cache:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation = 0
        self._known: dict[_Key, tuple[Micros, KnownForm]] = {}

    def find(self, key: _Key) -> KnownForm | None:
        with self._lock:
            generation = self._generation
        form = self.known(key)
        if form is not None:
            return form
        form = _load(*key)
        with self._lock:
            # A change during the load emptied the cache: what was loaded may be the old state.
            if generation == self._generation:
                self._known.pop(key, None)
                if form is not None:
                    self._known[key] = (now_us(), form)
        return form

    def known(self, key: _Key) -> KnownForm | None:
        with self._lock:
            loaded, form = self._known.get(key, (None, None))
        return form if loaded is not None and abs(now_us() - loaded) < _FRESH else None

    def clear(self) -> None:
        with self._lock:
            self._generation += 1
            self._known.clear()


_cache = _Cache()
forget = _cache.clear


def find(visibility: Visibility, key: str) -> KnownForm:
    """The form of the caller's organisation; raises NotFound, also for that of another one."""
    form = None
    if visibility.home is not None:
        form = _cache.find((visibility.home, key))
    elif visibility.everything:
        form = _only(key)
    if form is None:
        raise NotFound("Message form")
    return form


def known(visibility: Visibility, key: str) -> KnownForm:
    """As `find`, without asking the database; raises NotKnown if that takes it."""
    form = None if visibility.home is None else _cache.known((visibility.home, key))
    if form is None:
        raise NotKnown
    return form


def _only(key: str) -> KnownForm | None:
    """What a sender whom nobody knew may have meant: the form, if one organisation alone has such."""
    rows = list(MessageForm.objects.filter(key=key)[:2])
    return as_known(rows[0]) if len(rows) == 1 else None


def _load(owner: int, key: str) -> KnownForm | None:
    row = MessageForm.objects.filter(owner_id=owner, key=key).first()
    return None if row is None else as_known(row)


def as_known(row: MessageForm) -> KnownForm:
    """The form as it is used; raises ValueError for an expression that cannot be read."""
    return KnownForm(
        owner=row.owner_id,
        key=row.key,
        device=parse(row.device),
        time=_maybe(row.time),
        zone=row.time_zone,
        message_id=_maybe(row.message_id),
        readings=_maybe(row.readings),
    )


def _maybe(written: str) -> Expression | None:
    return parse(written) if written else None


def _forget(**_signal: Any) -> None:
    _cache.clear()
    transaction.on_commit(_cache.clear)


for _signal in (post_save, post_delete):
    _signal.connect(_forget, sender=MessageForm, dispatch_uid=f"ingest-forms-{id(_signal)}")
