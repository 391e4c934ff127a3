"""Who changed what: entries are added, never changed, and hold no secrets."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from stadtherz.base.visibility import Visibility
from stadtherz.identity.models import AuditEntry

_SECRET = frozenset({"password", "digest", "token", "secret", "session"})
_LONGEST = 2_000  # characters of a value that are kept


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

    Values of fields that hold secrets are left out; only that they changed is said.
    """
    AuditEntry.objects.create(
        actor=visibility.actor,
        organisation_id=organisation if organisation is not None else visibility.home,
        action=action,
        entity=entity,
        key=str(key),
        changes={name: _plain(name, value) for name, value in (changes or {}).items()},
    )


def _plain(name: str, value: Any) -> Any:
    if any(word in name.lower() for word in _SECRET):
        return "***"
    if isinstance(value, Mapping):
        return {str(key): _plain(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain("", inner) for inner in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)[:_LONGEST]
