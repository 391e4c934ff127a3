"""The message forms of the organisations, as values; remembered for seconds (`remembered`).

Every save and deletion in this process counts at once, also after its transaction commits. A form that is
not there is never remembered.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from stadtherz.base.errors import NotFound
from stadtherz.base.visibility import Visibility
from stadtherz.ingest.devices.remembered import NotKnown, Remembered
from stadtherz.ingest.forms.expressions import Expression, parse, parse_readings
from stadtherz.ingest.forms.models import MessageForm
from stadtherz.ingest.forms.reading import KnownForm

_Key = tuple[int, str]


def _load(wanted: Mapping[_Key, KnownForm | None]) -> dict[_Key, KnownForm]:
    owners, keys = {owner for owner, _ in wanted}, {key for _, key in wanted}
    rows = MessageForm.objects.filter(owner__in=owners, key__in=keys)
    return {
        (row.owner_id, row.key): as_known(row) for row in rows if (row.owner_id, row.key) in wanted
    }


_cache: Remembered[_Key, KnownForm] = Remembered(_load)
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


def as_known(row: MessageForm) -> KnownForm:
    """The form as it is used; raises ValueError for an expression that cannot be read."""
    return KnownForm(
        owner=row.owner_id,
        key=row.key,
        device=parse(row.device),
        time=_maybe(row.time),
        zone=row.time_zone,
        message_id=_maybe(row.message_id),
        readings=parse_readings(row.readings) if row.readings else None,
        payload=_maybe(row.payload),
        payload_kind=row.payload_kind,
    )


def _maybe(written: str) -> Expression | None:
    return parse(written) if written else None


def _forget(**_signal: Any) -> None:
    _cache.clear()
    transaction.on_commit(_cache.clear)


for _signal in (post_save, post_delete):
    _signal.connect(_forget, sender=MessageForm, dispatch_uid=f"ingest-forms-{id(_signal)}")
