"""A city that has warned people before keeps whom it told, of what, and where to reach them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from stadtherz.alerts.models import Address, Alert, AlertEvent, Delivery
from stadtherz.alerts.tests.factories import make_datastream
from stadtherz.store.models import Organisation

OLD = ("alerts", "0002_delivery_worker")


def migrate(target: tuple[str, str] | None = None) -> Any:
    """To this state, or to the newest."""
    executor = MigrationExecutor(connection)
    targets = [target] if target else executor.loader.graph.leaf_nodes("alerts")
    return executor.migrate(targets).apps


@pytest.fixture
def old(transactional_db: None) -> Iterator[Any]:
    try:
        yield migrate(OLD)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())


def test_addresses_and_causes_are_kept(transactional_db: None, old: Any) -> None:
    organisation = Organisation.objects.create(slug="stadt", name="Stadt")
    stream = make_datastream(organisation)
    contact = old.get_model("alerts", "Contact").objects.create(
        owner_id=organisation.pk, name="Wehr", email="wehr@stadt.example"
    )
    alert = old.get_model("alerts", "Alert").objects.create(
        kind="k",
        subject="1",
        datastream_id=stream.pk,
        rank=1,
        title={},
        opened_at=1,
        changed_at=1,
    )
    event = old.get_model("alerts", "AlertEvent").objects.create(
        alert=alert,
        rank_before=0,
        rank=1,
        severity="danger",
        observation=77,
        at=1,
        recorded_at=1,
        texts={},
    )
    old.get_model("alerts", "Delivery").objects.create(event=event, contact=contact, changed_at=5)
    migrate()
    assert Alert.objects.get().owner_id == organisation.pk
    address = Address.objects.get()
    assert (address.contact_id, address.channel, address.address) == (
        contact.pk,
        "email",
        "wehr@stadt.example",
    )
    assert (AlertEvent.objects.get().cause, AlertEvent.objects.get().observation) == (
        "observation:77",
        77,
    )
    delivery = Delivery.objects.get()
    assert (delivery.address_id, delivery.urgency, delivery.owed_at) == (address.pk, 3, 5)
