"""Whether anybody was told of an alert, in words: nobody must take silence for peace."""

from dataclasses import dataclass
from typing import Any, assert_never

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from stadtherz.alerts.public import Alert, Pause, Person, Unreached, Why
from stadtherz.base.time import to_us
from stadtherz.kit.declaration import Severity
from stadtherz.web import formats
from stadtherz.web.templatetags.sh import state_icon


@dataclass(frozen=True, slots=True)
class Notice:
    """What a card says where nobody was reached, and the way out. `url` shows why, or where to mend it."""

    sentence: str
    people: tuple[Person, ...]
    url: str
    link: str


@dataclass(frozen=True, slots=True)
class Silence:
    """That nobody is told of an alert now, until when and why, and where the pause is ended."""

    sentence: str
    url: str


def silence(found: Pause | None) -> Silence | None:
    if found is None:
        return None
    named = {"until": formats.when(to_us(found.ends)), "reason": found.reason}
    told = _("Silenced: nobody is told of it until %(until)s. Reason: %(reason)s") % named
    return Silence(told, reverse("pause:inspect", args=[found.pk]))


def notice(alert: Alert, found: Unreached | None) -> Notice | None:
    if found is None:
        return None
    if found.why is not Why.NOBODY:
        url = f"{reverse('delivery:index')}?alert={alert.pk}"
        return Notice(
            _sentence(alert, found.why), found.people, url, _("What became of the messages")
        )
    if alert.recipients is None:
        url = reverse("contactlist:index")
        return Notice(_sentence(alert, found.why), (), url, _("Contact lists"))
    url = reverse("contactlist:inspect", args=[alert.recipients.pk])
    return Notice(_sentence(alert, found.why), (), url, _("Who is on the list"))


def _sentence(alert: Alert, why: Why) -> str:
    match why:
        case Why.FAILED:
            return _("Nobody was reached: no message of this alarm has arrived.")
        case Why.UNCERTAIN:
            return _("Perhaps nobody was reached: nobody knows whether a message has arrived.")
        case Why.WAITING:
            return _(
                "Nobody was reached yet: the messages wait, because they cannot go at present."
            )
        case Why.NOBODY:
            if alert.recipients is None:
                return _("Nobody was told: no contact list is set for this.")
            named = {"name": alert.recipients.name}
            return (
                _("Nobody was told: on the list “%(name)s” there is nobody to be told of this.")
                % named
            )
    assert_never(why)


def told(alert: Any) -> SafeString | str:
    """For the history: whether a message went, with an icon where none did. As `with_reach` gives them."""
    if alert.told_any:
        return _("yes")
    if not alert.owed_any:
        return "–"
    return format_html(
        '<span class="staff-state staff-now__danger">{}{}</span>',
        *(state_icon(Severity.DANGER), _("nobody reached")),
    )
