"""create-entity: the FeatureOfInterest of an Observation that names none, whichever way it is found."""

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client
from stadtherz.store.public import feature_for


def _features(api: Client, stream: int, *, posts: int) -> list[int]:
    path = f"/Datastreams({stream})/Observations"
    made = [api.post(path, bodies.observation()).headers["location"] for _ in range(posts)]
    return [api.get(f"{address}/FeatureOfInterest").json["@iot.id"] for address in made]


def test_readings_of_a_thing_with_two_places_share_one_feature(api: Client) -> None:
    places = [bodies.location("Bridge", 7.7), bodies.location("Mill", 7.8)]
    thing = bodies.thing(Locations=places, Datastreams=[bodies.datastream()])
    assert api.post("/Things", thing).status == 201
    (stream,) = api.get("/Datastreams").ids
    features = _features(api, stream, posts=2)
    assert set(features) == {feature_for(stream)}
    assert len(api.get("/FeaturesOfInterest").ids) == 1


def test_a_thing_that_moves_gets_another_feature(api: Client) -> None:
    assert api.post("/Things", bodies.station(results=())).status == 201
    (stream,), (thing,) = api.get("/Datastreams").ids, api.get("/Things").ids
    (before,) = _features(api, stream, posts=1)
    mill = api.post("/Locations", bodies.location("Mill", 7.8)).key
    assert api.patch(f"/Things({thing})", {"Locations": [{"@iot.id": mill}]}).status == 200
    after = _features(api, stream, posts=2)
    assert after == [after[0]] * 2
    assert after[0] != before
    assert api.get(f"/FeaturesOfInterest({after[0]})").json["name"] == "Mill"
