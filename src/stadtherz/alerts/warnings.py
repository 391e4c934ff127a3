"""What the public is told: alerts marked as public about datastreams that the reader may see.

Only what the product itself has found is told. What people do with an alert, reminders and
hand-overs name people, and a test alarm is nobody's business outside: none of it comes out here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from stadtherz.alerts.models import Alert, AlertEvent
from stadtherz.alerts.people.calling import urgency
from stadtherz.alerts.public_words import advice_of
from stadtherz.base.time import Micros
from stadtherz.base.visibility import Visibility
from stadtherz.kit.declaration import Severity
from stadtherz.store.public import streams_visible_to

TOLD = (
    AlertEvent.Change.RAISED,
    AlertEvent.Change.ESCALATED,
    AlertEvent.Change.LOWERED,
    AlertEvent.Change.CLEARED,
)
_BY_HAND = "closed"  # its texts hold the reason that a person wrote down


@dataclass(frozen=True, slots=True)
class WarningChange:
    """One change of a public warning. `at` is the reading's time, `recorded` when we knew.

    `subjects` and `sentences` hold a text for each language; they are empty where a person ended it.
    `advice` is what it said one should do; `category` and `certainty` are words of CAP 1.2, an empty
    category is that of the kind.
    """

    id: int
    change: AlertEvent.Change
    severity: Severity
    at: Micros
    recorded: Micros
    subjects: Mapping[str, str]
    sentences: Mapping[str, str]
    links: Mapping[str, str]
    advice: Mapping[str, str] = field(default_factory=dict)
    category: str = ""
    certainty: str = "Observed"


@dataclass(frozen=True, slots=True)
class PublicWarning:
    """A warning as everybody may read it; `over` is None while it is in force.

    `advice` is what to do, by language, where staff have written it into the rule. `round` is how often it
    was shown to everybody and withdrawn before, see `alerts.shown`.
    """

    id: int
    kind: str
    datastream: int
    severity: Severity
    title: Mapping[str, str]
    opened: Micros
    since: Micros
    over: Micros | None
    advice: Mapping[str, str]
    changes: tuple[WarningChange, ...]
    round: int = 0

    @property
    def worst(self) -> Severity:
        """The gravest it has been."""
        return max((each.severity for each in self.changes), key=urgency, default=self.severity)

    @property
    def told(self) -> WarningChange | None:
        """The newest change that has words of its own."""
        worded = [each for each in self.changes if each.sentences]
        return worded[-1] if worded else None


def public_warnings(visibility: Visibility, *, since: Micros | None = None) -> list[PublicWarning]:
    """Those in force, the worst first; with `since` also those that ended later than that.

    Where nothing is in force this is a single query: every public page asks.
    """
    wanted = Q(cleared_at__isnull=True)
    if since is not None:
        wanted |= Q(cleared_at__gte=since)
    found = Alert.objects.filter(wanted, public=True, drill=False, datastream__isnull=False)
    return sorted(_visible(found, visibility), key=_order)


def warnings_of(alerts: Collection[int], visibility: Visibility) -> list[PublicWarning]:
    """Those of these alerts that are public warnings, in force or over."""
    found = Alert.objects.filter(pk__in=alerts, public=True, drill=False, datastream__isnull=False)
    return _visible(found, visibility)


def _visible(found: QuerySet[Alert], visibility: Visibility) -> list[PublicWarning]:
    alerts = list(found.select_related("rule"))
    if not alerts:
        return []
    about = {alert.datastream_id for alert in alerts if alert.datastream_id is not None}
    visible = streams_visible_to(visibility, about)
    alerts = [alert for alert in alerts if alert.datastream_id in visible]
    events = _events(alert.pk for alert in alerts)
    return [_warning(alert, events.get(alert.pk, [])) for alert in alerts]


def _order(warning: PublicWarning) -> tuple[bool, int, int, int]:
    """In force before over; then the gravest, or what ended last; then the newest."""
    if warning.over is not None:
        return True, 0, -warning.over, -warning.id
    return False, -urgency(warning.severity), -warning.since, -warning.id


def _events(alerts: Iterable[int]) -> dict[int, list[AlertEvent]]:
    found: dict[int, list[AlertEvent]] = {}
    for event in AlertEvent.objects.filter(alert__in=list(alerts), change__in=TOLD).order_by("id"):
        found.setdefault(event.alert_id, []).append(event)
    return found


def _change(event: AlertEvent, advice: Mapping[str, str]) -> WarningChange:
    """`advice` holds for what was recorded before the rule's own was written down with it."""
    texts = {} if event.cause.startswith(_BY_HAND) else event.texts

    def part(name: str) -> dict[str, str]:
        return {language: str(text.get(name) or "") for language, text in texts.items()}

    return WarningChange(
        id=event.pk,
        change=AlertEvent.Change(event.change),
        severity=Severity(event.severity),
        at=event.at,
        recorded=event.recorded_at,
        subjects=part("subject"),
        sentences=part("sentence"),
        links=part("link"),
        advice=event.public.get("advice", {}) if event.public else advice,
        category=event.public.get("category", ""),
        certainty=event.public.get("certainty", "Observed"),
    )


def _warning(alert: Alert, events: list[AlertEvent]) -> PublicWarning:
    advice = advice_of(alert.rule)
    if alert.datastream_id is None:  # never: the query leaves them out
        raise LookupError(alert.pk)
    return PublicWarning(
        id=alert.pk,
        kind=alert.kind,
        datastream=alert.datastream_id,
        severity=Severity(alert.severity),
        title=alert.title,
        opened=alert.opened_at,
        since=alert.changed_at,
        over=alert.cleared_at,
        advice=advice,
        changes=tuple(_change(event, advice) for event in events),
    )
