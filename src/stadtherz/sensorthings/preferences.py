"""What a client would like but does not demand: the Prefer header (RFC 7240)."""

from stadtherz.sensorthings.origin import Scope, header

APPLIED = "preference-applied"
MINIMAL = ("return", "minimal")


def preferences(scope: Scope) -> dict[str, str]:
    """Preferences by name in lower case; of one that is given twice the first counts."""
    found: dict[str, str] = {}
    for item in header(scope, b"prefer").split(","):
        name, _, value = item.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"').lower())
    return found


def prefers(scope: Scope, name: str, value: str) -> bool:
    return preferences(scope).get(name) == value
