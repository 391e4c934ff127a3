"""Telephones and browsers that show a person's alerts, entered by the person without an account.

The link to the page is signed for one contact and good for a week: staff hand it out, the page of an
alert leads to it, and who is signed in finds it on the board. By it a person removes a device, too: one
that was lost, or sold. Staff see each device among the addresses.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.channels.outcomes import Gone, NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.channels.webpush import device
from stadtherz.alerts.models import Address, Channel, Contact
from stadtherz.alerts.outbox.pushing import push_to
from stadtherz.base.errors import Conflict

logger = logging.getLogger(__name__)

URL_NAME = "alert-device"
MOST = 10  # devices of one person
_WEEK_S = 7 * 24 * 3600
_SIGNER = TimestampSigner(salt="stadtherz.alerts.device", sep="~")


@dataclass(frozen=True, slots=True)
class OwnDevice:
    """A device as its owner knows it; `id` is that of the address."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class DeviceOwner:
    """Whose page it is."""

    contact: int
    name: str
    language: str
    devices: tuple[OwnDevice, ...]


def device_link(contact: int) -> str:
    """The path, without host, of the page on which this person's devices enter themselves."""
    return reverse(URL_NAME, args=[_SIGNER.sign(str(contact))])


def device_link_of(email: str, owners: Iterable[int] | None) -> str:
    """The same for somebody who is signed in: the contact with this e-mail address; empty if there is none.

    `owners` are the organisations whose contacts count, None for all.
    """
    known = Address.objects.filter(
        channel=Channel.EMAIL, address__iexact=email, contact__active=True
    )
    if owners is not None:
        known = known.filter(contact__owner__in=list(owners))
    found = known.order_by("pk").first()
    return device_link(found.contact_id) if found is not None and email else ""


def device_owner(token: str) -> DeviceOwner | None:
    """Whose link it is; None if it is none of ours, too old, or the person is gone."""
    try:
        pk = int(_SIGNER.unsign(token, max_age=_WEEK_S))
    except BadSignature:
        return None
    contact = Contact.objects.filter(pk=pk, active=True).first()
    if contact is None:
        return None
    rows = contact.addresses.filter(channel=Channel.PUSH)
    devices = tuple(OwnDevice(each.pk, each.shown) for each in rows)
    return DeviceOwner(contact.pk, contact.name, contact.language, devices)


def add_device(owner: DeviceOwner, subscription: Any, name: str) -> Address:
    """Keep a device as the person's address. Raises Invalid for what is no subscription, Conflict for too many."""
    found = device(subscription)
    details = {**found.details, "device": " ".join(name.split())[:80]}
    with transaction.atomic():
        contact = Contact.objects.select_for_update().get(pk=owner.contact)
        rows = list(Address.objects.filter(contact=contact))
        mine = [each for each in rows if each.channel == Channel.PUSH]
        known = next((each for each in mine if each.address == found.endpoint), None)
        if known is None and len(mine) >= MOST:
            raise Conflict(f"there are {MOST} devices already")
        if known is None:
            place = max((each.sort_order for each in rows), default=-1) + 1
            known = Address(
                contact=contact,
                channel=Channel.PUSH,
                address=found.endpoint,
                sort_order=place,
            )
            logger.info("contact %s has a new device", contact.pk)
        known.details = details
        known.save()
    return known


def remove_device(owner: DeviceOwner, device: int) -> bool:
    """Show no more alerts there; False if it is none of the person's, or gone already.

    What is still owed to it goes the person's next way. Raises Conflict where the person could not be
    reached at all any more: that is for those who run the list to decide.
    """
    with transaction.atomic():
        contact = Contact.objects.select_for_update().get(pk=owner.contact)
        rows = Address.objects.filter(contact=contact)
        gone = rows.filter(pk=device, channel=Channel.PUSH).first()
        if gone is None:
            return False
        if not rows.exclude(pk=gone.pk).exists():
            raise Conflict("this is the only way to reach the person")
        gone.delete()
    logger.info("contact %s has removed a device", owner.contact)
    return True


def try_device(address: Address, city: str, url: str) -> bool:
    """Push a greeting now; False if the device's server has not taken it."""
    with override(address.contact.language):
        content = {
            "title": _("Alerts of %(city)s") % {"city": city},
            "body": _("This device shows your alerts from now on."),
            "url": url,
            "tag": "hello",
            "lang": address.contact.language,
            "severity": "info",
        }
    try:
        push_to(address.address, address.details, content, topic="hello")
    except (Gone, NotHandedOver, PerhapsHandedOver) as problem:
        logger.warning("the greeting to device %s failed: %s", address.pk, problem)
        return False
    return True
