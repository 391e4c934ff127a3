"""Contacts and lists can be set up twice without being there twice."""

from stadtherz.alerts.models import Contact, ContactList
from stadtherz.alerts.public import add_contact, add_contact_list
from stadtherz.store.models import Organisation


def test_the_same_address_is_one_contact_of_an_organisation(db: None) -> None:
    town = Organisation.objects.create(slug="stadt", name="Stadt").pk
    first = add_contact(owner=town, name="Wehr", email="wehr@stadt.example")
    assert add_contact(owner=town, name="Wehr", email="wehr@stadt.example") == first


def test_two_organisations_may_know_the_same_person(db: None) -> None:
    for slug in ("a", "b"):
        town = Organisation.objects.create(slug=slug, name=slug).pk
        add_contact(owner=town, name="Wehr", email="wehr@kreis.example")
    assert Contact.objects.count() == 2


def test_a_list_set_up_again_keeps_its_people(db: None) -> None:
    town = Organisation.objects.create(slug="stadt", name="Stadt").pk
    one = add_contact(owner=town, name="A", email="a@stadt.example")
    two = add_contact(owner=town, name="B", email="b@stadt.example")
    listed = add_contact_list(owner=town, name="Wehr", contacts=[one])
    assert add_contact_list(owner=town, name="Wehr", contacts=[two]) == listed
    assert ContactList.objects.get().contacts.count() == 2
