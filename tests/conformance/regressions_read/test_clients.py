"""What stock clients ask, in their own words: QGIS, Masterportal, Grafana, pygeoapi.

The addresses are theirs; what they do with answers is done here as they do it.
"""

import re
from typing import Any
from urllib.parse import quote

import pytest

from stadtherz.sensorthings.query.plan import DEFAULT_TOP
from stadtherz.sensorthings.tests.bodies import observation, station
from stadtherz.sensorthings.tests.client import ROOT, Client
from tests.conformance.regressions_read.atlas import BRIDGE, SOUTH, WEIR, shown

_BOX = "7 49.5,9 49.5,9 51.5,7 51.5,7 49.5"


# --- QGIS ------------------------------------------------------------------------------------------

_IS_POINT = "(location/type eq 'Point' or location/geometry/type eq 'Point')"
_IN_EXTENT = f"geo.intersects(location, geography'Polygon (({_BOX}))')"


def test_qgis_counts_before_it_reads(atlas: Client) -> None:
    assert atlas.get("/Locations?$top=0&$count=true").json == {"@iot.count": 3, "value": []}
    reply = atlas.get(f"/Locations?$top=0&$count=true&$filter={_IS_POINT} and {_IN_EXTENT}")
    assert reply.json == {"@iot.count": 2, "value": []}
    none = atlas.get("/Locations?$top=0&$count=true&$filter=location/type eq 'MultiPolygon'").json
    assert none["@iot.count"] == 0


def test_qgis_reads_pages_of_what_is_in_view(atlas: Client) -> None:
    address, names = f"/Locations?$top=1&$count=false&$filter={_IS_POINT} and {_IN_EXTENT}", []
    while address:
        page = atlas.get(address).json
        names += [entity["name"] for entity in page["value"]]
        address = page.get("@iot.nextLink", "")
    assert names == ["Here", "There"]


def test_qgis_expands_several_levels_with_limits_of_their_own(atlas: Client) -> None:
    inner = (
        "$orderby=id;$top=2;$expand=Datastreams($orderby=name desc;$top=2;$filter=name ne 'x';"
        "$expand=Observations($filter=phenomenonTime ge 2026-03-01T00:00:00.000Z;$orderby=phenomenonTime desc;$top=2))"
    )
    reply = atlas.get(
        f"/Locations?$top=200&$count=false&$filter={_IS_POINT}&$expand=Things({inner})"
    )
    weir = reply.value[0]["Things"][0]
    assert [stream["name"] for stream in weir["Datastreams"]] == ["Weir level", "Weir heat"]
    level = weir["Datastreams"][0]
    assert [reading["result"] for reading in level["Observations"]] == [4, 2.5]
    onward = atlas.get(level["Observations@iot.nextLink"])
    assert [reading["result"] for reading in onward.value] == [1]
    assert "@iot.nextLink" not in onward.json


def test_qgis_asks_for_the_extent_of_datastreams(atlas: Client) -> None:
    box = f"geo.intersects(observedArea, geography'Polygon (({_BOX}))')"
    assert shown(atlas, f"/Datastreams?$filter={box}&$top=50&$count=false") == [
        "Weir level",
        "Weir heat",
        "Süd level",
    ]


# --- Masterportal ------------------------------------------------------------------------------------


def _number(name: str, address: str) -> int:
    found = re.search(rf"[$|%24]{name}=([0-9]+)", address)
    return int(found[1]) if found else 0


def _everything(client: Client, address: str) -> tuple[list[dict[str, Any]], int]:
    """All next links are followed, also nested ones; but where as many came before as $top wants, no more."""
    result: list[dict[str, Any]] = []
    waiting: list[tuple[str, list[Any]]] = [(address, result)]
    asked = 0
    while waiting:
        link, into = waiting.pop(0)
        if 0 < _number("top", link) <= _number("skip", link):
            continue
        page = client.get(link if "$count" in link else f"{link}&$count=true").json
        asked += 1
        into += page.get("value", [page])
        if "@iot.nextLink" in page:
            waiting.append((page["@iot.nextLink"], into))
        _collect(page.get("value"), waiting)
    return result, asked


def _collect(node: Any, waiting: list[tuple[str, list[Any]]]) -> None:
    if isinstance(node, list):
        for each in node:
            _collect(each, waiting)
    elif isinstance(node, dict):
        _collect(list(node.values()), waiting)
        links = [name for name in node if name.endswith("@iot.nextLink")]
        waiting += [(node.pop(name), node[name.partition("@")[0]]) for name in links]


def test_masterportal_takes_the_newest_reading_and_not_all_of_them(atlas: Client) -> None:
    """A nested next link behind $top=1 must tell that one came before, or it reads the whole history."""
    newest = "Observations($orderby=phenomenonTime desc;$top=1)"
    things, asked = _everything(atlas, f"/Things?$expand=Locations,Datastreams($expand={newest})")
    readings = [stream["Observations"] for thing in things for stream in thing["Datastreams"]]
    assert [[reading["result"] for reading in each] for each in readings] == [
        [4],
        [20],
        [False],
        [],
    ]
    assert asked == 1


def test_masterportal_reads_on_where_the_server_limits_it(land: Client) -> None:
    readings = tuple(range(DEFAULT_TOP + 5))
    body = station("Busy", results=())
    body["Datastreams"][0]["Observations"] = [
        observation(n, f"2026-01-01T{n // 60:02}:{n % 60:02}:00Z") for n in readings
    ]
    assert land.post("/Things", body).status == 201
    expand = "Datastreams($expand=Observations($orderby=phenomenonTime))"
    things, asked = _everything(land, f"/Things?$filter=name eq 'Busy'&$expand={expand}")
    (stream,) = things[0]["Datastreams"]
    assert [reading["result"] for reading in stream["Observations"]] == list(readings)
    assert asked == 2


def test_masterportal_asks_by_properties_of_the_service_and_in_the_extent(atlas: Client) -> None:
    within = f"st_within(Thing/Locations/location,geography'POLYGON (({_BOX}))')"
    condition = f"properties/limit gt 1 and Thing/name ne 'x' and {within}"
    expand = "Thing($expand=Locations($select=name,location;$filter=encodingType eq 'application/geo%2Bjson'))"
    streams = atlas.get(f"/Datastreams?$filter={condition}&$expand={expand}").value
    assert [stream["Thing"]["Locations"][0]["name"] for stream in streams] == ["Here", "Here"]


def test_masterportal_reads_absolute_addresses_on_its_own_host(atlas: Client) -> None:
    thing = atlas.get("/Things?$expand=Datastreams").value[0]
    assert thing["@iot.selfLink"] == f"{ROOT}/Things({thing['@iot.id']})"
    for stream in thing["Datastreams"]:
        assert (
            stream["Observations@iot.navigationLink"] == f"{stream['@iot.selfLink']}/Observations"
        )
        assert atlas.get(
            f"{stream['Observations@iot.navigationLink']}?$orderby=phenomenonTime desc&$top=1"
        ).value


# --- Grafana -----------------------------------------------------------------------------------------

_FROM_TO = (
    "phenomenonTime gt 2026-03-01T00:00:00.000Z and phenomenonTime lt 2026-03-04T00:00:00.000Z"
)


def test_grafana_reads_a_window_of_a_datastream(atlas: Client) -> None:
    stream = atlas.get("/Datastreams?$filter=name eq 'Weir heat'").ids[0]
    inner = f"$filter={_FROM_TO};$select=phenomenonTime,result;$orderby=phenomenonTime desc"
    found = atlas.get(
        f"/Datastreams({stream})?$expand=Observations({inner})&$select=name,unitOfMeasurement"
    ).json
    assert [reading["result"] for reading in found["Observations"]] == [20, 20]
    assert found["unitOfMeasurement"]["symbol"] == "°C"
    window = "$filter=phenomenonTime ge 2026-03-02T00:00:00.000Z and phenomenonTime le 2026-03-03T00:00:00.000Z&$top=1000"
    assert shown(atlas, f"/Datastreams({stream})/Observations?{window}") == [20, 20]


def test_grafana_joins_pages_by_the_query_of_the_next_link(atlas: Client) -> None:
    """It keeps its own path and takes only what stands behind the question mark."""
    stream = atlas.get("/Datastreams?$filter=name eq 'Süd level'").ids[0]
    path = f"/Datastreams({stream})/Observations"
    page = atlas.get(f"{path}?$filter=phenomenonTime ge 2026-03-01T00:00:00.000Z&$top=3").json
    found = page["value"]
    while "@iot.nextLink" in page:
        page = atlas.get(f"{path}?{page['@iot.nextLink'].rpartition('?')[2]}").json
        found += page["value"]
    assert len({reading["@iot.id"] for reading in found}) == len(found) == 7


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("/Things?$filter=startswith(name,'We')&$count=true&$top=5", [WEIR]),
        (
            "/Things?$filter=startswith(name,'P') and startswith(description,'Pegel')&$count=true&$skip=0&$top=5",
            [SOUTH],
        ),
        ("/Things?$filter=startswith(properties/code,'A')&$count=true", [WEIR]),
        ("/Things?$count=true&$skip=2&$top=1", [BRIDGE]),
        ("/Sensors?$filter=startswith(name,'Fl')&$count=true", ["Float"]),
    ],
)
def test_grafana_searches_in_its_lists(atlas: Client, address: str, names: list[str]) -> None:
    assert shown(atlas, address) == names


# --- pygeoapi ----------------------------------------------------------------------------------------

_EXPAND = (
    "Sensor,ObservedProperty,Thing,Thing/Locations,Observations($select=@iot.id;$orderby=phenomenonTime desc),"
    "Observations/FeatureOfInterest($select=feature)"
)


def test_pygeoapi_names_a_link_twice_and_means_it_once(atlas: Client) -> None:
    stream = atlas.get(f"/Datastreams?$expand={_EXPAND}&$skip=0&$top=10").value[0]
    assert stream["Thing"]["Locations"][0]["name"] == "Here"
    assert stream["Observations"][0].keys() == {"@iot.id", "FeatureOfInterest"}
    assert stream["Observations"][0]["FeatureOfInterest"] == {
        "feature": {"type": "Point", "coordinates": [8, 50]}
    }


def test_pygeoapi_gives_an_entity_the_limits_of_a_set(atlas: Client) -> None:
    key = atlas.get("/Things").ids[0]
    plain = atlas.get(f"/Things({key})?$expand=Locations,Datastreams")
    assert (
        atlas.get(f"/Things({key})?$skip=0&$top=10&$expand=Locations,Datastreams").json
        == plain.json
    )


def test_pygeoapi_encodes_everything_as_a_form(atlas: Client) -> None:
    condition = "st_within(Locations/location, geography'POLYGON ((7 49.5, 9 49.5,                      9 50.5, 7 50.5, 7 49.5))') and name eq 'Weir'"
    encoded = quote(condition, safe="").replace("%20", "+")
    assert shown(atlas, f"/Things?%24skip=0&%24top=10&%24filter={encoded}&%24orderby=name+asc") == [
        WEIR
    ]
