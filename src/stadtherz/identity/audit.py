"""Who changed what: entries are added, never changed, and hold no secrets."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import Model, QuerySet

from stadtherz.base.visibility import Visibility
from stadtherz.identity.models import ApiToken, AuditEntry, User

_PEOPLE = frozenset({"Party"})
_SECRET = ("password", "digest", "token", "secret", "session")
_LONGEST = 2_000  # characters of one value that are kept


def record(
    visibility: Visibility,
    action: str,
    entity: str,
    key: object,
    changes: Mapping[str, Any] | None = None,
    *,
    organisation: int | None = None,
) -> None:
    """Add an entry. `action` is a verb (create, update, delete, ...), `changes` new values by field.

    Values of fields that hold secrets are left out; only that they changed is said. Other records are
    named by their keys.
    """
    owner = organisation if organisation is not None else visibility.home
    _add(visibility.actor, action, entity, key, changes or {}, owner)


def follow_entity(
    *,
    actor: str,
    action: str,
    entity: str,
    id: int,
    owner: int,
    changes: Mapping[str, Any],
    **_: Any,
) -> None:
    """The store announced a change (signal `entity_changed`): it becomes an entry.

    Of who may be a person, only the names of what was changed are kept.
    """
    told = dict.fromkeys(changes, "***") if entity in _PEOPLE else changes
    _add(actor, action, entity, id, told, owner)


def actor_name(actor: str) -> str:
    """Who an entry's actor is, for reading; the trail itself keeps only the key.

    So the name of somebody who has left disappears with the account, and the trail stays.
    """
    kind, _, key = actor.partition(":")
    if kind == "user" and key.isdecimal():
        return str(User.objects.filter(pk=int(key)).first() or actor)
    if kind == "token":
        return str(ApiToken.objects.filter(prefix=key).first() or actor)
    return actor


def _add(
    actor: str,
    action: str,
    entity: str,
    key: object,
    changes: Mapping[str, Any],
    organisation: int | None,
) -> None:
    AuditEntry.objects.create(
        actor=actor,
        organisation_id=organisation,
        action=action,
        entity=entity,
        key=str(key),
        changes={name: _kept(name, value) for name, value in changes.items()},
    )


def _kept(name: str, value: Any) -> Any:
    plain = _plain(name, value)
    text = json.dumps(plain, ensure_ascii=False)
    return plain if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _plain(name: str, value: Any) -> Any:
    if any(word in name.lower() for word in _SECRET):
        return "***"
    if isinstance(value, Mapping):
        return {str(key): _plain(str(key), inner) for key, inner in value.items()}
    if isinstance(value, Model):
        return f"{value._meta.label_lower}:{value.pk}"  # its name may be a person's
    if isinstance(value, list | tuple | set | frozenset | QuerySet):
        return [_plain("", inner) for inner in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
