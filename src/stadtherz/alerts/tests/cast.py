"""People, lists and a clock for the tests of who is told."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from stadtherz.alerts import clock
from stadtherz.alerts.models import Address, Alert, AlertEvent, Contact, ContactList, Delivery
from stadtherz.alerts.public import change
from stadtherz.alerts.tests.factories import Ward
from stadtherz.base.time import now_us, stopped_at

NOON = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)  # 12:00 in Berlin


@dataclass
class Time:
    """A clock that stands until the test moves it; moving ticks."""

    moment: datetime = NOON
    number: int = field(default=0)

    def at(self) -> Any:
        return stopped_at(self.moment)

    def goes_on(self, **passed: float) -> None:
        """Time passes in one leap, as if the machine had stood still, and the clock ticks once."""
        self.moment += timedelta(**passed)
        with self.at():
            clock.tick()
        send(self)

    def runs(self, minutes: int) -> None:
        """Time passes with a tick each minute."""
        for _minute in range(minutes):
            self.goes_on(minutes=1)


def person(ward: Ward, name: str, *addresses: tuple[str, str], **more: Any) -> Contact:
    made = Contact.objects.create(owner_id=ward.organisation, name=name, **more)
    for place, (channel, address) in enumerate(addresses or [("email", f"{name}@stadt.example")]):
        Address.objects.create(contact=made, channel=channel, address=address, sort_order=place)
    return made


def listed(ward: Ward, name: str, *people: Contact, **more: Any) -> ContactList:
    made = ContactList.objects.create(owner_id=ward.organisation, name=name, **more)
    made.contacts.set(people)
    return made


def told(change: str | None = None) -> list[str]:
    """Names of those who were owed a message that is or will be sent, in order."""
    found = Delivery.objects.exclude(status="skipped").order_by("pk")
    if change is not None:
        found = found.filter(event__change=change)
    return [each.contact.name if each.contact else "" for each in found.select_related("contact")]


def changes() -> list[str]:
    return list(AlertEvent.objects.order_by("pk").values_list("change", flat=True))


def alert() -> Alert:
    return Alert.objects.latest("pk")


def goes(ward: Ward, time: Time, *ranks: int) -> None:
    """The level goes through these ranks now, one observation each; what is due is sent."""
    with time.at():
        for before, after in pairwise(ranks):
            time.number += 1
            change(ward.goes(before, after, observation=time.number, at=now_us()))
    send(time)


def send(time: Time) -> None:
    """What the outbox would do with what is due."""
    with time.at():
        due = Delivery.objects.filter(status="queued", next_attempt__lte=now_us())
        due.update(status="sent", attempts=1)
