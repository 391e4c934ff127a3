"""What somebody answers by SMS: "OK 17", "17", "quittieren 17 müde", or "ok" where only one is open."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.models import Address, Alert, AlertNote, Channel, Contact
from stadtherz.alerts.people import wording
from stadtherz.alerts.people.notes import Outcome, Taken, acknowledge
from stadtherz.alerts.people.phones import e164, from_network

logger = logging.getLogger(__name__)

_YES = r"ok|okay|o\.k\.|ja|yes|quittieren|quittiert|quittung|bestätigt|acknowledge|ack|übernehme"
_ANSWER = re.compile(
    rf"(?:(?P<yes>{_YES})(?![^\W\d_])[\s,.:!-]*)?(?:#?\s*(?P<code>\d{{1,5}})\b)?(?P<why>.*)",
    re.IGNORECASE | re.DOTALL,
)
_AT_MOST = 10  # answers to one number in `_WINDOW`: two machines must not talk for ever
_WINDOW = 600


@dataclass(frozen=True, slots=True)
class Read:
    """An answer as it was understood; without `code` the sender means the only open alert."""

    code: int | None
    why: str


def read(text: str) -> Read | None:
    """What the text says, or None if it is no answer to an alert."""
    found = _ANSWER.fullmatch(text.strip())
    if found is None or not (found["yes"] or found["code"]):
        return None
    return Read(int(found["code"]) if found["code"] else None, found["why"].strip(" ,.:;-\n\r\t"))


def by_sms(sender: str, text: str) -> str | None:
    """Take the alert on that the text names; what to answer, or None for nothing.

    Only the people who were told of an alert may take it on. Unknown numbers get no answer.
    """
    people = _known(sender)
    if not people:
        logger.warning("an SMS of an unknown number ending in %s was passed over", sender[-3:])
        return None
    if not _may_answer(sender):
        logger.warning("too many SMS of the number ending in %s; not answered", sender[-3:])
        return None
    with override(people[0].language):
        answer = read(text)
        if answer is None:
            return _("Not understood. Answer OK and the number of the alert, for example OK 17.")
        return _act(people, answer)


def _known(sender: str) -> list[Contact]:
    """Active people with this number, however it is written here or there."""
    number = from_network(sender) or e164(sender)
    if number is None:
        return []
    rows = Address.objects.filter(channel=Channel.SMS, contact__active=True)
    own = rows.filter(Q(address=number) | ~Q(address__startswith="+") | Q(address__contains=" "))
    return [
        each.contact
        for each in own.select_related("contact").order_by("contact")
        if e164(each.address) == number
    ]


def _act(people: Sequence[Contact], answer: Read) -> str:
    mine = _open_alerts(people)
    if answer.code is not None:
        chosen = [alert for alert in mine if alert.code == answer.code]
        if not chosen:
            return _not_open(people, answer.code)
    else:
        chosen = [alert for alert in mine if not _has_answered(alert, people)]
        if len(chosen) > 1:
            numbers = ", ".join(str(alert.code) for alert in chosen[:10])
            return _("Several alerts are open: %(numbers)s. Answer OK and the number.") % {
                "numbers": numbers
            }
        if not chosen:
            return _("No alert is waiting for your answer.")
    return _taken(chosen[0], people, answer.why)


def _open_alerts(people: Sequence[Contact]) -> list[Alert]:
    told = Q(events__deliveries__contact__in=people)
    return list(Alert.objects.filter(told, cleared_at=None).distinct().order_by("pk"))


def _has_answered(alert: Alert, people: Sequence[Contact]) -> bool:
    if not alert.drill:
        return alert.acknowledged_at is not None
    given = AlertNote.objects.filter(alert=alert, act=AlertNote.Act.ACKNOWLEDGED)
    return given.filter(contact__in=people).exists()


def _not_open(people: Sequence[Contact], code: int) -> str:
    ended = Alert.objects.filter(
        code=code, cleared_at__isnull=False, events__deliveries__contact__in=people
    )
    if ended.exists():
        return _("Alert %(code)s is over already.") % {"code": code}
    return _("There is no open alert %(code)s for you.") % {"code": code}


def _taken(alert: Alert, people: Sequence[Contact], why: str) -> str:
    told = [each for each in people if _was_told(alert, each)]
    person = (told or list(people))[0]
    done = acknowledge(alert.pk, person.name, "sms", why[:500], contact=person.pk)
    with override(person.language):
        return _sentence(alert, done, person)


def _was_told(alert: Alert, contact: Contact) -> bool:
    return Alert.objects.filter(pk=alert.pk, events__deliveries__contact=contact).exists()


def _sentence(alert: Alert, done: Taken, person: Contact) -> str:
    texts = wording.last_texts(alert)
    text = texts.get(person.language) or next(iter(texts.values()), {"subject": ""})
    named = {"code": alert.code, "subject": text["subject"], "who": done.by or _("Somebody")}
    if done.outcome == Outcome.OVER:
        return _("Alert %(code)s is over already.") % named
    if alert.drill:
        return _("Thank you, your answer to test alarm %(code)s has arrived.") % named
    if done.outcome == Outcome.BEFORE:
        return _("%(who)s has taken on alert %(code)s already (%(subject)s).") % named
    return _("You have taken on alert %(code)s: %(subject)s.") % named


def _may_answer(sender: str) -> bool:
    key = f"alerts.sms.{from_network(sender)}"
    cache.add(key, 0, _WINDOW)
    try:
        return cache.incr(key) <= _AT_MOST
    except ValueError:  # its time ended in this moment
        return True
