"""Public warnings for tests: alerts go the way they go in the product, by transitions."""

from typing import Any

from stadtherz.alerts.public import Alert, Transition, Wording, change
from stadtherz.base.time import Micros, now_us
from stadtherz.kit.declaration import Severity
from stadtherz.web.tests.web_cast import stream

STEPS = {0: "", 1: "Vorwarnung", 2: "Alarm"}
SEVERITIES = {0: Severity.OK, 1: Severity.WARNING, 2: Severity.DANGER}


def goes(where: int, before: int, after: int, **changes: Any) -> None:
    """The gauge at this datastream goes from one step to another."""
    at: Micros = changes.pop("at", now_us())
    values: dict[str, Any] = {
        "kind": "water.step_reached",
        "subject": str(where),
        "datastream": where,
        "before": before,
        "after": after,
        "step": STEPS[after],
        "severity": SEVERITIES[after],
        "title": {"de": STEPS[after], "en": {1: "Early warning", 2: "Alarm"}.get(after, "")},
        "texts": {language: _wording(language, after) for language in ("de", "en")},
        "observation": at,
        "at": at,
        "recipients": None,
        "public": True,
    }
    change(Transition(**(values | changes)))


def _wording(language: str, rank: int) -> Wording:
    what = STEPS[rank] or "Entwarnung"
    return Wording(f"{what}: Mill", f"{language}: Das Wasser steht, {what}.", (), "/pegel/mill/")


def warned(access: str = "public", rank: int = 1, town: str = "lautern", **changes: Any) -> Alert:
    """An open alert about a new datastream."""
    where = stream(access, town)
    goes(where, 0, rank, **changes)
    return Alert.objects.get(subject=str(where), cleared_at=None)
