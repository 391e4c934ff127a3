"""req/group/relations: Observations in groups, read from the store by their ids (22-022r1 §7.4)."""

from typing import Any

import pytest

from stadtherz.base.visibility import AccessLevel
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, operator
from stadtherz.store.models import Grouped, Relation
from stadtherz.store.public import seal, update
from tests.conformance.staplus.conftest import Station


@pytest.fixture
def group(api: Client, station: Station) -> int:
    """With the first and the last reading of the station, and one that is no number."""
    word = api.post(f"/Datastreams({station.stream})/Observations", bodies.observation("high")).key
    named = [*station.named(0, 2), {"@iot.id": word}]
    return api.post("/ObservationGroups", bodies.observation_group(Observations=named)).key


def results(client: Client, address: str) -> list[Any]:
    return [each["result"] for each in client.get(address).value]


def test_a_group_leads_to_its_observations_and_back(
    api: Client, station: Station, group: int
) -> None:
    path = f"/ObservationGroups({group})/Observations"
    assert results(api, f"{path}?$orderby=phenomenonTime,id") in ([1, "high", 3], ["high", 1, 3])
    assert api.get(f"{path}({station.readings[0]})").json["result"] == 1
    assert api.get(f"{path}({station.readings[1]})").status == 404
    back = f"/Observations({station.readings[0]})/ObservationGroups"
    assert api.get(back).ids == [group]
    assert api.get(f"{back}({group})/Observations/$count").body == b"3"
    assert api.get(f"/Observations({station.readings[1]})/ObservationGroups").ids == []


@pytest.mark.parametrize("sealed", [False, True])
def test_every_option_works_on_the_observations_of_a_group(
    api: Client, station: Station, group: int, *, sealed: bool
) -> None:
    if sealed:
        seal()
    path = f"/ObservationGroups({group})/Observations"
    assert results(api, f"{path}?$filter=result gt 1") == [3]
    assert results(api, f"{path}?$filter=Datastream/Thing/name eq 'Gauge' and result lt 2") == [1]
    assert results(api, f"{path}?$orderby=id desc&$top=2&$skip=1") == [3, 1]
    page = api.get(f"{path}?$orderby=id&$top=1&$count=true").json
    assert (page["@iot.count"], page["value"][0]["result"]) == (3, 1)
    assert results(api, page["@iot.nextLink"]) == [3]
    selected = api.get(f"{path}?$select=result&$expand=Datastream($select=name)&$orderby=id").value
    assert selected[0] == {"result": 1, "Datastream": {"name": "Gauge level"}}
    assert len(api.get(f"{path}/$ref").value) == 3
    sheet = api.get(f"{path}?$resultFormat=CSV&$select=result&$orderby=id").body
    assert sheet == b'result\r\n1\r\n3\r\n"""high"""\r\n'
    arrays = api.get(f"{path}?$resultFormat=dataArray&$select=result&$orderby=id").value
    assert arrays[0]["dataArray"] == [[1], [3], ["high"]]


def test_groups_are_expanded_and_filtered_by_their_observations(
    api: Client, station: Station, group: int
) -> None:
    empty = api.post("/ObservationGroups", bodies.observation_group("Empty")).key
    inner = "Observations($select=result;$orderby=id;$top=2;$count=true)"
    one, other = api.get(f"/ObservationGroups?$orderby=id&$expand={inner}").value
    assert one["Observations"] == [{"result": 1}, {"result": 3}]
    assert (one["Observations@iot.count"], other["Observations"]) == (3, [])
    assert len(api.get(one["Observations@iot.nextLink"]).value) == 1
    for condition, found in (
        ("Observations/result eq 3", [group]),
        ("Observations/result eq 2", []),
        ("Observations/Datastream/Thing/name eq 'Gauge'", [group]),
        ("not (Observations/result eq 3) or name eq 'Empty'", [group, empty]),
        ("name eq 'Flood' and Observations/result gt 2", [group]),
    ):
        assert api.get(f"/ObservationGroups?$orderby=id&$filter={condition}").ids == found, (
            condition
        )


def test_observations_are_found_by_their_groups(api: Client, station: Station, group: int) -> None:
    assert results(
        api, "/Observations?$filter=ObservationGroups/name eq 'Flood' and result gt 1"
    ) == [3]
    assert results(api, "/Observations?$filter=ObservationGroups/name eq 'Ebb'") == []
    expanded = api.get("/Observations?$orderby=id&$expand=ObservationGroups($select=name)").value
    named = [[each["name"] for each in one["ObservationGroups"]] for one in expanded]
    assert named == [["Flood"], [], ["Flood"], ["Flood"]]
    ways = "Datastreams/Observations/ObservationGroups/name eq 'Flood'"
    assert api.get(f"/Things?$filter={ways}").ids == [station.thing]
    order = api.get("/Observations?$orderby=ObservationGroups/name")
    assert order.status == 400


def test_observations_come_and_go(api: Client, station: Station, group: int) -> None:
    path = f"/ObservationGroups({group})/Observations"
    first, second, third = station.readings
    assert api.post(f"{path}/$ref", {"@iot.id": second}).status == 204
    assert api.post(f"{path}/$ref", {"@iot.id": second}).status == 204
    assert api.delete(f"{path}({first})/$ref").status == 204
    assert api.delete(f"{path}({first})/$ref").status == 404
    assert set(api.get(path).ids) > {second, third}
    assert first not in api.get(path).ids
    put = api.put(f"{path}/$ref", {"value": station.named(0)})
    assert (put.status, api.get(path).ids) == (204, [first])
    added = api.patch(f"/ObservationGroups({group})", {"Observations": station.named(1)})
    assert (added.status, set(api.get(path).ids)) == (200, {first, second})
    assert (
        api.patch(f"/Observations({third})", {"ObservationGroups": [{"@iot.id": group}]}).status
        == 200
    )
    assert len(api.get(path).ids) == 3
    assert api.delete(f"{path}/$ref").status == 204
    assert api.get(path).ids == []
    assert len(api.get("/Observations").ids) == 4


def test_all_of_a_great_group_leave_it_at_once(api: Client, station: Station) -> None:
    """More than one statement takes away."""
    rows = [[place, f"2026-01-01T00:00:00.{place:06}Z"] for place in range(700)]
    sheet = {
        "Datastream": {"@iot.id": station.stream},
        "components": ["result", "phenomenonTime"],
        "dataArray": rows,
    }
    assert api.post("/CreateObservations", [sheet]).status == 201
    ids = [each["@iot.id"] for each in api.get("/Observations?$select=id&$top=1000").value]
    named = [{"@iot.id": key} for key in ids if key not in station.readings]
    body = bodies.observation_group(Observations=[*station.named(0), *named])
    path = f"/ObservationGroups({api.post('/ObservationGroups', body).key})/Observations"
    assert api.get(f"{path}/$count").body == b"701"
    assert api.put(f"{path}/$ref", {"value": station.named(0)}).status == 204
    assert api.get(path).ids == [station.readings[0]]


def test_new_observations_into_a_group(api: Client, station: Station, group: int) -> None:
    """By the path, by a reference of their own, inside a new group, and the other way round."""
    stream = {"Datastream": {"@iot.id": station.stream}}
    path = f"/ObservationGroups({group})/Observations"
    made = api.post(path, bodies.observation(10, **stream)).key
    assert made in api.get(path).ids
    named = bodies.observation(11, **stream, ObservationGroups=[{"@iot.id": group}])
    other = api.post("/Observations", named).key
    short = {**named, "result": 12}
    del short["Datastream"]
    third = api.post(f"/Datastreams({station.stream})/Observations", short).key
    assert {made, other, third} < set(api.get(path).ids)
    inside = bodies.observation_group("New", Observations=[bodies.observation(13, **stream)])
    key = api.post("/ObservationGroups", inside).key
    assert results(api, f"/ObservationGroups({key})/Observations") == [13]
    around = bodies.observation(
        14, **stream, ObservationGroups=[bodies.observation_group("Around")]
    )
    reading = api.post("/Observations", around).key
    assert api.get(f"/Observations({reading})/ObservationGroups").value[0]["name"] == "Around"


def test_a_group_that_fails_inside_leaves_nothing(api: Client, station: Station) -> None:
    stream = {"Datastream": {"@iot.id": station.stream}}
    wrong = (
        [*station.named(0), {"@iot.id": 987654}],
        [bodies.observation(13, **stream), bodies.observation(14)],
        [{"@iot.id": station.stream}],
    )
    for inner in wrong:
        body = bodies.observation_group(Observations=inner, Party=bodies.party())
        refused = api.post("/ObservationGroups", body)
        assert refused.status == 400, refused.body
        assert api.get("/ObservationGroups").ids == api.get("/Parties").ids == []
        assert len(api.get("/Observations").ids) == 3
    assert (
        "there is no"
        in api.post("/ObservationGroups", bodies.observation_group(Observations=wrong[0])).message
    )


@pytest.mark.parametrize("sealed", [False, True])
def test_deleted_observations_leave_their_groups(
    api: Client, station: Station, group: int, *, sealed: bool
) -> None:
    if sealed:
        seal()
    path = f"/ObservationGroups({group})/Observations"
    assert api.delete(f"/Observations({station.readings[0]})").status == 200
    assert station.readings[0] not in api.get(path).ids
    assert Grouped.objects.count() == 2
    assert api.delete("/Observations?$filter=result eq 3").status == 200
    assert results(api, path) == ["high"]
    assert api.delete(f"/Datastreams({station.stream})").status == 200
    assert (api.get(path).ids, Grouped.objects.count()) == ([], 0)


def test_what_has_moved_to_another_datastream_stays_in_its_group(
    api: Client, station: Station, group: int
) -> None:
    body = bodies.datastream("Other", Thing={"@iot.id": station.thing})
    other = api.post("/Datastreams", body).key
    moved = station.readings[0]
    patch = {"Datastream": {"@iot.id": other}}
    assert api.patch(f"/Observations({moved})", patch).status == 200
    assert api.delete(f"/Datastreams({station.stream})").status == 200
    assert api.get(f"/ObservationGroups({group})/Observations").ids == [moved]
    assert api.delete(f"/Datastreams({other})").status == 200
    assert Grouped.objects.count() == 0


# --- who may -------------------------------------------------------------------------------------


def test_groups_belong_to_somebody(
    api: Client, station: Station, group: int, stranger: Client, visitor: Client
) -> None:
    path = f"/ObservationGroups({group})"
    reference = {"@iot.id": station.readings[1]}
    assert stranger.patch(path, {"name": "Mine"}).status == 403
    assert stranger.post(f"{path}/Observations/$ref", reference).status == 403
    assert stranger.delete(f"{path}/Observations/$ref").status == 403
    assert visitor.post(f"{path}/Observations/$ref", reference).status == 401
    assert len(api.get(f"{path}/Observations").ids) == 3
    theirs = bodies.observation_group("Theirs", Observations=station.named(0, 1))
    key = stranger.post("/ObservationGroups", theirs).key
    assert len(visitor.get(f"/ObservationGroups({key})/Observations").ids) == 2


def test_hidden_observations_are_in_no_group(
    api: Client, station: Station, town: int, group: int, stranger: Client, visitor: Client
) -> None:
    update("Thing", station.thing, {"access": AccessLevel.ORGANISATION.value}, operator(town))
    path = f"/ObservationGroups({group})"
    for client in (stranger, visitor):
        assert client.get(f"{path}/Observations?$count=true").json == {"@iot.count": 0, "value": []}
        shown = client.get(f"{path}?$expand=Observations($count=true)").json
        assert (shown["Observations"], shown["Observations@iot.count"]) == ([], 0)
        assert client.get("/ObservationGroups?$filter=Observations/result gt 0").ids == []
        assert client.get(f"{path}/Observations({station.readings[0]})").status == 404
    hidden = stranger.post(
        "/ObservationGroups", bodies.observation_group(Observations=station.named(0))
    )
    nobody = stranger.post(
        "/ObservationGroups", bodies.observation_group(Observations=[{"@iot.id": 987654}])
    )
    assert hidden.message.replace(str(station.readings[0]), "987654") == nobody.message
    mine = api.post("/ObservationGroups", bodies.observation_group(Observations=station.named(0)))
    assert visitor.get(f"/ObservationGroups({mine.key})").status == 404, (
        "as hidden as what is in it"
    )


def test_a_hidden_group_is_behind_no_observation(
    api: Client, station: Station, town: int, group: int, visitor: Client
) -> None:
    hide = {"access": AccessLevel.ORGANISATION.value}
    update("ObservationGroup", group, hide, operator(town))
    path = f"/Observations({station.readings[0]})"
    assert visitor.get(f"{path}/ObservationGroups").ids == []
    assert visitor.get(f"{path}?$expand=ObservationGroups").json["ObservationGroups"] == []
    assert visitor.get("/Observations?$filter=ObservationGroups/name eq 'Flood'").ids == []
    assert api.get(f"{path}/ObservationGroups").ids == [group]
    reference = {"ObservationGroups": [{"@iot.id": group}]}
    stream = {"Datastream": {"@iot.id": station.stream}}
    assert api.post("/Observations", bodies.observation(5, **stream, **reference)).status == 201


# --- relations -----------------------------------------------------------------------------------


def test_a_relation_has_a_subject_and_an_object(api: Client, station: Station) -> None:
    subject, object_ = station.named(0, 1)
    made = api.post("/Relations", bodies.relation(Subject=subject, Object=object_))
    path = f"/Relations({made.key})"
    assert api.get(f"{path}/Subject").json["result"] == 1
    assert api.get(f"{path}/Object").json["result"] == 2
    assert api.get(f"{path}/Subject/Datastream/Thing").json["name"] == "Gauge"
    shown = api.get(f"{path}?$expand=Subject($select=result),Object($expand=Datastream)").json
    assert shown["Subject"] == {"result": 1}
    assert shown["Object"]["Datastream"]["@iot.id"] == station.stream
    first, second, _ = station.readings
    assert api.get(f"/Observations({first})/Objects").ids == [made.key]
    assert api.get(f"/Observations({first})/Subjects").ids == []
    assert (
        api.get(f"/Observations({second})/Subjects?$expand=Subject").value[0]["Subject"]["result"]
        == 1
    )
    assert api.get("/Relations?$filter=Subject/result eq 1 and Object/result eq 2").ids == [
        made.key
    ]
    assert api.get("/Relations?$filter=Subject/result eq 2").ids == []
    assert api.get("/Relations?$filter=Object/Datastream/name eq 'Gauge level'").ids == [made.key]
    assert results(api, "/Observations?$filter=Objects/role eq 'https://example.org/replaces'") == [
        1
    ]
    expanded = api.get("/Observations?$orderby=id&$expand=Objects($select=role),Subjects").value
    assert [(len(e["Objects"]), len(e["Subjects"])) for e in expanded] == [(1, 0), (0, 1), (0, 0)]


def test_a_relation_leads_to_one_end_only(api: Client, station: Station) -> None:
    subject, object_ = station.named(0, 1)
    outside = {"externalResource": "https://example.org/report"}
    both = bodies.relation(Subject=subject, Object=object_, **outside)
    for body in (both, bodies.relation(Subject=subject)):
        refused = api.post("/Relations", body)
        assert (refused.status, "externalResource" in refused.message) == (400, True)
    key = api.post("/Relations", bodies.relation(Subject=subject, **outside)).key
    path = f"/Relations({key})"
    assert api.get(f"{path}/Object").status == 404
    assert api.patch(path, {"Object": object_}).status == 400
    assert api.patch(path, {"Object": object_, "externalResource": None}).status == 200
    assert api.delete(f"{path}/Object/$ref").status == 400
    assert api.delete(f"{path}/Subject/$ref").status == 400
    assert api.put(f"{path}/Object/$ref", station.named(2)[0]).status == 204
    assert api.get(f"{path}/Object").json["result"] == 3


def test_relations_and_observations_bring_each_other_along(api: Client, station: Station) -> None:
    stream = {"Datastream": {"@iot.id": station.stream}}
    inline = bodies.relation(
        Subject=bodies.observation(20, **stream), Object=bodies.observation(21, **stream)
    )
    key = api.post("/Relations", inline).key
    assert api.get(f"/Relations({key})/Object").json["result"] == 21
    around = bodies.observation(22, **stream, Objects=[bodies.relation(Object=station.named(0)[0])])
    made = api.post("/Observations", around)
    assert made.json["result"] == 22
    (relation,) = api.get(f"/Observations({made.key})/Objects?$expand=Object").value
    assert relation["Object"]["result"] == 1
    behind = api.post(
        f"/Observations({made.key})/Subjects", bodies.relation(Subject=station.named(1)[0])
    )
    assert api.get(f"/Relations({behind.key})/Object").json["result"] == 22
    wrong = bodies.observation(23, **stream, Objects=[bodies.relation()])
    assert api.post("/Observations", wrong).status == 400
    assert results(api, "/Observations?$filter=result eq 23") == []


def test_relations_are_in_groups(api: Client, station: Station) -> None:
    subject, object_ = station.named(0, 1)
    body = bodies.relation(Subject=subject, Object=object_)
    group = bodies.observation_group(Relations=[body], Observations=[subject])
    key = api.post("/ObservationGroups", group).key
    (relation,) = api.get(f"/ObservationGroups({key})/Relations").ids
    assert api.get(f"/Relations({relation})/ObservationGroups").ids == [key]
    assert api.get("/ObservationGroups?$filter=Relations/Subject/result eq 1").ids == [key]
    found = "/Observations?$filter=Objects/ObservationGroups/name eq 'Flood'"
    assert results(api, found) == [1]


def test_a_relation_goes_with_either_of_its_ends(api: Client, station: Station) -> None:
    first, second, third = station.named(0, 1, 2)
    for subject, object_ in ((first, second), (second, third), (third, first)):
        assert (
            api.post("/Relations", bodies.relation(Subject=subject, Object=object_)).status == 201
        )
    assert api.delete(f"/Observations({station.readings[0]})").status == 200
    (left,) = api.get("/Relations?$expand=Subject,Object").value
    assert (left["Subject"]["result"], left["Object"]["result"]) == (2, 3)
    assert api.delete(f"/Things({station.thing})").status == 200
    assert Relation.objects.count() == 0


def test_relations_with_what_is_hidden(
    api: Client, station: Station, town: int, stranger: Client, visitor: Client
) -> None:
    subject, object_ = station.named(0, 1)
    key = api.post("/Relations", bodies.relation(Subject=subject, Object=object_)).key
    update("Thing", station.thing, {"access": AccessLevel.ORGANISATION.value}, operator(town))
    for client in (stranger, visitor):
        for link in ("Subject", "Object"):
            assert client.get(f"/Relations({key})/{link}").status == 404
        shown = client.get(f"/Relations({key})?$expand=Subject,Object").json
        assert (shown["Subject"], shown["Object"]) == (None, None)
        assert client.get("/Relations?$filter=Subject/result gt 0").ids == []
    outside = bodies.relation(Subject=subject, externalResource="https://example.org")
    assert stranger.post("/Relations", outside).status == 400
    mine = api.post("/Relations", outside).key
    assert visitor.get(f"/Relations({mine})").status == 404
    assert api.get(f"/Relations({mine})/Subject").json["result"] == 1


def test_what_leads_to_no_observation_has_none_of_its_values(
    api: Client, station: Station, group: int
) -> None:
    """As an Observation whose values are null, which is how other links to nothing count."""
    empty = api.post("/ObservationGroups", bodies.observation_group()).key
    subject = station.named(0)[0]
    outside = bodies.relation(Subject=subject, externalResource="https://example.org/x")
    alone = api.post("/Relations", outside).key
    api.post("/Relations", bodies.relation(Subject=subject, Object=station.named(1)[0]))
    assert api.get("/ObservationGroups?$filter=Observations/result eq null").ids == [empty]
    assert api.get("/ObservationGroups?$filter=Observations/result ne null").ids == [group]
    assert api.get("/Relations?$filter=Object/result eq null").ids == [alone]
    assert api.get("/Relations?$filter=Subject/result eq null").ids == []


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("ObservationGroups/any(g:g/name eq 'Flood')", [1, 3, "high"]),
        ("not ObservationGroups/any(g:g/name eq 'Flood')", [2]),
        ("ObservationGroups/any()", [1, 3, "high"]),
        ("ObservationGroups/all(g:g/name eq 'Ebb')", [2]),
        ("ObservationGroups/any(g:g/name eq 'Flood') and result lt 3", [1]),
        ("ObservationGroups/any(g:g/Observations/any(o:o/result eq 3))", [1, 3, "high"]),
        ("ObservationGroups/any(g:g/name eq 'Flood') and ObservationGroups/any(g:g/name eq 'Ebb')", []),
        ("Datastream/Thing/Datastreams/any(d:d/Observations/any(o:o/ObservationGroups/any()))",
         [1, 2, 3, "high"]),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("group", "station")
def test_observations_are_chosen_by_any_and_all_of_their_groups(
    api: Client, condition: str, found: list[Any]
) -> None:
    assert sorted(results(api, f"/Observations?$filter={condition}"), key=str) == found


@pytest.mark.usefixtures("group", "station")
def test_streams_are_chosen_by_the_groups_of_their_observations(api: Client) -> None:
    for condition, number in (
        ("Observations/any(o:o/ObservationGroups/any(g:g/name eq 'Flood'))", b"1"),
        ("Observations/all(o:o/ObservationGroups/any(g:g/name eq 'Flood'))", b"0"),
        ("Observations/any(o:not o/ObservationGroups/any())", b"1"),
    ):
        assert api.get(f"/Datastreams/$count?$filter={condition}").body == number, condition


def test_nothing_at_the_end_of_a_relation_has_no_value(api: Client, station: Station) -> None:
    """OData 4.0 part 2 §5.1.1.1: nothing is not 3, whether the Object or the whole Relation is missing."""
    subject, other = station.named(0, 1)
    api.post("/Relations", bodies.relation(Subject=subject, Object=other))
    outside = bodies.relation(Subject=subject, externalResource="https://example.org/dam")
    api.post("/Relations", outside)
    for condition, found in (
        ("Objects/Object/result eq 2", [1]),
        ("Objects/Object/result ne 2", [1, 2, 3]),
        ("Objects/Object/result eq null", [1, 2, 3]),
        ("Subjects/Subject/result ne 1", [1, 3]),
    ):
        assert sorted(results(api, f"/Observations?$filter={condition}")) == found, condition
    assert len(api.get("/Relations?$filter=Object/result ne 2").ids) == 1
    assert len(api.get("/Relations?$filter=not (Object/result eq 2)").ids) == 1
    assert len(api.get("/Relations?$filter=Object/result eq 2 or Object/result ne 2").ids) == 2
