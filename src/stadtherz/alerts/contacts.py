"""People and lists for scripts and set-up; staff edit them in the back office."""

from collections.abc import Iterable

from django.db import transaction

from stadtherz.alerts.models import Contact, ContactList


def add_contact(*, owner: int, name: str, email: str, language: str = "de") -> int:
    """The id of the organisation's contact with this address, made if there is none yet."""
    contact, _created = Contact.objects.get_or_create(
        owner_id=owner, email=email, defaults={"name": name, "language": language}
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
