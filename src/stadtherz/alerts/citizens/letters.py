"""The letters that ask for confirmation, and what comes of an address that cannot be reached.

They may be sent twice after a crash, which does no harm, so they need no outbox. Who asked is named
nowhere: the letter goes to whoever owns the address and says what to do if it was not them.
"""

import logging
import smtplib
from email.errors import MessageError

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.channels.outcomes import Gone, NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.citizens.links import token_of
from stadtherz.alerts.citizens.subscribing import HOURS_TO_CONFIRM
from stadtherz.alerts.models import Channel, Subscriber
from stadtherz.alerts.outbox.pushing import push_to
from stadtherz.base.time import MINUTE, Micros

logger = logging.getLogger(__name__)

_PORTION = 20  # a slow mail server must not hold up the clock for long
_PAUSE = 5 * MINUTE


def write_letters(now: Micros) -> None:
    """Send the letters that are due; one that fails is tried again later."""
    due = Subscriber.objects.filter(write_at__lte=now)
    if not settings.STADTHERZ["smtp"]:
        due = due.exclude(channel=Channel.EMAIL)
    for subscriber in due.order_by("write_at")[:_PORTION]:
        _write(subscriber)


def _write(subscriber: Subscriber) -> None:
    row = Subscriber.objects.filter(pk=subscriber.pk, write_at=subscriber.write_at)
    if not row.update(write_at=F("write_at") + _PAUSE):  # another process has it
        return
    try:
        if subscriber.channel == Channel.PUSH:
            _push(subscriber)
        else:
            _letter(subscriber).send()
    except Gone:  # the device has unsubscribed meanwhile
        Subscriber.objects.filter(pk=subscriber.pk).delete()
        return
    except (
        NotHandedOver,
        PerhapsHandedOver,
        OSError,
        smtplib.SMTPException,
        MessageError,
    ) as problem:
        logger.warning(
            "the letter to subscriber %s failed: %s", subscriber.pk, type(problem).__name__
        )
        return
    Subscriber.objects.filter(pk=subscriber.pk).update(write_at=None)


def _letter(subscriber: Subscriber) -> EmailMessage:
    with override(subscriber.language):
        path = reverse("web:subscription", args=[token_of(subscriber)])
        facts = {
            "city": settings.STADTHERZ["city"],
            "url": settings.STADTHERZ["public_url"] + path,
            "hours": HOURS_TO_CONFIRM,
        }
        subject, text = _change(facts) if subscriber.confirmed_at else _confirm(facts)
    headers = {"Auto-Submitted": "auto-generated"}
    return EmailMessage(subject, text, to=[subscriber.address], headers=headers)


def _push(subscriber: Subscriber) -> None:
    """The same question for a device: that it arrives there proves whose the subscription is."""
    with override(subscriber.language):
        city = {"city": settings.STADTHERZ["city"]}
        path = reverse("web:subscription", args=[token_of(subscriber)])
        asks = subscriber.confirmed_at is None
        content = {
            "title": (
                _("Please confirm: warnings of %(city)s")
                if asks
                else _("Your warnings of %(city)s")
            )
            % city,
            "body": _("Open this and confirm that you want warnings on this device.")
            if asks
            else _("This device gets warnings already. Open this to change or end them."),
            "url": settings.STADTHERZ["public_url"] + path,
            "tag": "subscription",
            "lang": subscriber.language,
            "severity": "info",
        }
    push_to(subscriber.address, subscriber.details, content, topic="subscription")


def _confirm(facts: dict[str, object]) -> tuple[str, str]:
    return _("Please confirm: warnings of %(city)s") % facts, _(
        "Somebody wants warnings of %(city)s to be sent to this address.\n\n"
        "If that was you, confirm it on this page within %(hours)s hours:\n%(url)s\n\n"
        "If it was not you, there is nothing to do: without your confirmation nothing more is sent, "
        "and the address is deleted.\n"
    ) % facts


def _change(facts: dict[str, object]) -> tuple[str, str]:
    return _("Your warnings of %(city)s") % facts, _(
        "Warnings of %(city)s are sent to this address already.\n\n"
        "On this page you change what you are warned of, or unsubscribe:\n%(url)s\n"
    ) % facts
