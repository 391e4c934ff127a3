"""What people are told besides changes of state: the last message of the alert with a word before it.

No names stand in these texts, but for one: who has taken an alert on. `forgetting` takes it out
when the person goes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.models import LANGUAGES, Alert, AlertEvent, ContactList

Texts = dict[str, dict[str, Any]]
_STATES = ("raised", "escalated", "lowered", "cleared")


def last_texts(alert: Alert) -> Mapping[str, Mapping[str, Any]]:
    """The words of the last change of state."""
    event = AlertEvent.objects.filter(alert=alert, change__in=_STATES).order_by("-pk").first()
    return {} if event is None else event.texts


def reminder(alert: Alert) -> Texts:
    return _retold(alert, lambda: (_("Reminder"), _("Nobody has taken this on yet.")))


def forwarded(alert: Alert, silent: ContactList, *, reached: bool) -> Texts:
    """`reached`: whether any message may have come to somebody of that list."""

    def lead() -> tuple[str, str]:
        named = {"name": silent.name}
        if reached:
            return _("No answer"), _("Nobody of “%(name)s” has answered.") % named
        return _("Nobody reached"), _("Nobody of “%(name)s” could be reached.") % named

    return _retold(alert, lead)


def resumed(alert: Alert) -> Texts:
    return _retold(alert, lambda: (_("Still so"), _("The pause is over, and this still holds.")))


def handed_over(alert: Alert) -> Texts:
    def lead() -> tuple[str, str]:
        taken = _("It has been taken on.") if alert.acknowledged_at else ""
        told = _("You are on duty now, and this alert is open.")
        return _("On duty"), f"{told} {taken}".strip()

    return _retold(alert, lead)


def taken_on(alert: Alert, who: str) -> Texts:
    return _retold(
        alert,
        lambda: (_("Taken on"), _("%(who)s has taken this on.") % {"who": who or _("Somebody")}),
    )


def closed(alert: Alert, why: str) -> Texts:
    return _retold(
        alert,
        lambda: (
            _("Closed"),
            _("The alert was closed by hand: %(why)s.") % {"why": why.rstrip(".")},
        ),
    )


def drill(recipients: ContactList, link: str) -> Texts:
    """The whole message of a test alarm, which says so first."""
    told: Texts = {}
    for language, _name in LANGUAGES:
        with override(language):
            told[language] = {
                "subject": _("TEST ALARM: %(name)s") % {"name": recipients.name},
                "sentence": _(
                    "TEST ALARM. Nothing has happened. Please acknowledge this message, so that we know "
                    "that it reaches you."
                ),
                "facts": [[_("Contact list"), recipients.name]],
                "link": link,
            }
    return told


def _retold(alert: Alert, lead: Callable[[], tuple[str, str]]) -> Texts:
    """The last message in each of its languages, with the word and the sentence of `lead` before it."""
    told: Texts = {}
    for language, text in last_texts(alert).items():
        with override(language):
            word, sentence = lead()
        told[language] = {
            **text,
            "subject": _joined(text["subject"], word, drill=alert.drill),
            "sentence": f"{sentence} {text['sentence']}",
        }
        if alert.drill:  # a test alarm says so before anything else
            told[language]["sentence"] = f"{text['sentence']} {sentence}"
    return told


def _joined(subject: str, word: str, *, drill: bool) -> str:
    return f"{subject} ({word})" if drill else f"{word}: {subject}"
