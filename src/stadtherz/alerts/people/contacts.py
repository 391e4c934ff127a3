"""People and lists for scripts and set-up; staff edit them in the back office."""

from collections.abc import Iterable

from django.db import transaction

from stadtherz.alerts.channels import vault
from stadtherz.alerts.models import Address, Channel, Contact, ContactList
from stadtherz.alerts.people.phones import e164


def add_contact(
    *, owner: int, name: str, email: str = "", phone: str = "", language: str = "de"
) -> int:
    """The id of the organisation's contact with these addresses, made if there is none yet."""
    phone = e164(phone) or phone
    wanted = [(Channel.EMAIL, email), (Channel.SMS, phone)]
    addresses = [(channel, address) for channel, address in wanted if address]
    with transaction.atomic():
        known = Contact.objects.filter(owner_id=owner, addresses__address__in=[email or phone])
        contact = known.first()
        if contact is None:
            contact = Contact.objects.create(owner_id=owner, name=name, language=language)
        for place, (channel, address) in enumerate(addresses):
            Address.objects.get_or_create(
                contact=contact,
                channel=channel,
                address=address,
                defaults={"sort_order": place},
            )
    return contact.pk


def add_contact_list(*, owner: int, name: str, contacts: Iterable[int] = ()) -> int:
    """The id of the organisation's list of this name with these contacts on it."""
    with transaction.atomic():
        listed = ContactList.objects.filter(owner_id=owner, name=name).first()
        if listed is None:
            listed = ContactList.objects.create(owner_id=owner, name=name)
        listed.contacts.add(*contacts)
    return listed.pk


def new_webhook_secret(address: int) -> str:
    """What the receiver of this webhook checks signatures with, from now on; it is told only this once."""
    secret = vault.new_webhook_secret()
    Address.objects.filter(pk=address, channel=Channel.WEBHOOK).update(secret=vault.sealed(secret))
    return secret
