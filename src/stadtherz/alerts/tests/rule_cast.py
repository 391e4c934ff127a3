"""Rules and recorded floods for the tests of rules."""

import csv
import gzip
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from stadtherz.alerts.models import Rule, RuleInput, RuleStep
from stadtherz.base.time import Micros, to_us

HERE = Path(__file__).parent
_DEAD_RUN = HERE.parents[1] / "services/water/tests/recorded/dead-run-2018-06.csv.gz"
_MEZ = timezone(timedelta(hours=1))

Curve = Sequence[tuple[Micros, float]]


@cache
def isar() -> Curve:
    """The Isar at Munich in 2025, a level in cm every 15 minutes."""
    return [
        (to_us(datetime.strptime(at, "%Y-%m-%d %H:%M").replace(tzinfo=_MEZ)), float(level))
        for at, level in _rows(HERE / "recorded/isar-2025.csv.gz")
    ]


@cache
def dead_run() -> Curve:
    """A creek with flash floods, June 2018, a level in cm every 5 minutes."""
    return [
        (to_us(datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)), float(level))
        for at, level in _rows(_DEAD_RUN)
    ]


def _rows(path: Path) -> list[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]


def make_rule(
    owner: int,
    *limits: float,
    datastream: int | None = None,
    inputs: dict[str, int] | None = None,
    hysteresis: float = 0,
    severities: Sequence[str] = ("warning", "danger", "danger", "danger"),
    step: dict[str, Any] | None = None,
    **more: Any,
) -> Rule:
    """A rule with a step for each limit, switched on unless told otherwise."""
    more = {"name_de": "Hochwasser", "name_en": "Flood", "active": True, **more}
    rule = Rule.objects.create(owner_id=owner, datastream_id=datastream, **more)
    for place, limit in enumerate(limits):
        RuleStep.objects.create(
            rule=rule,
            name_de=f"Stufe {place + 1}",
            name_en=f"Step {place + 1}",
            limit=limit,
            hysteresis=hysteresis,
            severity=severities[place],
            **(step or {}),
        )
    for name, stream in (inputs or {}).items():
        RuleInput.objects.create(rule=rule, name=name, datastream_id=stream)
    return Rule.objects.get(pk=rule.pk)
