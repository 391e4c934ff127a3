"""How devices are, in the words of people who look after them; in the active language."""

from collections.abc import Mapping
from datetime import timedelta

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from stadtherz.base.time import DAY, HOUR, MINUTE, SECOND, Micros, now
from stadtherz.ingest.public import Condition, Device, Facts, share
from stadtherz.kit.declaration import Severity
from stadtherz.web import formats
from stadtherz.web.templatetags.sh import state_icon

NAMES = {
    Condition.SILENT: gettext_lazy("silent"),
    Condition.NEVER_SENT: gettext_lazy("has never sent"),
    Condition.BATTERY_LOW: gettext_lazy("battery low"),
    Condition.NEVER_HEARD: gettext_lazy("never heard"),
    Condition.LATE: gettext_lazy("late"),
    Condition.BATTERY_SOON: gettext_lazy("battery soon empty"),
    Condition.MANY_LOST: gettext_lazy("many losses"),
    Condition.WEAK_RADIO: gettext_lazy("weak radio"),
    Condition.CLOCK_WRONG: gettext_lazy("clock wrong"),
    Condition.FINE: gettext_lazy("fine"),
    Condition.SWITCHED_OFF: gettext_lazy("switched off"),
}
_SEVERITIES: Mapping[Condition, Severity] = {
    Condition.SILENT: Severity.DANGER,
    Condition.NEVER_SENT: Severity.DANGER,
    Condition.BATTERY_LOW: Severity.DANGER,
    Condition.NEVER_HEARD: Severity.UNKNOWN,
    Condition.FINE: Severity.OK,
    Condition.SWITCHED_OFF: Severity.UNKNOWN,
    Condition.WEAK_RADIO: Severity.INFO,
    Condition.BATTERY_SOON: Severity.INFO,
}


def severity(condition: Condition) -> Severity:
    return _SEVERITIES.get(condition, Severity.WARNING)


def badge(condition: Condition) -> SafeString:
    """A state as icon and word; never colour alone."""
    return _mark(severity(condition), NAMES[condition])


def _mark(state: Severity, words: object) -> SafeString:
    return format_html(
        '<span class="staff-mark staff-now__{}">{} {}</span>',
        *(state.value, state_icon(state), words),
    )


def refused_badge() -> SafeString:
    """The state of a device that is heard, but not understood."""
    return _mark(Severity.WARNING, _("heard, but refused"))


def refused(facts: Facts) -> str:
    """That it is heard, and that this is not all."""
    return _("It is heard, the last time %(since)s, but messages of it are refused: see below.") % {
        "since": since(facts.last_seen)
    }


def sentence(condition: Condition, facts: Facts, now_at: Micros) -> str:
    """The state in one plain sentence."""
    match condition:
        case Condition.BATTERY_LOW:
            return _("Its battery is low: %(value)s.") % {"value": battery(facts)}
        case Condition.BATTERY_SOON:
            return empty(facts.empty_at, now_at)
        case Condition.MANY_LOST:
            return losses(facts.received, facts.lost)
        case Condition.WEAK_RADIO:
            return _("It is hardly heard: %(signal)s at best.") % {"signal": signal(facts)}
        case Condition.CLOCK_WRONG:
            return _clock(facts.skew or 0)
    return _presence(condition, facts)


def _presence(condition: Condition, facts: Facts) -> str:
    """When it was last heard, and whether that is as it should be."""
    if condition is Condition.NEVER_HEARD:
        return _(
            "Nothing has come from it yet. Check its device EUI and its network’s integration."
        )
    if condition is Condition.NEVER_SENT:
        return _never_sent(facts)
    if condition is Condition.SWITCHED_OFF:
        return _("Switched off: what it sends is refused.")
    values = {"since": since(facts.last_seen), "every": every(facts.interval)}
    if condition is Condition.SILENT:
        return _("Silent since %(since)s; it usually reports %(every)s.") % values
    if condition is Condition.LATE:
        return _("Late: last heard %(since)s; it usually reports %(every)s.") % values
    if facts.interval is None:
        return _("Last heard %(since)s. How often it reports is not known yet.") % values
    return _("All is well: last heard %(since)s; it usually reports %(every)s.") % values


def _never_sent(facts: Facts) -> str:
    values = {"since": since(facts.registered), "every": every(facts.interval)}
    if facts.interval is None:
        told = _("It has never sent, and has been registered since %(since)s.") % values
    else:
        told = (
            _("It has never sent: registered since %(since)s, it should report %(every)s.") % values
        )
    check = _(
        "Check whether it is switched on, its identifier, and whether its network delivers here."
    )
    return f"{told} {check}"


def _clock(skew: Micros) -> str:
    values = {"time": duration(abs(skew))}
    if skew > 0:
        return _("Its own clock is %(time)s ahead; the network’s time is used.") % values
    return _("Its own clock is %(time)s behind; the network’s time is used.") % values


def network(key: str) -> str:
    """What people call a network."""
    return str(dict(Device._meta.get_field("network").flatchoices).get(key, key))


def losses(received: int, lost: int) -> str:
    """What came of the uplinks of the last seven days."""
    percent = share(received, lost)
    if percent is None:
        return _("Nothing was heard in the last 7 days.")
    values = {"percent": formats.number(percent, 0 if percent >= 10 else 1)}
    return _("In the last 7 days %(percent)s %% of its messages were lost.") % values


def empty(at: Micros | None, now_at: Micros) -> str:
    """When the battery will be empty; empty where nobody can know."""
    if at is None:
        return ""
    left = at - now_at
    if left < DAY:
        return _("Its battery should be empty by now.")
    if left > 4 * 365 * DAY:
        return _("Its battery lasts for years.")
    return _empty_in(left / DAY)


def _empty_in(days: float) -> str:
    if days >= 75:
        return ngettext(
            "Its battery will be empty in about %(count)s month.",
            "Its battery will be empty in about %(count)s months.",
            months := round(days / 30.44),
        ) % {"count": months}
    if days >= 14:
        return ngettext(
            "Its battery will be empty in about %(count)s week.",
            "Its battery will be empty in about %(count)s weeks.",
            weeks := round(days / 7),
        ) % {"count": weeks}
    return ngettext(
        "Its battery will be empty in about %(count)s day.",
        "Its battery will be empty in about %(count)s days.",
        whole := max(round(days), 1),
    ) % {"count": whole}


def battery(facts: Facts) -> str:
    """Percent, or volts, or both."""
    told = []
    if facts.battery is not None:
        told.append(formats.measure(facts.battery, "%"))
    if facts.volts is not None:
        told.append(formats.measure(facts.volts, "V", 2))
    return ", ".join(told) or formats.NO_VALUE


def signal(facts: Facts) -> str:
    told = []
    if facts.rssi is not None:
        told.append(formats.measure(facts.rssi, "dBm"))
    if facts.snr is not None:
        told.append(formats.measure(facts.snr, "dB", 1))
    return ", ".join(told) or formats.NO_VALUE


def every(interval: Micros | None) -> str:
    """How often: "every 15 minutes"."""
    if interval is None:
        return formats.NO_VALUE
    if interval < 55 * SECOND:
        return _("several times a minute")
    for unit, upto in ((MINUTE, 90), (HOUR, 36), (DAY, 10_000)):
        count = max(round(interval / unit), 1)
        if count <= upto:
            return _every(unit, count)
    return formats.NO_VALUE


def _every(unit: Micros, count: int) -> str:
    values = {"count": count}
    if unit == MINUTE:
        return ngettext("every minute", "every %(count)s minutes", count) % values
    if unit == HOUR:
        return ngettext("every hour", "every %(count)s hours", count) % values
    return ngettext("every day", "every %(count)s days", count) % values


def duration(span: Micros) -> str:
    """A length of time in one unit: "3 hours"."""
    if span >= 2 * DAY:
        return ngettext("%(count)s day", "%(count)s days", n := round(span / DAY)) % {"count": n}
    if span >= 100 * MINUTE:
        return ngettext("%(count)s hour", "%(count)s hours", n := round(span / HOUR)) % {"count": n}
    n = max(round(span / MINUTE), 1)
    return ngettext("%(count)s minute", "%(count)s minutes", n) % {"count": n}


def since(moment: Micros | None) -> str:
    """A time as one says it: "14:32", "yesterday 14:32", or with its date."""
    if moment is None:
        return formats.when(None)
    time = pgettext("time of day", "%(time)s") % {"time": formats.clock(moment)}
    then, today = formats.local(moment).date(), localtime(now()).date()
    if then == today:
        return time
    if then == today - timedelta(days=1):
        return _("yesterday %(time)s") % {"time": time}
    return f"{formats.date(moment)}, {time}"
