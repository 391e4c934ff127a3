"""Rosters read from the database as the plain plans that `rosters` decides by."""

from zoneinfo import ZoneInfo

from django.conf import settings

from stadtherz.alerts.models import Roster
from stadtherz.alerts.people.rosters import Plan, Shift
from stadtherz.base.time import to_us


def zone() -> ZoneInfo:
    """The city's time zone: hours of duty and of quiet are hours of its clocks."""
    return ZoneInfo(settings.TIME_ZONE)


def plan_of(roster: Roster) -> Plan:
    """The roster with its members in order; of shifts that overlap, the one entered last counts."""
    members = sorted(roster.members.all(), key=lambda each: (each.sort_order, each.pk))
    shifts = sorted(roster.shifts.all(), key=lambda each: each.pk)
    return Plan(
        members=tuple(each.contact_id for each in members),
        turn_days=max(roster.turn_days, 1),
        hand_over=roster.hand_over,
        zone=zone(),
        first_day=roster.first_day,
        shifts=tuple(
            Shift(each.contact_id, to_us(each.starts), to_us(each.ends)) for each in shifts
        ),
    )
