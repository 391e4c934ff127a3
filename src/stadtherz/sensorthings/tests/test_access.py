"""What a caller may not see does not exist, on any path."""

import pytest

from stadtherz.base.visibility import ANONYMOUS, AccessLevel
from stadtherz.sensorthings.standard.schema import ENTITY_SETS
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, member, operator
from stadtherz.store.models import AccessGroup
from stadtherz.store.public import create_organisation, update


@pytest.fixture
def hidden(api: Client, town: int) -> int:
    """A station of the town that only the town sees: the Thing is hidden, its datastream is not."""
    key = api.post("/Things", bodies.station("Secret")).key
    update("Thing", key, {"access": AccessLevel.ORGANISATION.value}, operator(town))
    return key


def test_a_named_group_sees_what_is_marked_for_it(api: Client, town: int) -> None:
    elsewhere = create_organisation("elsewhere", "Elsewhere")
    group = AccessGroup.objects.create(name="Fire brigades", organisation_id=town).pk
    key = api.post("/Things", bodies.station("Depot")).key
    update("Thing", key, {"access": AccessLevel.GROUP.value, "group": group}, operator(town))
    brigade = Client(member(elsewhere, groups=frozenset({group})))
    assert (brigade.get("/Things").ids, len(brigade.get("/Observations").value)) == ([key], 3)
    for outsider in (Client(member(elsewhere)), api, Client(ANONYMOUS)):
        assert outsider.get("/Things").value == outsider.get("/Observations").value == []


@pytest.fixture
def stranger(db: None) -> Client:
    return Client(member(create_organisation("elsewhere", "Elsewhere")))


def test_a_hidden_thing_hides_what_hangs_on_it(api: Client, hidden: int, stranger: Client) -> None:
    for name in ("Things", "Datastreams", "Observations", "HistoricalLocations"):
        (key, *_) = api.get(f"/{name}").ids
        for client in (stranger, Client(ANONYMOUS)):
            assert client.get(f"/{name}?$count=true").json == {"@iot.count": 0, "value": []}
            assert client.get(f"/{name}({key})").status == 404


def test_a_place_that_stays_visible_shows_nothing_behind_it(
    api: Client, hidden: int, visitor: Client
) -> None:
    (place,) = visitor.get("/Locations").ids
    for link in ("Things", "HistoricalLocations"):
        assert visitor.get(f"/Locations({place})/{link}").value == []
    expanded = visitor.get("/Locations?$expand=Things($count=true),HistoricalLocations").value[0]
    assert (expanded["Things"], expanded["Things@iot.count"]) == ([], 0)


@pytest.mark.parametrize(
    "condition",
    ["Things/name eq 'Secret'", "Things/Datastreams/name eq 'Secret level'",
     "Things/Datastreams/Observations/result eq 1", "HistoricalLocations/time lt now()",
     "Things/id gt 0"],
)  # fmt: skip
def test_filters_cannot_ask_about_what_is_hidden(
    api: Client, hidden: int, visitor: Client, condition: str
) -> None:
    assert len(api.get(f"/Locations?$filter={condition}").value) == 1
    assert visitor.get(f"/Locations?$filter={condition}").value == []


def test_sensors_and_features_do_not_tell_about_hidden_readings(
    api: Client, hidden: int, visitor: Client
) -> None:
    assert (
        visitor.get("/FeaturesOfInterest?$expand=Observations($count=true)").value[0][
            "Observations@iot.count"
        ]
        == 0
    )
    assert visitor.get("/FeaturesOfInterest?$filter=Observations/result gt 0").value == []
    assert visitor.get("/Sensors?$expand=Datastreams").value[0]["Datastreams"] == []
    assert visitor.get("/Sensors?$filter=Datastreams/phenomenonTime lt now()").value == []


def test_places_and_features_added_to_a_hidden_thing_are_hidden(
    api: Client, hidden: int, visitor: Client
) -> None:
    api.post(f"/Things({hidden})/Locations", bodies.location("Shed"))
    (stream,) = api.get(f"/Things({hidden})/Datastreams").ids
    reading = bodies.observation(5, FeatureOfInterest=bodies.feature("Shed"))
    assert api.post(f"/Datastreams({stream})/Observations", reading).status == 201
    for name in ("Locations", "FeaturesOfInterest"):
        assert len(api.get(f"/{name}?$filter=name eq 'Shed'").value) == 1
        assert visitor.get(f"/{name}?$filter=name eq 'Shed'").value == []


def test_what_is_made_for_hidden_entities_by_reference_is_hidden_too(
    api: Client, hidden: int, visitor: Client
) -> None:
    """A Location that names its Thing, a feature that names its readings: not only by the path."""
    (stream,) = api.get(f"/Things({hidden})/Datastreams").ids
    reading = api.get(f"/Datastreams({stream})/Observations").ids[0]
    shown = api.post("/Things", bodies.station()).key
    things = [{"@iot.id": shown}, {"@iot.id": hidden}]
    place = api.post("/Locations", bodies.location("Shed", Things=things))
    feature = api.post(
        "/FeaturesOfInterest", bodies.feature("Shed", Observations=[{"@iot.id": reading}])
    )
    for made in (place, feature):
        assert made.status == 201, made.body
        assert api.get(made.headers["location"]).status == 200
        assert visitor.get(made.headers["location"]).status == 404
    later = api.post(f"/Datastreams({stream})/Observations", bodies.observation(6)).key
    assert visitor.get(f"/Observations({later})/FeatureOfInterest").status == 404


def test_what_is_made_inside_for_hidden_things_is_hidden_too(
    api: Client, hidden: int, visitor: Client
) -> None:
    """Sensor and ObservedProperty of a new Datastream, the place of a new HistoricalLocation."""
    moment = {"time": "2030-01-01T00:00:00Z", "Locations": [bodies.location("Shed")]}
    made = bodies.datastream(
        Sensor=bodies.sensor("Shed"), ObservedProperty=bodies.observed_property("Shed")
    )
    assert api.post("/Datastreams", {**made, "Thing": {"@iot.id": hidden}}).status == 201
    assert api.post(f"/Things({hidden})/Datastreams", made).status == 201
    assert api.post(f"/Things({hidden})/HistoricalLocations", moment).status == 201
    for name, count in (("Sensors", 2), ("ObservedProperties", 2), ("Locations", 1)):
        assert len(api.get(f"/{name}?$filter=name eq 'Shed'").value) == count
        assert visitor.get(f"/{name}?$filter=name eq 'Shed'").value == []


def test_a_place_for_hidden_things_of_others_says_they_are_not_there(
    api: Client, hidden: int, stranger: Client
) -> None:
    reply = stranger.post("/Locations", bodies.location("Shed", Things=[{"@iot.id": hidden}]))
    nobody = stranger.post("/Locations", bodies.location("Shed", Things=[{"@iot.id": 987654}]))
    assert reply.status == nobody.status
    assert api.get("/Locations?$filter=name eq 'Shed'").value == []


def test_nobody_changes_what_belongs_to_others(api: Client, stranger: Client) -> None:
    abilities = [bodies.capability(Tasks=[bodies.task()])]
    several = [bodies.multi_datastream()]
    api.post("/Things", bodies.station(MultiDatastreams=several, TaskingCapabilities=abilities))
    first = api.get("/Observations").ids[0]
    group = bodies.observation_group(
        Party=bodies.party(),
        License=bodies.license_of(),
        Campaigns=[bodies.campaign()],
        Relations=[bodies.relation(Subject={"@iot.id": first}, externalResource="https://a.b")],
    )
    assert api.post("/ObservationGroups", group).status == 201
    for name in ENTITY_SETS:
        before = api.get(f"/{name}").value
        key = before[0]["@iot.id"]
        assert stranger.delete(f"/{name}({key})").status == 403
        assert stranger.patch(f"/{name}({key})", {}).status == 403
        assert api.get(f"/{name}").value == before


def test_nobody_adds_to_what_belongs_to_others(api: Client, stranger: Client) -> None:
    api.post("/Things", bodies.station())
    thing, stream = api.get("/Things").ids[0], api.get("/Datastreams").ids[0]
    place = api.get("/Locations").ids[0]
    reading = bodies.observation(1, Datastream={"@iot.id": stream})
    attempts = [
        (f"/Datastreams({stream})/Observations", bodies.observation()),
        ("/Observations", reading),
        (f"/Things({thing})/Datastreams", bodies.datastream()),
        (f"/Things({thing})/Locations", bodies.location()),
        (f"/Things({thing})/HistoricalLocations",
         {"time": "2030-01-01T00:00:00Z", "Locations": [{"@iot.id": place}]}),
        ("/Locations", bodies.location(Things=[{"@iot.id": thing}])),
        ("/Sensors", bodies.sensor(Datastreams=[{"@iot.id": stream}])),
    ]  # fmt: skip
    before = [api.get(f"/{name}").value for name in ENTITY_SETS]
    for path, body in attempts:
        assert stranger.post(path, body).status in (400, 403), path
    assert [api.get(f"/{name}").value for name in ENTITY_SETS] == before


def test_hidden_entities_cannot_be_referred_to(api: Client, hidden: int, stranger: Client) -> None:
    (stream,) = api.get(f"/Things({hidden})/Datastreams").ids
    assert (
        stranger.post("/Observations", bodies.observation(1, Datastream={"@iot.id": stream})).status
        == 400
    )
    body = bodies.datastream(Thing={"@iot.id": hidden})
    assert stranger.post("/Datastreams", body).status == 400
    assert stranger.post(f"/Things({hidden})/Datastreams", bodies.datastream()).status == 404
