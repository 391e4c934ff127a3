"""SUPSI's `istsos4-client`, unchanged and over HTTP, against the served product.

It finds its credentials in the address, as `requests` does. What it has for istSOS4 alone (logging in,
`BulkObservations`, Networks, commit messages) is not asked for.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from tests.product import Product

sta = pytest.importorskip("istsos4_client")
pytestmark = pytest.mark.process
_POINT = {"type": "Point", "coordinates": [7.77, 49.44]}
_MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"


@pytest.fixture
def client(served: Product, token: str) -> Iterator[Any]:
    address = served.url.replace("://", f"://anybody:{token}@")
    with sta.Client(f"{address}/sta/v1.1", max_retries=0) as found:
        yield found


def _thing(name: str = "Gauge") -> Any:
    place = sta.Location(name="Bridge", description="d", location=_POINT)
    return sta.Thing(name=name, description="d", locations=[place])


def _stream(client: Any, name: str = "Gauge") -> Any:
    """A Datastream with all that belongs to it, made by one request."""
    return client.post(
        sta.Datastream(
            name="Level",
            description="d",
            unit_of_measurement=sta.UnitOfMeasurement(name="centimetre", symbol="cm"),
            observation_type=_MEASUREMENT,
            thing=_thing(name),
            sensor=sta.Sensor(
                name="Radar", description="d", encoding_type="text/html", metadata="x"
            ),
            observed_property=sta.ObservedProperty(name="Level", description="d", definition="x"),
        )
    )


def test_what_is_posted_is_got_changed_and_deleted(client: Any) -> None:
    thing = client.post(_thing())
    assert client.get(sta.Thing, thing.iot_id, expand="Locations").locations[0].location == _POINT
    client.patch(sta.Thing(iot_id=thing.iot_id, name="Renamed", description="e"))
    assert client.get(sta.Thing, thing.iot_id).name == "Renamed"
    client.delete(sta.Thing, thing.iot_id)
    with pytest.raises(requests.HTTPError) as gone:
        client.get(sta.Thing, thing.iot_id)
    assert gone.value.response.status_code == 404


def test_observations_of_a_stream_made_at_once(client: Any) -> None:
    """Its Locations say application/json, and are GeoJSON all the same"""
    stream = _stream(client)
    for hour in range(3):
        time = datetime(2026, 1, 1, hour, tzinfo=UTC)
        client.post(sta.Observation(phenomenon_time=time, result=hour, datastream=stream))
    found = client.list(
        sta.Observation,
        filter=f"Datastream/id eq {stream.iot_id} and phenomenonTime ge 2026-01-01T01:00:00Z",
        orderby="phenomenonTime desc",
        expand="FeatureOfInterest",
    )
    assert [each.result for each in found] == [2, 1]
    assert found[0].feature_of_interest.feature == _POINT
    whole = client.get(sta.Datastream, stream.iot_id, expand="Thing,Sensor,ObservedProperty")
    assert whole.phenomenon_time.end == datetime(2026, 1, 1, 2, tzinfo=UTC)
    assert whole.observed_area == _POINT
    client.patch(sta.Observation(iot_id=found[0].iot_id, result=7.5))
    assert client.get(sta.Observation, found[0].iot_id).result == 7.5


def test_a_list_goes_on_over_all_pages(client: Any) -> None:
    for number in range(12):
        client.post(
            sta.Sensor(name=f"Paged {number}", encoding_type="x", description="d", metadata="x")
        )
    found = client.iter_list(sta.Sensor, filter="startswith(name, 'Paged')", orderby="name", top=5)
    assert len({each.name for each in found}) == 12


def test_a_thing_that_moves_leaves_a_trace(client: Any) -> None:
    thing = client.post(_thing("Moving"))
    mill = client.post(sta.Location(name="Mill", description="d", location=_POINT))
    client.patch(sta.Thing(iot_id=thing.iot_id, name="Moving", description="d", locations=[mill]))
    past = client.list(
        sta.HistoricalLocation,
        filter=f"Thing/id eq {thing.iot_id}",
        expand="Locations,Thing",
        orderby="time",
    )
    assert [each.locations[0].name for each in past] == ["Bridge", "Mill"]
    assert {each.thing.iot_id for each in past} == {thing.iot_id}
