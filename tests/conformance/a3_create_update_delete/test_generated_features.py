"""create-entity: the FeatureOfInterest of an Observation that names none, whichever way it is found."""

from typing import Any

import orjson
import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client
from stadtherz.sensorthings.tests.test_posts import Request
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


_IN_WORDS = bodies.location("In words", encodingType="text/plain", location="at the bridge")


@pytest.mark.parametrize("places", [[_IN_WORDS, bodies.location()], [bodies.location(), _IN_WORDS]])
@pytest.mark.parametrize("door", ["post", "deep", "array", "served"])
def test_of_several_encodings_geojson_makes_the_feature(
    api: Client, places: list[dict[str, Any]], door: str
) -> None:
    """18-088 table 6: Locations of one Thing are the same place in several encodings"""
    readings = [bodies.observation()] if door == "deep" else []
    stream = bodies.datastream(Observations=readings)
    assert api.post("/Things", bodies.thing(Locations=places, Datastreams=[stream])).status == 201
    (key,) = api.get("/Datastreams").ids
    if door == "post":
        _features(api, key, posts=2)
    elif door == "array":
        rows = {"components": ["result"], "dataArray": [[1]], "Datastream": {"@iot.id": key}}
        assert "error" not in api.post("/CreateObservations", [rows]).json
    elif door == "served":
        assert feature_for(key)
        body = orjson.dumps(bodies.observation())
        path = f"/Datastreams({key})/Observations"
        assert Request(path, body).offered(api.visibility).status == 201  # type: ignore[union-attr]
    (feature,) = api.get("/FeaturesOfInterest").value
    assert feature["encodingType"] == "application/geo+json"
    assert len(api.get(f"{feature['@iot.selfLink']}/Observations").value) == 2 - (door != "post")
    assert api.get(f"/Datastreams({key})").json["observedArea"] == feature["feature"]


def test_a_place_in_words_alone_makes_a_feature_too(api: Client) -> None:
    thing = bodies.thing(Locations=[_IN_WORDS], Datastreams=[bodies.datastream()])
    assert api.post("/Things", thing).status == 201
    (key,) = api.get("/Datastreams").ids
    (feature,) = _features(api, key, posts=1)
    assert api.get(f"/FeaturesOfInterest({feature})").json["feature"] == "at the bridge"
    assert "observedArea" not in api.get(f"/Datastreams({key})").json
