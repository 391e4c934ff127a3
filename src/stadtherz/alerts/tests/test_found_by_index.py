"""What a warning costs does not grow with the warnings of years: every row is found by an index."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stadtherz.alerts.clock import tick
from stadtherz.alerts.models import Address, Delivery
from stadtherz.alerts.outbox.deliveries import lead_around
from stadtherz.alerts.outbox.sender import send_due
from stadtherz.alerts.public import change
from stadtherz.alerts.tests.factories import Ward
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.base.time import HOUR, now_us

GROWS = {"alerts_alert", "alerts_alertevent", "alerts_alertnote", "alerts_delivery"}
FEW = {"alerts_code_once", "alerts_one_open_alert"}  # indexes of what is open

Statement = tuple[str, Sequence[Any]]


@contextmanager
def statements() -> Iterator[list[Statement]]:
    kept: list[Statement] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not many and re.match(r"\s*(SELECT|UPDATE|DELETE)\b", sql):
            kept.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        yield kept


def scans(statement: Statement) -> list[str]:
    """Steps of SQLite's plan that look at every row of a table that grows."""
    sql, params = statement
    named = re.findall(r'(?:FROM|JOIN) "(\w+)" (U\d+|T\d+)', sql)
    by_alias = {alias: table for table, alias in named}
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        steps = [row[3] for row in cursor.fetchall()]
    found = (
        re.fullmatch(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", each) for each in steps
    )
    return [
        each[0]
        for each in found
        if each and by_alias.get(each[1], each[1]) in GROWS and each[2] not in FEW
    ]


@pytest.mark.skipif(
    connection.vendor != "sqlite",
    reason="PostgreSQL reads small tables whole, whatever their indexes",
)
def test_judging_sending_and_the_clock_look_through_no_history(
    ward: Ward, mails: MailServer
) -> None:
    change(ward.goes(0, 1, observation=1))
    send_due()
    tick()
    with statements() as asked:
        change(ward.goes(1, 2, observation=2))
        send_due()
        tick()
        change(ward.goes(2, 0, observation=3))
        send_due()
    assert Delivery.objects.filter(status="sent").count() == 3
    assert len(asked) > 50
    assert {each[0]: scans(each) for each in asked if scans(each)} == {}


def test_who_waits_without_another_way_is_not_looked_at(ward: Ward) -> None:
    change(ward.goes(0, 1, observation=1))
    Delivery.objects.update(owed_at=now_us() - 2 * HOUR)
    with CaptureQueriesContext(connection) as asked:
        lead_around("email")
    assert len(asked) == 1
    waiting = Delivery.objects.get()
    Address.objects.create(
        contact_id=waiting.contact_id,
        channel="sms",
        address="+491511111111",
        use="instead",
        sort_order=2,
    )
    lead_around("email")
    assert Delivery.objects.get(instead_of=waiting).channel == "sms"


def test_who_waits_for_a_short_time_is_told_in_no_other_way_yet(ward: Ward) -> None:
    change(ward.goes(0, 1, observation=1))
    contact = Delivery.objects.get().contact_id
    Address.objects.create(
        contact_id=contact, channel="sms", address="+491511111111", use="instead", sort_order=2
    )
    lead_around("email")
    assert Delivery.objects.count() == 1
