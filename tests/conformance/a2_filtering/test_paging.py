"""req/request-data/pagination: chains of next links, also while others add and delete."""

from collections.abc import Iterator

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, Reply
from tests.conformance.sensing import SENSING

_ORDERS = [
    ("Things", "name desc"),
    ("Things", "properties/depth,name"),
    ("Things", "properties/missing desc"),
    ("Things", "length(name) desc"),
    ("Locations", "geo.distance(location, geography'POINT(0 0)')"),
    ("HistoricalLocations", "Thing/name,time desc"),
    ("Datastreams", "Thing/name desc,phenomenonTime"),
    ("Datastreams", "resultTime desc"),
    ("Datastreams", "properties/limit"),
    ("Sensors", "metadata desc"),
    ("ObservedProperties", "definition"),
    ("Observations", "result"),
    ("Observations", "result desc"),
    ("Observations", "phenomenonTime desc"),
    ("Observations", "validTime,resultTime desc"),
    ("Observations", "Datastream/Thing/name desc,result"),
    ("Observations", "Datastream/properties/limit,phenomenonTime desc"),
    ("Observations", "parameters/battery desc"),
    ("Observations", "FeatureOfInterest/name,id desc"),
]


def pages(client: Client, address: str) -> Iterator[Reply]:
    while address:
        reply = client.get(address)
        assert reply.status == 200, (address, reply.body)
        yield reply
        address = reply.json.get("@iot.nextLink", "")


def ids(client: Client, address: str) -> list[int]:
    return [key for reply in pages(client, address) for key in reply.ids]


@pytest.mark.parametrize(("name", "order"), _ORDERS)
def test_pages_hold_each_entity_once_in_every_order(city: Client, name: str, order: str) -> None:
    whole = city.get(f"/{name}?$orderby={order}").ids
    assert len(whole) > 2
    assert ids(city, f"/{name}?$orderby={order}&$top=1") == whole
    assert ids(city, f"/{name}?$orderby={order}&$top=2&$skip=1") == whole[1:]


@pytest.mark.parametrize("name", SENSING)
def test_what_is_deleted_between_pages_moves_nothing(city: Client, name: str) -> None:
    whole = city.get(f"/{name}").ids
    chain = pages(city, f"/{name}?$top=2")
    assert next(chain).ids == whole[:2]
    for key in whole[:2]:
        city.delete(f"/{name}({key})")
    left = city.get(f"/{name}").ids
    assert [key for reply in chain for key in reply.ids] == [k for k in left if k > whole[1]]


@pytest.mark.parametrize(
    "order",
    [
        "phenomenonTime desc",
        "Datastream/name desc,phenomenonTime desc",
        "id desc",
        "parameters/battery,id",
    ],
)
def test_readings_that_arrive_between_pages_move_nothing(city: Client, order: str) -> None:
    """A client pages from the newest backwards while the sensors go on sending."""
    whole = city.get(f"/Observations?$orderby={order}").ids
    streams = city.get("/Datastreams").ids
    collected = []
    for hour, reply in enumerate(pages(city, f"/Observations?$orderby={order}&$top=2")):
        collected += reply.ids
        later = bodies.observation(
            hour, f"2027-01-01T{hour:02}:00:00Z", parameters={"battery": -hour}
        )
        assert city.post(f"/Datastreams({streams[-1]})/Observations", later).status == 201
    assert [key for key in collected if key in whole] == whole
    assert len(collected) == len(set(collected))


def test_entities_that_are_added_between_pages_are_not_shown_twice(city: Client) -> None:
    chain = pages(city, "/Things?$orderby=name&$top=2&$count=true")
    first = next(chain)
    assert [thing["name"] for thing in first.value] == ["100% Glan_x", "Alsenz"]
    city.post("/Things", bodies.thing("0 first"))
    second = next(chain)
    assert [thing["name"] for thing in second.value] == ["Lauter"]
    assert (first.json["@iot.count"], second.json["@iot.count"]) == (3, 4)


def test_filters_selections_and_expands_go_on_with_the_link(city: Client) -> None:
    address = (
        "/Observations?$filter=Datastream/Thing/name ne 'Lauter' and phenomenonTime lt 2026-02-01T00:00:00Z"
        "&$orderby=phenomenonTime desc&$select=result&$expand=Datastream($select=name)&$top=1"
    )
    shown = [entity for reply in pages(city, address) for entity in reply.value]
    assert [entity["result"] for entity in shown] == [True, 20, "high", 10]
    assert {"result", "Datastream"} == shown[-1].keys()


@pytest.mark.parametrize(
    ("address", "inner"),
    [
        ("/Things", "Datastreams/Observations($orderby=result desc;$top=1)"),
        ("/Datastreams", "Observations($orderby=phenomenonTime desc;$top=1)"),
        ("/FeaturesOfInterest", "Observations($top=1)"),
    ],
)
def test_next_links_of_expanded_readings_go_on_behind_them(
    city: Client, address: str, inner: str
) -> None:
    entity = city.get(f"{address}?$expand={inner}").value[0]
    held = entity["Datastreams"][0] if "Datastreams" in entity else entity
    chain = ids(city, held["Observations@iot.nextLink"])
    whole = city.get(held["Observations@iot.navigationLink"]).ids
    assert sorted([held["Observations"][0]["@iot.id"], *chain]) == whole


def test_next_links_of_expanded_entities_go_on_behind_them(city: Client) -> None:
    thing = city.get("/Things").ids[0]
    for number in range(3):
        city.post(f"/Things({thing})/Datastreams", bodies.datastream(f"Extra {number}"))
        city.post(f"/Things({thing})/Locations", bodies.location(f"Place {number}"))
    for link, order in (("Datastreams", "name desc"), ("HistoricalLocations", "time desc")):
        shown = city.get(f"/Things({thing})?$expand={link}($orderby={order};$top=2)").json
        first = [entity["@iot.id"] for entity in shown[link]]
        rest = ids(city, shown[f"{link}@iot.nextLink"])
        assert first + rest == city.get(f"/Things({thing})/{link}?$orderby={order}").ids


def test_long_texts_are_paged_by_counting(city: Client) -> None:
    """A place that would make the address too long; the pages hold all the same."""
    stream = city.get("/Datastreams").ids[0]
    for letter in "abc":
        city.post(f"/Datastreams({stream})/Observations", bodies.observation(letter * 5_000))
    whole = city.get("/Observations?$orderby=result").ids
    replies = list(pages(city, "/Observations?$orderby=result&$top=1"))
    assert [key for reply in replies for key in reply.ids] == whole
    assert all(len(reply.json.get("@iot.nextLink", "")) < 2_000 for reply in replies)


@pytest.mark.parametrize(
    "token", ["", "x", "WzEyM10=x", "bnVsbA", "e30", "W10", "WyJhIl0", "W251bGxd", "W3RydWVd", "W1tdXQ",
              "WzEsMl0", "WzFlOTldCg", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5XQ", "%FF", "é"],
)  # fmt: skip
def test_tokens_that_are_none_are_refused(city: Client, token: str) -> None:
    for name in ("Things", "Observations"):
        reply = city.get(f"/{name}?$skiptoken={token}")
        assert (reply.status, "$skiptoken" in reply.message) == (400, True), reply.body


def test_a_token_belongs_to_its_order(city: Client) -> None:
    token = city.get("/Things?$top=1").json["@iot.nextLink"].partition("$skiptoken=")[2]
    assert city.get(f"/Things?$skiptoken={token}").status == 200
    assert city.get(f"/Things?$skiptoken={token}&$orderby=name").status == 400
    assert city.get(f"/Things(1)?$skiptoken={token}").status == 400


def test_nobody_sees_more_by_a_token(city: Client, visitor: Client) -> None:
    """The token names a place in the order, not what may be seen there."""
    link = city.get("/Things?$top=1").json["@iot.nextLink"]
    assert visitor.get(link).ids == visitor.get("/Things").ids[1:2]


@pytest.mark.parametrize(
    "expand",
    [
        "Things($top=1;$select=name),Things/Datastreams($top=1;$select=name),Things/Datastreams/Observations($top=1;$select=result)",
        "Things/Datastreams/Observations($top=1;$select=result),Things/Datastreams($top=1;$select=name),Things($top=1;$select=name)",
        "Things($top=1;$select=name;$expand=Datastreams/Observations($top=1;$select=result)),Things/Datastreams($top=1;$select=name)",
        "Things($top=1;$select=name;$expand=Datastreams($top=1;$select=name;$expand=Observations($top=1;$select=result)))",
    ],
)
def test_pages_of_what_a_path_expands_hold_what_is_further_along_it(
    api: Client, expand: str
) -> None:
    """An older way of QGIS writes one path for each level; a nested page has all of them, too."""
    place = api.post("/Locations", bodies.location()).key
    for name in ("First", "Second"):
        streams = [
            bodies.datastream(
                f"{name} {part}", Observations=[bodies.observation(1), bodies.observation(2)]
            )
            for part in ("level", "heat")
        ]
        api.post(f"/Locations({place})/Things", bodies.thing(name, Datastreams=streams))
    first = api.get(f"/Locations({place})?$expand={expand}").json
    (second,) = api.get(first["Things@iot.nextLink"]).value
    (heat,) = api.get(second["Datastreams@iot.nextLink"]).value
    following = api.get(heat["Observations@iot.nextLink"])
    assert (second["name"], second["Datastreams"][0]["name"]) == ("Second", "Second level")
    assert (heat["name"], heat["Observations"]) == ("Second heat", [{"result": 1}])
    assert following.json == {"value": [{"result": 2}]}
