"""Fraunhofer's `frost_sta_client`, unchanged and over HTTP, against the served product."""

from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from tests.product import Product

fsc = pytest.importorskip("frost_sta_client")
pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # its own
]
_OM = "http://www.opengis.net/def/observationType/OGC-OM/2.0/"
_POINT = {"type": "Point", "coordinates": [7.77, 49.44]}
_UNIT = {"name": "centimetre", "symbol": "cm", "definition": "ucum:cm"}


@pytest.fixture
def service(served: Product, token: str) -> Any:
    auth = fsc.AuthHandler("anybody", token)
    return fsc.SensorThingsService(f"{served.url}/sta/v1.1", auth_handler=auth)


def _unit() -> Any:
    return fsc.UnitOfMeasurement(**_UNIT)


def _location(name: str = "Bridge") -> Any:
    return fsc.Location(
        name=name, description="d", encoding_type="application/geo+json", location=_POINT
    )


def _sensor() -> Any:
    return fsc.Sensor(
        name="Radar", description="d", encoding_type="text/html", metadata="https://example.org"
    )


def _observed(name: str = "Level") -> Any:
    return fsc.ObservedProperty(
        name=name, definition=f"https://example.org/{name}", description="d"
    )


def _datastream(**more: Any) -> Any:
    return fsc.Datastream(
        name="Level",
        description="d",
        observation_type=f"{_OM}OM_Measurement",
        unit_of_measurement=_unit(),
        **more,
    )


def _thing(service: Any, name: str) -> Any:
    """A Thing with a Location that are there."""
    thing = fsc.Thing(name=name, description="d", locations=[_location(f"{name} place")])
    service.create(thing)
    return thing


def _stream(service: Any, name: str = "Gauge") -> Any:
    """A Datastream that is there, with all that belongs to it."""
    stream = _datastream(
        thing=_thing(service, name), sensor=_sensor(), observed_property=_observed()
    )
    service.create(stream)
    return stream


def _multi_datastream(service: Any, stream: Any) -> Any:
    """Made by hand: the library (1.1.53) sends null for units, and cannot read a MultiDatastream's area."""
    links = {name: {"@iot.id": getattr(stream, name.lower()).id} for name in ("Thing", "Sensor")}
    body = {
        "name": "Both",
        "description": "d",
        "observationType": f"{_OM}OM_ComplexObservation",
        "multiObservationDataTypes": [f"{_OM}OM_Measurement"] * 2,
        "unitOfMeasurements": [_UNIT, _UNIT],
        "ObservedProperties": [{"@iot.id": stream.observed_property.id}] * 2,
    }
    url = f"{service.url}/MultiDatastreams"
    made = service.execute("post", url, json=body | links).json()
    return service.multi_datastreams().find(made["@iot.id"])


def _read(stream: Any, hour: int, result: Any) -> Any:
    time = f"2026-01-01T{hour:02}:00:00Z"
    own = fsc.Datastream(id=stream.id)
    return fsc.Observation(phenomenon_time=time, result_time=time, result=result, datastream=own)


def test_every_type_is_created_found_and_deleted(service: Any) -> None:
    thing = fsc.Thing(name="Gauge", description="d", properties={"a": {"b": None}})
    location = _location()
    sensor, observed = _sensor(), _observed()
    feature = fsc.FeatureOfInterest(
        name="Reach", description="d", encoding_type="application/geo+json", feature=_POINT
    )
    for entity in (thing, location, sensor, observed, feature):
        service.create(entity)
    past = fsc.HistoricalLocation(
        time=datetime(2020, 1, 1, tzinfo=UTC), thing=thing, locations=[location]
    )
    stream = _datastream(thing=thing, sensor=sensor, observed_property=observed)
    for entity in (past, stream):
        service.create(entity)
    multi = _multi_datastream(service, stream)
    one = fsc.Observation(result=5.5, datastream=stream, feature_of_interest=feature)
    two = fsc.Observation(result=[1, 2], multi_datastream=multi, feature_of_interest=feature)
    for entity in (one, two):
        service.create(entity)
    for entity in (thing, location, sensor, observed, feature, past, stream, one, two):
        found = entity.get_dao(service).find(entity.id)
        assert found.id == entity.id
    assert service.things().find(thing.id).properties == {"a": {"b": None}}
    assert service.observations().find(two.id).result == [1, 2]
    for entity in (two, one, multi, stream, past, feature, observed, sensor, location, thing):
        service.delete(entity)
        with pytest.raises(requests.HTTPError) as refused:
            service.execute(
                "get", f"{service.url}/{entity.get_dao(service).entity_path(entity.id)}"
            )
        assert refused.value.response.status_code == 404


def test_a_tree_is_created_at_once(service: Any) -> None:
    readings = [
        fsc.Observation(phenomenon_time=f"2026-01-01T0{hour}:00:00Z", result=hour)
        for hour in range(3)
    ]
    stream = _datastream(sensor=_sensor(), observed_property=_observed(), observations=readings)
    thing = fsc.Thing(name="Tree", description="d", locations=[_location()], datastreams=[stream])
    service.create(thing)
    (held,) = thing.get_datastreams().query().list()
    assert [each.result for each in held.get_observations().query().orderby("id", "ASC").list()] == [
        0, 1, 2,
    ]  # fmt: skip
    assert held.phenomenon_time == "2026-01-01T00:00:00.000Z/2026-01-01T02:00:00.000Z"
    assert held.observed_area["type"] == "Point"


def test_queries_with_every_option(service: Any) -> None:
    stream = _stream(service, "Queried")
    for hour, result in enumerate((5, 1, 9)):
        service.create(_read(stream, hour, result))
    query = stream.get_observations().query
    assert [o.result for o in query().filter("result gt 2").list()] == [5, 9]
    assert [o.result for o in query().orderby("result").list()] == [9, 5, 1]
    assert [o.result for o in query().orderby("result", "asc").top(1).skip(1).list().entities] == [
        5
    ]
    assert query().count().top(1).list().count == 3
    assert [o.result for o in query().select("result").list()] == [5, 1, 9]
    expand = (
        "Datastreams($select=id,name;$expand=Observations($orderby=result desc;$top=2)),Locations"
    )
    (found,) = service.things().query().filter("name eq 'Queried'").expand(expand).list()
    (inner,) = found.datastreams
    assert [o.result for o in inner.observations.entities] == [9, 5]
    assert found.locations.get(0).location == _POINT
    time = "phenomenonTime ge 2026-01-01T01:00:00Z and phenomenonTime lt 2026-01-01T02:00:00+00:00"
    assert [o.result for o in query().filter(time).list()] == [1]
    near = "st_within(location, geography'POLYGON((7 49, 8 49, 8 50, 7 50, 7 49))')"
    assert service.locations().query().filter(near).list().entities


@pytest.mark.parametrize("order", [None, "id", "result"])
def test_a_list_goes_on_over_all_pages(service: Any, order: str | None) -> None:
    stream = _stream(service, "Paged")
    rows = fsc.DataArrayValue()
    rows.datastream = stream
    rows.components = {rows.Property.PHENOMENON_TIME, rows.Property.RESULT}
    for number in range(250):
        time = f"2026-01-{number // 24 + 1:02}T{number % 24:02}:00:00Z"
        rows.add_observation(fsc.Observation(phenomenon_time=time, result=number % 7))
    document = fsc.DataArrayDocument()
    document.add_data_array_value(rows)
    assert len(service.observations().create(document)) == 250
    query = stream.get_observations().query().count().top(30)
    found = query.list() if order is None else query.orderby(order).list()
    assert found.count == 250
    keys = [each.id for each in found]
    assert len(keys) == len(set(keys)) == 250


def test_a_data_array_with_all_components(service: Any) -> None:
    stream = _stream(service, "Array")
    feature = fsc.FeatureOfInterest(
        name="Reach", description="d", encoding_type="application/geo+json", feature=_POINT
    )
    service.create(feature)
    rows = fsc.DataArrayValue()
    rows.datastream = stream
    rows.components = set(rows.Property)
    for number in range(3):
        rows.add_observation(
            fsc.Observation(
                id=number,
                phenomenon_time=f"2026-01-01T0{number}:00:00Z",
                result_time=f"2026-01-02T0{number}:00:00Z",
                valid_time="2026-01-01T00:00:00Z/2026-02-01T00:00:00Z",
                result_quality="good",
                parameters={"n": number},
                result=number,
                feature_of_interest=feature,
            )
        )
    document = fsc.DataArrayDocument()
    document.add_data_array_value(rows)
    made = service.observations().create(document)
    assert all(each.self_link.startswith("http") for each in made)
    listed = feature.get_observations().query().orderby("phenomenonTime", "asc").list()
    assert [each.parameters for each in listed] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert {each.result_quality for each in listed.entities} == {"good"}


def test_updates_replace_and_patches_change(service: Any) -> None:
    stream = _stream(service, "Changed")
    thing = service.things().find(stream.thing.id)
    thing.name, thing.properties = "Renamed", {"a": [1]}
    service.update(thing)
    service.patch(thing, [{"op": "add", "path": "/properties/b", "value": {"c": None}}])
    found = service.things().find(thing.id)
    assert (found.name, found.properties) == ("Renamed", {"a": [1], "b": {"c": None}})
    reading = _read(stream, 1, 5)
    service.create(reading)
    reading.result = 6
    service.update(reading)
    service.patch(reading, [{"op": "add", "path": "/parameters", "value": {"p": 1}}])
    again = service.observations().find(reading.id)
    assert (again.result, again.parameters) == (6, {"p": 1})
    with pytest.raises(requests.HTTPError) as refused:
        service.patch(thing, [{"op": "remove", "path": "/nothing"}])
    assert refused.value.response.status_code == 400


def test_whole_trees_that_were_read_are_sent_back(service: Any) -> None:
    """What the client remembers of other entities names them and changes nothing of them."""
    stream = _stream(service, "Remembered")
    service.create(_read(stream, 1, 5))
    expand = (
        "Locations,Datastreams($expand=Sensor,ObservedProperty,Observations),HistoricalLocations"
    )
    (thing,) = service.things().query().filter("name eq 'Remembered'").expand(expand).list()
    thing.description = "changed"
    service.update(thing)
    (again,) = service.things().query().filter("name eq 'Remembered'").expand(expand).list()
    assert again.description == "changed"
    assert [each.id for each in again.datastreams.entities] == [stream.id]
    whole = (
        service.datastreams()
        .query()
        .filter(f"id eq {stream.id}")
        .expand("Thing,Sensor,ObservedProperty")
    )
    (found,) = whole.list()
    found.description = "changed, too"
    service.update(found)
    found.observed_area = None
    service.create(fsc.Observation(result=1, datastream=found))
    assert len(stream.get_observations().query().list().entities) == 2


def test_a_thing_that_moves_leaves_a_trace(service: Any) -> None:
    thing = _thing(service, "Moving")
    other = _location("Mill")
    service.create(other)
    moved = fsc.Thing(id=thing.id, name="Moving", description="d", locations=[other])
    service.update(moved)
    past = (
        thing.get_historical_locations().query().expand("Locations").orderby("time", "asc").list()
    )
    assert [each.locations.get(0).name for each in past] == ["Moving place", "Mill"]


@pytest.mark.parametrize(
    ("method", "change", "status"),
    [
        ("create", {"description": None}, 400),
        ("update", {"description": None}, 400),
        ("update", {"id": 999_999, "description": None}, 404),
        ("delete", {"id": 999_999}, 404),
    ],
)
def test_refusals_have_a_status_and_a_message(
    service: Any, method: str, change: dict[str, Any], status: int
) -> None:
    thing = fsc.Thing(name="Refused", description="d")
    if method != "create":
        service.create(thing)
    for name, value in change.items():
        setattr(thing, name, value)
    with pytest.raises(requests.HTTPError) as refused:
        getattr(service, method)(thing)
    assert refused.value.response.status_code == status
    assert refused.value.response.json()["message"]


def test_things_are_told_what_to_do(service: Any) -> None:
    field = {
        "name": "status",
        "type": "Category",
        "label": "s",
        "constraint": {"value": ["on", "off"]},
    }
    capability = fsc.TaskingCapability(
        name="Light",
        description="d",
        tasking_parameters={"type": "DataRecord", "field": [field]},
        thing=_thing(service, "Lamp"),
        actuator=fsc.Actuator(  # the library cannot read one without properties
            name="Dimmer", description="d", encoding_type="x", metadata="x", properties={"a": 1}
        ),
    )
    service.create(capability)
    for status in ("on", "off"):
        service.create(
            fsc.Task(tasking_parameters={"status": status}, tasking_capability=capability)
        )
    wrong = fsc.Task(tasking_parameters={"status": "blue"}, tasking_capability=capability)
    with pytest.raises(requests.HTTPError) as refused:
        service.create(wrong)
    assert refused.value.response.status_code == 400
    found = (
        service.tasks()
        .query()
        .filter(f"TaskingCapability/id eq {capability.id}")
        .orderby("id", "asc")
    )
    tasks = found.expand("TaskingCapability($expand=Actuator,Thing)").list().entities
    assert [task.tasking_parameters["status"] for task in tasks] == ["on", "off"]
    assert tasks[0].creation_time
    assert tasks[0].tasking_capability.actuator.name == "Dimmer"
    held = service.tasking_capabilities().find(capability.id)
    held.description = "changed"
    service.update(held)
    assert service.tasking_capabilities().find(capability.id).description == "changed"
    service.delete(tasks[0])
    assert len(found.list().entities) == 1
