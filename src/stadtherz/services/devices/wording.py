"""What those who look after devices are told, in each language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.public import Wording
from stadtherz.base.time import Micros
from stadtherz.ingest.public import Condition, KnownDevice
from stadtherz.kit.declaration import Severity
from stadtherz.web.public import device_words

SILENT = "devices.silent"
BATTERY = "devices.battery"


@dataclass(frozen=True, slots=True)
class Story:
    """A change told in each language; the name of the state is empty when it is over."""

    severity: Severity
    title: Mapping[str, str]
    texts: Mapping[str, Wording]


def _story(severity: Severity, title: Callable[[], str], wording: Callable[[], Wording]) -> Story:
    titles, texts = {}, {}
    for code, _name in settings.LANGUAGES:
        with override(code):
            titles[code], texts[code] = title(), wording()
    return Story(severity, {} if severity is Severity.OK else titles, texts)


def device_silent(each: KnownDevice, now: Micros) -> Story:
    def wording() -> Wording:
        told = device_words.sentence(Condition.SILENT, each.facts, now)
        subject = _("Device silent: %(device)s") % {"device": each.device.name}
        return _of_device(each, subject, told)

    return _story(Severity.WARNING, lambda: _("Device silent"), wording)


def device_never_sent(each: KnownDevice, now: Micros) -> Story:
    def wording() -> Wording:
        told = device_words.sentence(Condition.NEVER_SENT, each.facts, now)
        subject = _("Device has never sent: %(device)s") % {"device": each.device.name}
        return _of_device(each, subject, told)

    return _story(Severity.WARNING, lambda: _("Device has never sent"), wording)


def many_never_sent(count: int) -> Story:
    def wording() -> Wording:
        values = {"count": count}
        return Wording(
            subject=_("%(count)s devices have never sent") % values,
            sentence=_(
                "%(count)s registered devices should have sent by now, and nothing has come from any of them."
            )
            % values,
            facts=((_("Devices affected"), str(count)),),
            link=reverse("silent:index"),
        )

    return _story(Severity.WARNING, lambda: _("Devices have never sent"), wording)


def all_have_sent() -> Story:
    def wording() -> Wording:
        return Wording(
            subject=_("New devices report"),
            sentence=_("None is left of the new devices that had never sent."),
            facts=(),
            link=reverse("silent:index"),
        )

    return _story(Severity.OK, str, wording)


def device_heard(each: KnownDevice) -> Story:
    def wording() -> Wording:
        since = {"since": device_words.since(each.facts.last_seen)}
        subject = _("Device reports again: %(device)s") % {"device": each.device.name}
        return _of_device(each, subject, _("It is no longer silent; last heard %(since)s.") % since)

    return _story(Severity.OK, str, wording)


def battery(each: KnownDevice, condition: Condition | None, now: Micros) -> Story:
    def wording() -> Wording:
        told = device_words.sentence(condition or Condition.BATTERY_LOW, each.facts, now)
        subject = _("Battery soon empty: %(device)s") % {"device": each.device.name}
        return _of_device(each, subject, told)

    return _story(Severity.INFO, lambda: _("Battery soon empty"), wording)


def battery_fine(each: KnownDevice) -> Story:
    def wording() -> Wording:
        subject = _("Battery is fine again: %(device)s") % {"device": each.device.name}
        value = {"value": device_words.battery(each.facts)}
        return _of_device(each, subject, _("Its battery is fine again: %(value)s.") % value)

    return _story(Severity.OK, str, wording)


def group_silent(key: str, since: Micros, count: int) -> Story:
    def wording() -> Wording:
        values = {"name": group_name(key), "since": device_words.since(since), "count": count}
        return Wording(
            subject=_("Silent: %(name)s") % values,
            sentence=_(
                "Nothing has come through %(name)s since %(since)s; %(count)s devices are affected."
            )
            % values,
            facts=((_("Devices affected"), str(count)),),
            link=reverse("silent:index"),
        )

    return _story(Severity.DANGER, lambda: _("Network or gateway silent"), wording)


def group_heard(key: str) -> Story:
    def wording() -> Wording:
        values = {"name": group_name(key)}
        return Wording(
            subject=_("Reports again: %(name)s") % values,
            sentence=_("Messages come through %(name)s again.") % values,
            facts=(),
            link=reverse("silent:index"),
        )

    return _story(Severity.OK, str, wording)


def group_name(key: str) -> str:
    """A network's or gateway's name, in the active language."""
    network, _slash, gateway = key.partition("/")
    name = device_words.network(network)
    if not gateway:
        return name
    return _("gateway %(gateway)s (%(network)s)") % {"gateway": gateway, "network": name}


def _of_device(each: KnownDevice, subject: str, told: str) -> Wording:
    return Wording(
        subject=subject,
        sentence=f"{each.device.name}: {told}",
        facts=((_("Device"), each.device.name), (_("Identifier"), each.device.dev_eui)),
        link=reverse("device:inspect", args=[each.device.pk]),
    )
