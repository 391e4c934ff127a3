"""What happens when a list is called, step by step, as data for a sentence."""

from dataclasses import dataclass

from stadtherz.alerts.models import Contact, ContactList, Roster
from stadtherz.alerts.people.plans import plan_of
from stadtherz.alerts.people.rosters import Duty, duties, on_duty
from stadtherz.base.time import Micros


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A roster and the name of who is on duty by it now; empty if nobody is."""

    roster: str
    person: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One list of the chain. `after` are minutes since the one before it was told."""

    recipients: ContactList
    after: int
    people: tuple[str, ...]
    duty: tuple[OnDuty, ...]
    remind_minutes: int | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A line of a roster's calendar."""

    person: Contact | None
    duty: Duty


def course(recipients: ContactList, moment: Micros) -> list[Stage]:
    """The list and those that follow it; a chain that leads back to itself ends there."""
    found: list[Stage] = []
    here: ContactList | None = recipients
    after, known = 0, set[int]()
    while here is not None and here.pk not in known:
        known.add(here.pk)
        found.append(_stage(here, after, moment))
        after = here.escalate_minutes or 0
        here = here.escalate_to if after else None
    return found


def calendar(roster: Roster, start: Micros, end: Micros) -> list[Turn]:
    """Who is on duty from `start` to `end`; the first and the last line are cut there."""
    found = duties(plan_of(roster), start, end)
    people = Contact.objects.in_bulk({each.person for each in found if each.person})
    return [Turn(people.get(each.person or 0), each) for each in found]


def _stage(recipients: ContactList, after: int, moment: Micros) -> Stage:
    active = recipients.contacts.filter(active=True)
    return Stage(
        recipients=recipients,
        after=after,
        people=tuple(active.values_list("name", flat=True)),
        duty=tuple(_on_duty(each, moment) for each in recipients.rosters.all()),
        remind_minutes=recipients.remind_minutes,
    )


def _on_duty(roster: Roster, moment: Micros) -> OnDuty:
    person = on_duty(plan_of(roster), moment)
    found = (
        Contact.objects.filter(pk=person or 0, active=True).values_list("name", flat=True).first()
    )
    return OnDuty(roster.name, found or "")
