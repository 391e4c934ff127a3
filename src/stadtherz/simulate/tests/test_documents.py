"""What the simulator sends is what the product's own readers and codecs understand."""

from collections import defaultdict
from urllib.parse import parse_qsl

import orjson
import pytest

from stadtherz.base.time import HOUR, SECOND, parse_instant
from stadtherz.codecs.public import Decoded, decode_cayenne, parse_bytemap
from stadtherz.ingest.documents.uplink import Other, Uplink
from stadtherz.ingest.intake.pipeline import READERS
from stadtherz.simulate.public import FORMS, Chance, Schedule, Sending, simulated_city

BEGIN = parse_instant("2026-06-01T06:00:00Z")


def sendings(
    *forms: str, count: int = 24, hours: int = 1, chance: Chance | None = None, seed: int = 3
) -> list[Sending]:
    city = simulated_city(count, forms=forms or tuple(FORMS), seed=seed)
    return list(Schedule(city, BEGIN, BEGIN + hours * HOUR, None, chance or Chance(seed)))


def read(sending: Sending) -> Uplink | Other:
    return READERS[sending.device.network](
        orjson.loads(sending.message.body),
        dict(parse_qsl(sending.message.query)),
        received=sending.at + SECOND,
    )


@pytest.mark.parametrize("form", FORMS)
def test_every_document_is_an_uplink_or_a_join_of_its_device(form: str) -> None:
    counters: dict[str, list[int]] = defaultdict(list)
    for sending in sendings(form):
        told = read(sending)
        assert told.dev_eui == sending.device.dev_eui
        if isinstance(told, Other):
            assert told.event == "join"
            continue
        counters[told.dev_eui].append(told.f_cnt)
        assert abs(told.time - sending.at) < SECOND
        assert told.f_port == sending.device.kind.f_port
        assert told.radio.best is not None
        assert told.radio.best.position is not None
        assert 7 <= (told.radio.spreading_factor or 0) <= 12
    assert len(counters) == 24
    assert all(each == list(range(len(each))) for each in counters.values())


def test_the_bytes_mean_what_was_measured() -> None:
    seen = set()
    for sending in sendings():
        told = read(sending)
        if not isinstance(told, Uplink):
            continue
        kind = sending.device.kind
        seen.add(kind.key)
        measured = kind.measure(3, sending.device.place, sending.at, kind.interval)
        if kind.coding is None:
            assert told.decoded == measured
        elif kind.coding.kind == "cayenne":
            assert decode_cayenne(told.payload) == Decoded(dict(measured))
        elif kind.coding.kind == "bytes":
            found = parse_bytemap(kind.coding.text).decode(told.payload, told.f_port)
            assert found == Decoded(dict(measured))
    assert seen == {"climate", "gauge", "counter", "air"}


def test_what_is_measured_is_possible_and_changes_with_the_hour() -> None:
    results: dict[str, list[float]] = defaultdict(list)
    for device in simulated_city(8, seed=5).devices:
        for hour in range(0, 24 * 90, 3):
            measured = device.kind.measure(5, device.place, BEGIN + hour * HOUR, HOUR)
            for quantity in device.kind.quantities:
                assert quantity.minimum <= measured[quantity.path] <= quantity.maximum
                results[quantity.observed.key].append(measured[quantity.path])
    assert all(max(each) > min(each) for each in results.values())
    assert max(results["water_level"]) > min(results["water_level"]) + 20  # it rained


def test_two_messages_never_share_a_key() -> None:
    uplinks = [told for each in sendings(hours=3) if isinstance(told := read(each), Uplink)]
    assert len({each.key for each in uplinks}) == len(uplinks) > 200


def test_the_same_seed_makes_the_same_messages_and_another_seed_others() -> None:
    chance = [Chance(3, 0.3), Chance(3, 0.3), Chance(4, 0.3)]
    assert sendings(chance=chance[0]) == sendings(chance=chance[1])
    assert sendings(chance=chance[2], seed=4) != sendings(chance=Chance(3, 0.3))
