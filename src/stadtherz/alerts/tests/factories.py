"""One organisation with a datastream, a list of people and the transitions it may go through."""

from collections.abc import Sequence
from dataclasses import dataclass

from stadtherz.alerts.models import Address, Channel, Contact
from stadtherz.alerts.public import Transition, Wording, add_contact, add_contact_list, add_gateway
from stadtherz.kit.declaration import Severity
from stadtherz.store.models import (
    Datastream,
    ObservedProperty,
    Organisation,
    Sensor,
    Thing,
)

KIND = "test.level"
NAMES = {0: "normal", 1: "Vorwarnung", 2: "Alarm"}
SEVERITIES = {0: Severity.OK, 1: Severity.WARNING, 2: Severity.DANGER}


@dataclass(frozen=True, slots=True)
class Ward:
    """Everything a test of alerts needs."""

    organisation: int
    datastream: int
    recipients: int

    def goes(self, before: int, after: int, *, observation: int, at: int = 1_000_000) -> Transition:
        return Transition(
            kind=KIND,
            subject="7",
            datastream=self.datastream,
            before=before,
            after=after,
            step=NAMES[after],
            severity=SEVERITIES[after],
            title={"de": NAMES[after], "en": NAMES[after]},
            texts={"de": wording("de", after), "en": wording("en", after)},
            observation=observation,
            at=at,
            recipients=self.recipients,
        )


def wording(language: str, rank: int) -> Wording:
    return Wording(
        subject=f"{language} {NAMES[rank]}: Pegel Lauterstraße",
        sentence=f"Die Lauter: {NAMES[rank]}.",
        facts=(("Wasserstand", "94 cm"),),
        link="/pegel/lauterstrasse/",
    )


def make_ward(emails: Sequence[str] = ("wehr@stadt.example",), language: str = "de") -> Ward:
    organisation = Organisation.objects.create(slug="stadt", name="Stadt")
    people = [
        add_contact(owner=organisation.pk, name=email.title(), email=email, language=language)
        for email in emails
    ]
    recipients = add_contact_list(owner=organisation.pk, name="Feuerwehr", contacts=people)
    return Ward(organisation.pk, make_datastream(organisation).pk, recipients)


def make_ward_by_smpp(port: int) -> Ward:
    """Its fire brigade has a telephone alone, and the way there is an SMS centre on this port."""
    made = make_ward([])
    contact = Contact.objects.create(owner_id=made.organisation, name="Wehr")
    Address.objects.create(
        contact=contact, channel=Channel.SMS, address="+4915111111111", use="always"
    )
    contact.lists.add(made.recipients)
    settings = {"host": "127.0.0.1", "port": port, "tls": False, "user": "stadt"}
    add_gateway("netz", "smpp", settings, secret="geheim", per_second=1000)
    return made


def make_datastream(organisation: Organisation, access: str = "public") -> Datastream:
    thing = Thing.objects.create(owner=organisation, name="Pegel", access=access)
    sensor = Sensor.objects.create(owner=organisation, name="Sonde", metadata={})
    observed = ObservedProperty.objects.create(owner=organisation, name="Level", definition="x")
    return Datastream.objects.create(
        owner=organisation,
        access=access,
        name="Pegel",
        unit_of_measurement={},
        thing=thing,
        sensor=sensor,
        observed_property=observed,
    )
