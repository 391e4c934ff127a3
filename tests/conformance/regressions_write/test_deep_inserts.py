"""Deep inserts in every direction, and POST to the sets behind entities (18-088 §10.2).

The names in quotes are those of the official test suite (ETS), level 2.
"""

from typing import Any

import pytest

from stadtherz.sensorthings.standard.schema import ENTITY_SETS, MODELS
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client
from tests.conformance.regressions_write.forms import WHOLE, create, nothing_is_there
from tests.conformance.regressions_write.test_links import WAYS, Way

_OBSERVED = "ObservedProperties.MultiDatastreams"


def _counts(api: Client) -> dict[str, int]:
    found = {n: api.get(f"/{n}?$count=true&$top=0").json["@iot.count"] for n in ENTITY_SETS}
    return {name: number for name, number in found.items() if number}


def _inner(way: Way) -> dict[str, Any]:
    """A new entity for the other end, without its link back and with what it needs else."""
    body = dict(WHOLE[way.plural])
    for link in MODELS["1.1"][way.link.target].links:
        leads_back = link.target == ENTITY_SETS[way.name].name or (
            way.name == "MultiDatastreams" and link.name == "Datastream"
        )
        if leads_back:
            body.pop(link.name, None)
    if way.name == "MultiDatastreams" and way.plural == "Observations":
        body["result"] = [1, True]
    return body


def _with(way: Way) -> dict[str, Any]:
    """An entity with a new one behind the link."""
    body = dict(WHOLE[way.name])
    if str(way) == "Observations.MultiDatastream":
        del body["Datastream"]
        body["result"] = [1, True]
    if way.plural == "HistoricalLocations":
        body.pop("Locations", None)
    inner = WHOLE[way.plural] if way.link.name == "MultiDatastream" else _inner(way)
    return {**body, way.link.name: [inner] if way.link.many else inner}


@pytest.mark.parametrize("way", [way for way in WAYS if str(way) != _OBSERVED], ids=str)
def test_a_new_entity_brings_another_along(api: Client, way: Way) -> None:
    """createEntitiesWithDeepInsert"""
    body = _with(way)
    if str(way) == "MultiDatastreams.ObservedProperties":
        body[way.link.name] *= 2
    made = api.post(f"/{way.name}", body)
    assert made.status == 201, made.body
    assert made.headers["location"] == f"{ROOT}/{way.name}({made.key})"
    found = api.get(f"{made.headers['location']}/{way.link.name}").json
    inner = found["value"][-1] if way.link.many else found
    own = {p.name for p in ENTITY_SETS[way.plural].properties if not p.derived}
    sent = _inner(way) if way.link.name != "MultiDatastream" else WHOLE[way.plural]
    assert {k: inner.get(k) for k in sent if k in own} == {k: sent[k] for k in sent if k in own}


@pytest.mark.parametrize("way", [way for way in WAYS if str(way) != _OBSERVED], ids=str)
def test_what_is_wrong_inside_leaves_nothing(api: Client, way: Way) -> None:
    """createInvalidEntitiesWithDeepInsert: the property is named with its way"""
    entity = ENTITY_SETS[way.plural]
    for missing in (p.name for p in entity.properties if p.required):
        inner = {k: v for k, v in _inner(way).items() if k != missing}
        body = {**_with(way), way.link.name: [inner] if way.link.many else inner}
        refused = api.post(f"/{way.name}", body)
        assert refused.status == 400, refused.body
        assert f"{way.link.name}/{missing}" in refused.message
        assert nothing_is_there(api)


_NEEDED_INSIDE = [
    ("Things", "Datastreams", ("Sensor", "ObservedProperty")),
    ("Things", "MultiDatastreams", ("Sensor", "ObservedProperties")),
    ("Sensors", "Datastreams", ("Thing", "ObservedProperty")),
    ("Sensors", "MultiDatastreams", ("Thing", "ObservedProperties")),
    ("ObservedProperties", "Datastreams", ("Thing", "Sensor")),
    ("FeaturesOfInterest", "Observations", ("Datastream",)),
    ("Locations", "HistoricalLocations", ("Thing",)),
]


@pytest.mark.parametrize(("name", "link", "needed"), _NEEDED_INSIDE, ids=str)
def test_what_an_inner_entity_needs_is_missed(
    api: Client, name: str, link: str, needed: tuple[str, ...]
) -> None:
    way = Way(name, next(each for each in ENTITY_SETS[name].links if each.name == link))
    for missing in needed:
        inner = {k: v for k, v in _inner(way).items() if k != missing}
        refused = api.post(f"/{name}", {**WHOLE[name], link: [inner]})
        assert (refused.status, missing in refused.message) == (400, True), refused.body
        assert nothing_is_there(api)


@pytest.mark.parametrize(
    ("wrong", "way"),
    [
        ({"name": 1}, "Datastreams[1]/name"),
        ({"Sensor": None}, "Datastreams[1]/Sensor"),
        ({"ObservedProperty": {"@iot.id": 99}}, "Datastreams[1]/ObservedProperty"),
        ({"ObservedProperty": {"name": "Heat"}}, "Datastreams[1]/ObservedProperty/definition"),
        ({"Observations": [bodies.observation(1)] * 2 + [{}]}, "Datastreams[1]/Observations[2]"),
    ],
)
def test_of_several_the_wrong_one_is_told_with_its_place(
    api: Client, wrong: dict[str, Any], way: str
) -> None:
    """req/create-update-delete/deep-insert"""
    streams = [bodies.datastream("fine"), {**bodies.datastream("wrong"), **wrong}]
    refused = api.post("/Things", bodies.thing(Datastreams=streams))
    assert (refused.status, refused.message.startswith(way)) == (400, True), refused.body
    assert nothing_is_there(api)


def test_four_levels_down(api: Client) -> None:
    readings = [
        bodies.observation(n, f"2026-01-01T0{n}:00:00Z", FeatureOfInterest=bodies.feature(f"F{n}"))
        for n in range(3)
    ]
    body = bodies.location(
        Things=[bodies.thing(Datastreams=[bodies.datastream(Observations=readings)])]
    )
    place = api.post("/Locations", body).key
    expand = "Things($expand=Datastreams($expand=Observations($expand=FeatureOfInterest)))"
    (thing,) = api.get(f"/Locations({place})?$expand={expand}").json["Things"]
    found = [each["FeatureOfInterest"]["name"] for each in thing["Datastreams"][0]["Observations"]]
    assert found == ["F0", "F1", "F2"]
    assert _counts(api) == {
        "Locations": 1, "Things": 1, "HistoricalLocations": 1, "Datastreams": 1, "Sensors": 1,
        "ObservedProperties": 1, "Observations": 3, "FeaturesOfInterest": 3,
    }  # fmt: skip


def test_from_the_observation_up(api: Client) -> None:
    """An Observation with inline Datastream and Thing finds its feature; FROST-Server does not"""
    place = bodies.location("There")
    stream = bodies.datastream(Thing=bodies.thing(Locations=[place]))
    made = api.post("/Observations", bodies.observation(5, Datastream=stream))
    assert made.status == 201, made.body
    feature = api.get(f"{made.headers['location']}/FeatureOfInterest").json
    assert feature["feature"] == place["location"]
    assert (
        api.get(f"{made.headers['location']}/Datastream/Thing/Locations").value[0]["name"]
        == "There"
    )
    assert _counts(api)["HistoricalLocations"] == 1


def test_from_the_observation_up_with_old_and_new(api: Client) -> None:
    thing = create(api, "Things", Locations=[bodies.location()])
    reference = {"@iot.id": int(thing.rpartition("(")[2].rstrip(")"))}
    stream = bodies.datastream(Thing=reference)
    made = api.post("/Observations", bodies.observation(5, Datastream=stream))
    assert made.status == 201, made.body
    assert api.get(f"{thing}/Datastreams").value[0]["name"] == stream["name"]
    assert api.get(f"{made.headers['location']}/FeatureOfInterest").status == 200


def test_observations_inside_share_the_feature_of_their_thing(api: Client) -> None:
    readings = [bodies.observation(n) for n in range(4)]
    stream = bodies.datastream(Observations=readings)
    body = bodies.thing(Locations=[bodies.location()], Datastreams=[stream, stream])
    assert api.post("/Things", body).status == 201
    assert _counts(api)["FeaturesOfInterest"] == 1
    assert _counts(api)["Observations"] == 8


def test_a_thing_with_two_locations_was_there_once(api: Client) -> None:
    """One HistoricalLocation with both: they say the same place in two ways"""
    body = bodies.thing(Locations=[bodies.location("a"), bodies.location("b")])
    thing = api.post("/Things", body).headers["location"]
    (past,) = api.get(f"{thing}/HistoricalLocations?$expand=Locations").value
    assert [each["name"] for each in past["Locations"]] == ["a", "b"]
    assert [each["name"] for each in api.get(f"{thing}/Locations").value] == ["a", "b"]


# --- sets behind entities ------------------------------------------------------------------------------


_BEHIND = [way for way in WAYS if way.link.many and str(way) != _OBSERVED]


@pytest.mark.parametrize("way", _BEHIND, ids=str)
def test_a_set_behind_an_entity_takes_new_ones(api: Client, way: Way) -> None:
    if str(way) == "MultiDatastreams.ObservedProperties":
        return  # they belong to the parts of the results: a5_multidatastream
    address = create(api, way.name)
    before = api.get(f"{address}/{way.link.name}").ids
    body = _inner(way)
    if way.plural == "HistoricalLocations" and way.name == "Things":
        body["Locations"] = WHOLE["HistoricalLocations"]["Locations"]
    made = api.post(f"{address}/{way.link.name}", body)
    assert made.status == 201, made.body
    assert made.headers["location"] == f"{ROOT}/{way.plural}({made.key})"
    after = api.get(f"{address}/{way.link.name}").ids
    moved = str(way) == "Things.Locations"
    assert after == [made.key] if moved else sorted(after) == sorted([*before, made.key])


@pytest.mark.parametrize("way", _BEHIND, ids=str)
def test_a_set_behind_what_is_not_there_is_not_found(api: Client, way: Way) -> None:
    refused = api.post(f"/{way.name}(999999)/{way.link.name}", _inner(way))
    assert refused.status == 404
    assert nothing_is_there(api)


@pytest.mark.parametrize("way", [way for way in WAYS if not way.link.many], ids=str)
def test_what_a_link_to_one_leads_to_is_not_created_by_post(api: Client, way: Way) -> None:
    address = create(api, way.name)
    refused = api.post(f"{address}/{way.link.name}", WHOLE[way.plural])
    assert (refused.status, "allow" in refused.headers) in ((405, True), (404, False))


_LONG = [
    ("Things({t})/Datastreams({d})/Observations", "Observations"),
    ("Locations({l})/Things({t})/Datastreams", "Datastreams"),
    ("Locations({l})/Things({t})/Datastreams({d})/Observations", "Observations"),
    ("Sensors({s})/Datastreams({d})/Observations", "Observations"),
    ("ObservedProperties({p})/Datastreams({d})/Thing/Locations", "Locations"),
    ("Datastreams({d})/Thing/Datastreams", "Datastreams"),
    ("Datastreams({d})/Sensor/Datastreams", "Datastreams"),
    ("Datastreams({d})/ObservedProperty/Datastreams", "Datastreams"),
    ("Observations({o})/Datastream/Observations", "Observations"),
    ("Observations({o})/FeatureOfInterest/Observations", "Observations"),
    ("Observations({o})/Datastream/Thing/HistoricalLocations", "HistoricalLocations"),
    ("Things({t})/HistoricalLocations({h})/Locations", "Locations"),
    ("HistoricalLocations({h})/Thing/Datastreams({d})/Observations", "Observations"),
]


@pytest.fixture
def station(api: Client) -> dict[str, int]:
    """Ids by the first letter; p is the ObservedProperty."""
    assert api.post("/Things", bodies.station()).status == 201
    names = {
        "t": "Things",
        "l": "Locations",
        "h": "HistoricalLocations",
        "d": "Datastreams",
        "s": "Sensors",
        "p": "ObservedProperties",
        "o": "Observations",
    }
    ids = {key: api.get(f"/{name}?$orderby=id&$top=1").ids for key, name in names.items()}
    return {key: found[0] for key, found in ids.items()}


@pytest.mark.parametrize(("path", "name"), _LONG, ids=str)
def test_long_ways_lead_to_sets(api: Client, station: dict[str, int], path: str, name: str) -> None:
    links = {
        "Thing": {"@iot.id": station["t"]},
        "Datastream": {"@iot.id": station["d"]},
        "Sensor": {"@iot.id": station["s"]},
        "ObservedProperty": {"@iot.id": station["p"]},
        "Locations": [{"@iot.id": station["l"]}],
    }
    body = {**WHOLE[name], **{k: v for k, v in links.items() if k in WHOLE[name]}}
    made = api.post("/" + path.format(**station), body)
    assert made.status == 201, made.body
    assert made.headers["location"] == f"{ROOT}/{name}({made.key})"
    assert made.key in api.get("/" + path.format(**station)).ids


@pytest.mark.parametrize(
    "path",
    [
        "Things({t})/Datastreams(999999)/Observations",
        "Locations({l})/Things(999999)/Datastreams",
        "Sensors(999999)/Datastreams({d})/Observations",
        "Datastreams({d})/Thing/Sensors",
        "Things({t})/Nothing",
    ],
)
def test_a_long_way_must_lead_somewhere(api: Client, station: dict[str, int], path: str) -> None:
    before = _counts(api)
    assert api.post("/" + path.format(**station), bodies.observation()).status == 404
    assert _counts(api) == before


def test_the_path_wins_over_the_body_or_says_the_same(api: Client, station: dict[str, int]) -> None:
    """A client that sends what it has read to the place where it belongs"""
    thing = {"@iot.id": station["t"]}
    made = api.post(f"/Things({station['t']})/Datastreams", bodies.datastream(Thing=thing))
    assert made.status == 201
    reading = bodies.observation(5, Datastream={"@iot.id": station["d"]})
    made = api.post(f"/Datastreams({station['d']})/Observations", reading)
    assert made.status == 201, made.body
