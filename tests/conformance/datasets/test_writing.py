"""What is created below a data set's URL becomes a member, or belongs to one."""

import pytest

from stadtherz.base.visibility import AccessLevel
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.bodies import datastream, observation
from stadtherz.sensorthings.tests.client import HOST, Client, in_version_2
from stadtherz.sensorthings.tests.towns import KINDS, SLUG, Towns, manage, names


@pytest.fixture
def below(rivers: Towns) -> Client:
    return rivers.below(rivers.owner)


def test_a_thing_becomes_a_member_with_all_it_brings(rivers: Towns, below: Client) -> None:
    reply = below.post("/Things", bodies.station("Weir"))
    assert reply.headers["location"].startswith(f"{HOST}{below.prefix}/Things(")
    assert "Weir level" in names(below, "Datastreams")
    assert reply.key in manage(rivers.owner, "GET", SLUG).json["things"]
    assert "Weir place" in names(below, "Locations")
    assert len(below.get(f"/Things({reply.key})/Datastreams").value) == 1


def test_a_datastream_becomes_a_member(rivers: Towns, below: Client) -> None:
    mill = rivers.keys["Mill"]
    below.post(f"/Things({mill})/Datastreams", datastream("Mill ice", Observations=[observation()]))
    assert names(below, f"Things({mill})/Datastreams") == {"Mill level", "Mill ice"}
    body = datastream("Mill wind", Thing={"@iot.id": mill})
    key = below.post("/Datastreams", body).key
    assert key in manage(rivers.owner, "GET", SLUG).json["datastreams"]


def test_in_version_2_too(rivers: Towns, below: Client) -> None:
    thing = {"name": "Weir", "description": ""}
    assert in_version_2(below).post("/Things", thing).status in (201, 204)
    assert "Weir" in names(below, "Things")


def test_what_is_created_belongs_to_the_owner_and_is_as_visible_as_the_data_set(
    rivers: Towns, below: Client
) -> None:
    rivers.close()
    below.post("/Things", bodies.station("Weir"))
    for plural, name in (
        ("Things", "Weir"),
        ("Datastreams", "Weir level"),
        ("Sensors", "Radar"),
        ("Locations", "Weir place"),
    ):
        assert name in names(below, plural)
        assert name not in names(rivers.stranger, plural)
    boss = rivers.below(Client(rivers.boss))
    assert boss.post("/Things", bodies.thing("Sluice")).status == 201
    assert "Sluice" in names(rivers.owner, "Things")


def test_readings_are_added_to_members(rivers: Towns, below: Client) -> None:
    stream = rivers.keys["Mill level"]
    inline = observation(5, Datastream={"@iot.id": stream})
    for address, body in (
        ("/Observations", inline),
        (f"/Datastreams({stream})/Observations", observation(6)),
    ):
        reply = below.post(address, body)
        assert reply.status == 201
        assert reply.headers["location"].startswith(f"{HOST}{below.prefix}/Observations(")
    assert {o["result"] for o in below.get(f"/Datastreams({stream})/Observations").value} == {
        1,
        5,
        6,
    }


@pytest.mark.parametrize(
    ("address", "body"),
    [("/Sensors", bodies.sensor("Alone")), ("/Locations", bodies.location("Alone")),
     ("/ObservedProperties", bodies.observed_property("Alone")),
     ("/FeaturesOfInterest", bodies.feature("Alone"))],
)  # fmt: skip
def test_what_would_not_belong_is_refused_and_leaves_nothing(
    rivers: Towns, below: Client, address: str, body: object
) -> None:
    reply = below.post(address, body)
    assert (reply.status, "belongs to no data set" in reply.message) == (403, True)
    assert all("Alone" not in names(rivers.owner, plural) for plural in KINDS.values())


def test_what_hangs_on_members_is_created_below_them(rivers: Towns, below: Client) -> None:
    mill, stream = rivers.keys["Mill"], rivers.keys["Mill level"]
    assert below.post(f"/Things({mill})/Locations", bodies.location("Mill yard")).status == 201
    assert "Mill yard" in names(below, "Locations")
    reading = observation(3, "2026-03-01T00:00:00Z", FeatureOfInterest=bodies.feature("Pond"))
    assert below.post(f"/Datastreams({stream})/Observations", reading).status == 201
    assert "Pond" in names(below, "FeaturesOfInterest")


def test_new_datastreams_use_what_is_outside(rivers: Towns, below: Client) -> None:
    """Whoever may see a sensor may give it to a new member, with which it comes into the data set."""
    (sensor,) = rivers.owner.get("/Sensors?$filter=name eq 'Elsewhere level sensor'").ids
    body = datastream("Mill rain", Sensor={"@iot.id": sensor})
    assert below.post(f"/Things({rivers.keys['Mill']})/Datastreams", body).status == 201
    assert "Elsewhere level sensor" in names(below, "Sensors")


def test_what_is_recognised_becomes_a_member(rivers: Towns, below: Client) -> None:
    body = bodies.thing("Outside", properties={"externalId": "x-1"})
    key = rivers.owner.post("/Things?$upsert=properties/externalId", body).key
    assert "Outside" not in names(below, "Things")
    reply = below.post("/Things?$upsert=properties/externalId", body | {"description": "new"})
    assert reply.json["@iot.id"] == key
    assert below.get(f"/Things({key})").json["description"] == "new"


def test_put_creates_a_member(below: Client) -> None:
    assert below.put("/Things(4711)", bodies.thing("Chosen")).status == 201
    assert below.get("/Things(4711)").json["name"] == "Chosen"


def test_members_are_changed_and_deleted_as_anywhere(rivers: Towns, below: Client) -> None:
    mill = rivers.keys["Mill"]
    assert below.patch(f"/Things({mill})", {"description": "new"}).status == 200
    assert rivers.owner.get(f"/Things({mill})").json["description"] == "new"
    assert below.delete(f"/Datastreams({rivers.keys['Mill level']})").status == 200
    assert names(below, "Datastreams") == {"Lauter level", "Lauter flow"}


def test_only_who_may_write_writes(rivers: Towns) -> None:
    rivers.share(contributors=["speyer"])
    body = bodies.thing("Intruder")
    assert rivers.below(rivers.stranger).post("/Things", body).status == 401
    refused = rivers.below(rivers.neighbour).post("/Things", body)
    assert (refused.status, "gives it new members" in refused.message) == (403, True)
    assert "Intruder" not in names(Client(rivers.boss), "Things")


def test_a_batch_creates_members_together(rivers: Towns, below: Client) -> None:
    requests = [
        {"id": "a", "method": "POST", "url": "Things", "body": bodies.thing("Weir"), "atomicityGroup": "g"},
        {"id": "b", "method": "POST", "url": "$a/Datastreams", "body": datastream("Weir level"), "atomicityGroup": "g"},
    ]  # fmt: skip
    answers = below.post("/$batch", {"requests": requests}).json["responses"]
    assert [answer["status"] for answer in answers] == [201, 201]
    assert "Weir level" in names(below, "Datastreams")


# --- the data sets themselves --------------------------------------------------------------------


def test_a_data_set_is_made_shown_changed_and_deleted(towns: Towns) -> None:
    document = {"slug": "air", "title": "Air", "licence": "CC0", "things": [towns.keys["Lauter"]]}
    made = manage(towns.owner, "POST", "", document)
    assert (made.status, made.headers["location"]) == (201, f"{HOST}/datasets/air")
    shown = manage(towns.stranger, "GET", "air").json
    assert (shown["title"], shown["owner"], shown["licence"]) == ("Air", "Lautern", "CC0")
    assert shown["services"][0] == {"version": "1.1", "url": f"{HOST}/datasets/air/sta/v1.1"}
    assert shown["topics"] == ["datasets/air/v1.1", "datasets/air/v2.0"]
    assert not shown.keys() & {"things", "readers"}
    assert manage(towns.owner, "PATCH", "air", {"title": "Clean air"}).json["title"] == "Clean air"
    assert manage(towns.owner, "GET").value[0]["title"] == "Clean air"
    assert manage(towns.owner, "DELETE", "air").status == 204
    assert manage(towns.owner, "GET", "air").status == 404
    assert "Lauter" in names(towns.owner, "Things")


@pytest.mark.parametrize(
    ("document", "field"),
    [({"slug": "Big Letters", "title": "T"}, "slug"), ({"slug": "a/b", "title": "T"}, "slug"),
     ({"title": "T"}, "slug"), ({"slug": "a"}, "title"),
     ({"slug": "a", "title": "T", "things": [9999]}, "things"),
     ({"slug": "a", "title": "T", "things": "all"}, "things"),
     ({"slug": "a", "title": "T", "things": [True]}, "things"),
     ({"slug": "a", "title": "T", "readers": ["nobody"]}, "readers"),
     ({"slug": "a", "title": "T", "readerGroups": [1.5]}, "reader_groups"),
     ({"slug": "a", "title": "T", "access": "group"}, "group"),
     ({"slug": "a", "title": "T", "access": "secret"}, "access"),
     ({"slug": "a", "title": "T", "id": 5}, "id"), ([], "body"), ("text", "body")],
)  # fmt: skip
def test_mistakes_are_named(towns: Towns, document: object, field: str) -> None:
    reply = manage(towns.owner, "POST", "", document)
    assert (reply.status, reply.message.startswith(f"{field}:")) == (400, True), reply.body
    assert manage(towns.owner, "GET").value == []


def test_a_short_name_is_taken_once(rivers: Towns) -> None:
    again = manage(rivers.owner, "POST", "", {"slug": SLUG, "title": "Again"})
    assert again.status == 409


def test_only_its_owner_changes_a_data_set(rivers: Towns) -> None:
    change = {"access": AccessLevel.PUBLIC.value}
    assert manage(rivers.stranger, "PATCH", SLUG, change).status == 401
    assert manage(rivers.neighbour, "PATCH", SLUG, change).status == 403
    assert manage(rivers.neighbour, "PATCH", SLUG, {"owner": "speyer"}).status == 403
    assert manage(rivers.owner, "PATCH", SLUG, {"owner": "speyer"}).status == 403
    assert manage(rivers.owner, "PUT", SLUG, change).status == 405
    assert rivers.owner.ask("OPTIONS", "/datasets").status == 204
