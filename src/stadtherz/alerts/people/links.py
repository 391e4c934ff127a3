"""The link in a message by which its reader takes an alert on, without signing in.

The token names the delivery and is signed, so a link is good for one person and one alert; it is short,
because it travels by SMS. Opening it changes nothing (programs that look after mail open every
link); the button on its page does.
"""

import base64
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from stadtherz.alerts.models import Alert, Contact, Delivery
from stadtherz.alerts.people import rollcall, wording
from stadtherz.alerts.people.notes import Outcome, Taken, acknowledge
from stadtherz.base.time import DAY, Micros, now_us

URL_NAME = "alert-answer"
_BYTES = 12  # 96 bits that nobody guesses, in 16 letters
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Question:
    """What the page behind a link asks, in the reader's language."""

    alert: int
    contact: int
    name: str
    language: str
    subject: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    drill: bool
    severity: str
    since: Micros
    over: bool
    taken_by: str
    taken_at: Micros | None
    mine: bool


def link_for(delivery: Delivery) -> str:
    """The path, without host, by which the receiver of this message takes its alert on."""
    return reverse(URL_NAME, args=[token_of(delivery.pk)])


def token_of(delivery: int) -> str:
    return f"{_written(delivery)}-{_signature(delivery)}"


def question(token: str) -> Question | None:
    """What is asked; None if the link is none of ours, its reader is gone, or its time is over."""
    found = _delivery(token)
    if found is None or found.contact is None or not found.contact.active:
        return None
    alert = found.event.alert
    if alert.cleared_at is not None and alert.cleared_at + DAY < now_us():
        return None
    return _asked(alert, found.contact)


def answer(token: str, why: str = "") -> Taken | None:
    """Take the alert on by its link; None as for `question`."""
    asked = question(token)
    if asked is None:
        return None
    return acknowledge(asked.alert, asked.name, "link", why[:500], contact=asked.contact)


def _asked(alert: Alert, contact: Contact) -> Question:
    texts = wording.last_texts(alert)
    text = texts.get(contact.language) or next(iter(texts.values()), {})
    mine = contact.pk in rollcall.answered(alert)
    taken = mine if alert.drill else alert.acknowledged_at is not None
    return Question(
        alert=alert.pk,
        contact=contact.pk,
        name=contact.name,
        language=contact.language,
        subject=text.get("subject", ""),
        sentence=text.get("sentence", ""),
        facts=tuple((label, value) for label, value in text.get("facts", ())),
        drill=alert.drill,
        severity=alert.severity,
        since=alert.opened_at,
        over=alert.cleared_at is not None,
        taken_by=(contact.name if alert.drill else alert.acknowledged_by) if taken else "",
        taken_at=alert.acknowledged_at or (alert.opened_at if taken else None),
        mine=mine,
    )


def _delivery(token: str) -> Delivery | None:
    number, _dash, signature = token.partition("-")
    if not number or len(number) > 12 or any(digit not in _DIGITS for digit in number):
        return None
    delivery = int(number, 36)
    if not constant_time_compare(signature, _signature(delivery)):
        return None
    rows = Delivery.objects.select_related("event__alert", "contact")
    return rows.filter(pk=delivery).first()


def _signature(delivery: int) -> str:
    key = salted_hmac(
        "stadtherz.alerts.link", str(delivery), secret=settings.SECRET_KEY, algorithm="sha256"
    )
    return base64.urlsafe_b64encode(key.digest()[:_BYTES]).decode()


def _written(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


__all__ = ["Outcome", "Question", "Taken", "answer", "link_for", "question", "token_of"]
