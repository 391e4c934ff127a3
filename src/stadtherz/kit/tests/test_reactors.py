"""Services get the readings they asked for, in order, once."""

import numpy as np
import pytest

from stadtherz.base.vocabulary import DISCHARGE, WATER_LEVEL
from stadtherz.kit.declaration import Reactor
from stadtherz.kit.reactors import _consumer, consumers, take
from stadtherz.kit.testing import Town
from stadtherz.kit.tests.services import broken
from stadtherz.store.public import Columns, by_id, log_after
from stadtherz.stream.public import drain, register, unregister


@pytest.fixture
def town(transactional_db: None) -> Town:
    return Town.found()


def test_each_service_with_reactors_has_one_consumer() -> None:
    assert "service:water" in [consumer.name for consumer in consumers()]


def test_a_reactor_sees_only_what_it_observes(town: Town) -> None:
    seen: list[float] = []
    service = broken(
        key="listener",
        reactors=(Reactor(WATER_LEVEL, lambda columns: seen.extend(columns.result.tolist())),),
    )
    level, flow = town.datastream(WATER_LEVEL), town.datastream(DISCHARGE)
    town.keep(level, 1.0, 2.0)
    town.keep(flow, 100.0)
    town.keep(level, 3.0)
    register(_consumer(service))
    try:
        drain()
        drain()
    finally:
        unregister("service:listener")
    assert seen == [1.0, 2.0, 3.0]


def test_taking_keeps_order_and_all_columns(town: Town) -> None:
    one, other = town.datastream(WATER_LEVEL), town.datastream(DISCHARGE)
    kept = [*town.keep(one, 1.0), *town.keep(other, "hoch"), *town.keep(one, 2.0)]
    found = take(by_id(kept), frozenset({one}))
    assert found.result.tolist() == [1.0, 2.0]
    assert found.id.tolist() == [kept[0], kept[2]]
    assert len(found.valid_start) == 2


def test_taking_everything_copies_nothing(town: Town) -> None:
    stream = town.datastream(WATER_LEVEL)
    columns = by_id(town.keep(stream, 1.0, 2.0))
    assert take(columns, frozenset({stream})) is columns


def test_taking_nothing_leaves_empty_columns(town: Town) -> None:
    town.keep(town.datastream(WATER_LEVEL), 1.0)
    columns: Columns = log_after(0, 10).columns
    assert len(take(columns, frozenset())) == 0
    assert isinstance(take(columns, frozenset()).result, np.ndarray)
