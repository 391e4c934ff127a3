"""What a client would like but does not demand: the Prefer header (RFC 7240)."""

from dataclasses import dataclass

from stadtherz.sensorthings.headers.origin import Scope, header

APPLIED = "preference-applied"
_RETURN = "return"


def preferences(scope: Scope) -> dict[str, str]:
    """Preferences by name in lower case; of one that is given twice the first counts."""
    found: dict[str, str] = {}
    for item in header(scope, b"prefer").split(","):
        name, _, value = item.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"').lower())
    return found


@dataclass(frozen=True, slots=True)
class Return:
    """How much of what a change has made is sent back; `applied` says that it was a preference."""

    minimal: bool
    applied: tuple[tuple[str, str], ...] = ()


def preferred_return(scope: Scope, *, minimal: bool) -> Return:
    """What the client prefers; `minimal` is the habit where it does not say."""
    asked = preferences(scope).get(_RETURN)
    if asked not in ("minimal", "representation"):
        return Return(minimal)
    return Return(asked == "minimal", ((APPLIED, f"{_RETURN}={asked}"),))
