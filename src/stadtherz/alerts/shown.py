"""What everybody has been shown, and its end where it is taken back: made private, hidden or deleted.

Who took a warning over, another authority or an app, has to be told that it no longer holds, also when
nothing is left here that could say so. So each is written down when it is first shown, in the transaction
that shows it, and marked as withdrawn in the one that takes it back. `settle` compares what is written with
what everybody sees; a clock calls it, too, for changes that nobody announced. However often it runs, a
warning is withdrawn once.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from stadtherz.alerts.citizens.telling import take_back
from stadtherz.alerts.models import Alert, AlertEvent, Shown
from stadtherz.alerts.warnings import PublicWarning, WarningChange, public_warnings, warnings_of
from stadtherz.base.time import DAY, Micros, now_us
from stadtherz.base.visibility import ANONYMOUS
from stadtherz.kit.declaration import Severity

NEEDED: Micros = 3 * DAY
"""After its end nobody shows a warning any longer; if it is hidden then, there is nothing to say."""

KEPT: Micros = 28 * DAY
"""How long it can be read that a warning was withdrawn."""

Change = AlertEvent.Change


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A warning that was taken back at a moment: its changes without any words."""

    warning: PublicWarning
    at: Micros


def settle(alerts: Collection[int]) -> None:
    """Bring what is written of these alerts in line with what everybody sees, in the caller's transaction."""
    with transaction.atomic():
        known = {row.alert: row for row in _standing(alerts).select_for_update().order_by("pk")}
        seen = {each.id: each for each in warnings_of(alerts, ANONYMOUS)}
        for key, row in known.items():
            if key in seen:
                _follow(row, seen[key])
            else:
                _withdraw(row)
        for key in sorted(seen.keys() - known.keys()):
            _begin(seen[key])


def withdraw(alert: Alert) -> None:
    """The alert is about to be deleted."""
    with transaction.atomic():
        settle([alert.pk])
        for row in _standing([alert.pk]).select_for_update():
            _withdraw(row)


def tick(now: Micros) -> None:
    """Whatever was changed without a word, and forget what nobody needs any more."""
    shown = {each.id for each in public_warnings(ANONYMOUS, since=now - NEEDED)}
    settle(shown | set(Shown.objects.filter(withdrawn_at=None).values_list("alert", flat=True)))
    # The rounds of an alert in force are counted as long as it is.
    over = Shown.objects.exclude(alert__in=Alert.objects.filter(cleared_at=None).values("pk"))
    over.filter(withdrawn_at__lt=now - KEPT).delete()
    over.filter(withdrawn_at=None, over_at__lt=now - KEPT).delete()


def withdrawn(*, since: Micros) -> list[Withdrawn]:
    """What was taken back later than that."""
    rows = Shown.objects.filter(withdrawn_at__gte=since).order_by("withdrawn_at", "pk")
    return [Withdrawn(_as_told(row), row.withdrawn_at or 0) for row in rows]


def as_shown(warnings: Iterable[PublicWarning]) -> list[PublicWarning]:
    """The warnings for those who were told of every withdrawal: what was withdrawn begins anew, if it goes on."""
    listed = list(warnings)
    rows = Shown.objects.filter(alert__in=[each.id for each in listed]).order_by("round")
    newest = {row.alert: row for row in rows}
    pairs = [(each, newest.get(each.id)) for each in listed]
    return [
        _again(each, row) if row is not None and row.round else each
        for each, row in pairs
        if row is None or row.withdrawn_at is None
    ]


def _standing(alerts: Collection[int]) -> Any:
    return Shown.objects.filter(alert__in=alerts, withdrawn_at=None)


def _begin(warning: PublicWarning) -> None:
    earlier = Shown.objects.filter(alert=warning.id)
    if earlier.filter(withdrawn_at=None).exists():  # another process was quicker
        return
    number = earlier.count()
    row = Shown(alert=warning.id, round=number, kind=warning.kind)
    if number:
        row.since = now_us()
        if warning.over is not None:  # who has been told that it was withdrawn knows enough
            return
    _note(row, warning)
    Shown.objects.bulk_create([row], ignore_conflicts=True)


def _follow(row: Shown, warning: PublicWarning) -> None:
    before = row.changes, row.over_at
    _note(row, warning)
    if (row.changes, row.over_at) != before:
        row.save(update_fields=["changes", "over_at"])


def _note(row: Shown, warning: PublicWarning) -> None:
    told = _again(warning, row) if row.round else warning
    row.changes = [_written(each) for each in told.changes]
    row.over_at = warning.over


def _withdraw(row: Shown) -> None:
    now = now_us()
    if row.over_at is not None and row.over_at < now - NEEDED:
        row.delete()
        return
    row.withdrawn_at = now
    row.save(update_fields=["withdrawn_at"])
    take_back(row.alert, since=row.since)


def _again(warning: PublicWarning, row: Shown) -> PublicWarning:
    """What it says since it was shown again: how things were then, and each change after that."""
    last = [each for each in warning.changes if each.recorded <= row.since][-1:]
    if last and last[0].change == Change.CLEARED:
        last = []
    first = [replace(each, recorded=row.since) for each in last]
    later = [each for each in warning.changes if each.recorded > row.since]
    return replace(warning, changes=(*first, *later), round=row.round)


def _written(change: WarningChange) -> dict[str, Any]:
    return {
        "id": change.id,
        "change": str(change.change),
        "severity": str(change.severity),
        "recorded": change.recorded,
        "category": change.category,
    }


def _as_told(row: Shown) -> PublicWarning:
    changes = tuple(
        WarningChange(
            id=each["id"],
            change=Change(each["change"]),
            severity=Severity(each["severity"]),
            at=each["recorded"],
            recorded=each["recorded"],
            subjects={},
            sentences={},
            links={},
            category=each["category"],
        )
        for each in row.changes
    )
    first, last = changes[0] if changes else None, changes[-1] if changes else None
    return PublicWarning(
        id=row.alert,
        kind=row.kind,
        datastream=0,
        severity=last.severity if last else Severity.UNKNOWN,
        title={},
        opened=first.at if first else row.since,
        since=last.at if last else row.since,
        over=row.over_at,
        advice={},
        changes=changes,
        round=row.round,
    )
