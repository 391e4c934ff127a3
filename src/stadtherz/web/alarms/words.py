"""An alert in words, in the active language."""

from collections.abc import Mapping

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from stadtherz.alerts.public import WITHDRAWN_KIND, Alert, AlertEvent
from stadtherz.base.time import MINUTE, Micros
from stadtherz.kit.declaration import Severity
from stadtherz.kit.registry import services
from stadtherz.web import formats


def kind(alert: Alert) -> str:
    """What the service, or the rule, calls this kind of alert."""
    if alert.rule is not None:
        return alert.rule.name
    names = {each.key: each.name for service in services() for each in service.alerts}
    names["alerts.gateway"] = _("Gateway down")
    names["alerts.gateway_limit"] = _("Day's limit of SMS reached")
    names[WITHDRAWN_KIND] = _("Public warning withdrawn")
    names["alerts.drill"] = _("Test alarm")
    names["alerts.drill_due"] = _("Reminder of test alarms")
    return str(names.get(alert.kind, alert.kind))


def place(alert: Alert) -> str:
    """What it is about; a test alarm names its list."""
    return str(alert.datastream.thing if alert.datastream else alert.recipients or "–")


def part(texts: Mapping[str, str]) -> str:
    return texts.get(get_language() or "de") or texts.get("de") or next(iter(texts.values()), "")


def step(alert: Alert) -> str:
    """The step's name; an alert that is over has none."""
    return part(alert.title) or _("over")


def state(severity: str) -> str:
    match severity:
        case Severity.DANGER:
            return _("Danger")
        case Severity.WARNING:
            return _("Warning")
        case Severity.OK:
            return _("all clear")
        case Severity.UNKNOWN:
            return _("unknown")
    return _("Information")


def said(event: AlertEvent | None, what: str = "sentence") -> str:
    """What an event said in the reader's language."""
    if event is None or not event.texts:
        return ""
    return str(event.wording(get_language() or "de").get(what) or "")


def lasting(span: Micros) -> str:
    """A span as people say it: 5 minutes, 3 hours, 2 days."""
    minutes = max(0, round(span / MINUTE))
    if not minutes:
        return _("less than a minute")
    if minutes < 120:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": formats.number(minutes)}
    hours = round(minutes / 60)
    if hours < 48:
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": formats.number(hours)}
    days = round(hours / 24)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": formats.number(days)}


def taken(alert: Alert) -> str:
    """Who has it."""
    if alert.acknowledged_at is None:
        return _("nobody yet")
    who = alert.acknowledged_by or _("somebody")
    return f"{who}, {formats.when(alert.acknowledged_at)}"
