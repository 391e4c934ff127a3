"""req/multi-datastream/properties, relations, constraints (18-088 §11): results of several parts."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, Reply, in_version_2
from stadtherz.store.public import seal
from stadtherz.store.readings import view


@pytest.fixture
def multi(api: Client) -> str:
    """The address of a MultiDatastream of a temperature and of whether it rains."""
    thing = bodies.thing(Locations=[bodies.location()])
    key = api.post("/MultiDatastreams", bodies.multi_datastream(Thing=thing)).key
    return f"/MultiDatastreams({key})"


def _observe(api: Client, multi: str, *results: Any) -> list[Reply]:
    return [
        api.post(
            f"{multi}/Observations", bodies.observation(result, f"2026-01-01T{hour:02}:00:00Z")
        )
        for hour, result in enumerate(results)
    ]


# --- properties and relations -------------------------------------------------------------------------


def test_it_is_shown_as_it_was_sent(api: Client) -> None:
    body = bodies.multi_datastream(Thing=bodies.thing(), properties={"a": 1})
    shown = api.post("/MultiDatastreams", body).json
    names = ("name", "observationType", "multiObservationDataTypes", "unitOfMeasurements")
    assert {name: shown[name] for name in names} == {name: body[name] for name in names}
    for link in ("Thing", "Sensor", "ObservedProperties", "Observations"):
        address = shown["@iot.selfLink"]
        assert shown[f"{link}@iot.navigationLink"] == f"{address}/{link}"


def test_the_observation_type_is_known(api: Client) -> None:
    body = bodies.multi_datastream(Thing=bodies.thing())
    del body["observationType"]
    assert api.post("/MultiDatastreams", body).json["observationType"] == bodies.COMPLEX
    wrong = {**body, "observationType": bodies.MEASUREMENT}
    assert api.post("/MultiDatastreams", wrong).status == 400


def test_datastreams_and_multidatastreams_are_told_apart(api: Client, multi: str) -> None:
    key = api.get(multi).json["@iot.id"]
    thing = api.get(f"{multi}/Thing").json["@iot.id"]
    plain = api.post(f"/Things({thing})/Datastreams", bodies.datastream()).key
    assert plain != key
    assert (api.get("/Datastreams").ids, api.get("/MultiDatastreams").ids) == ([plain], [key])
    assert api.get(f"/Datastreams({key})").status == 404
    assert api.get(f"/MultiDatastreams({plain})").status == 404
    assert api.get(f"/Things({thing})/Datastreams").ids == [plain]
    assert api.get(f"/Things({thing})/MultiDatastreams").ids == [key]
    found = api.get("/Things?$expand=Datastreams,MultiDatastreams").value[0]
    assert [e["@iot.id"] for e in found["MultiDatastreams"]] == [key]
    assert api.get("/Things?$filter=MultiDatastreams/name eq 'Weather'").ids == [thing]
    assert api.get("/Things?$filter=Datastreams/name eq 'Weather'").ids == []
    assert api.delete(f"/Datastreams({key})").status == 404
    assert api.patch(f"/Datastreams({key})", {"name": "x"}).status == 404


def test_observed_properties_keep_their_order_and_may_come_twice(api: Client) -> None:
    one, two = (api.post("/ObservedProperties", bodies.observed_property(n)).key for n in "ab")
    thing = {"@iot.id": api.post("/Things", bodies.thing()).key}
    for wanted in ([two, one], [one, two], [one, one], [two]):
        size = len(wanted)
        body = bodies.multi_datastream(
            Thing=thing,
            ObservedProperties=[{"@iot.id": key} for key in wanted],
            multiObservationDataTypes=[bodies.MEASUREMENT] * size,
            unitOfMeasurements=[bodies.DEGREE] * size,
        )
        key = api.post("/MultiDatastreams", body).key
        path = f"/MultiDatastreams({key})"
        assert api.get(f"{path}/ObservedProperties").ids == wanted
        expanded = api.get(f"{path}?$expand=ObservedProperties").json["ObservedProperties"]
        assert [each["@iot.id"] for each in expanded] == wanted
        by_id = api.get(f"{path}/ObservedProperties?$orderby=id desc").ids
        assert by_id == sorted(set(wanted), reverse=True)
        pages = api.get(f"{path}/ObservedProperties?$top=1&$count=true").json
        assert pages["@iot.count"] == size
        if size > 1:
            assert api.get(pages["@iot.nextLink"]).ids == wanted[1:]
    assert len(api.get(f"/ObservedProperties({one})/MultiDatastreams").value) == 3
    inner = api.get(f"/ObservedProperties({one})?$expand=MultiDatastreams($count=true)").json
    assert (len(inner["MultiDatastreams"]), inner["MultiDatastreams@iot.count"]) == (3, 3)


def test_a_deep_insert_goes_through_it(api: Client) -> None:
    readings = [bodies.observation([20.5, True]), bodies.observation([None, False])]
    stream = bodies.multi_datastream(Observations=readings)
    body = bodies.thing(Locations=[bodies.location()], MultiDatastreams=[stream])
    thing = api.post("/Things", body).key
    found = api.get(
        f"/Things({thing})?$expand=MultiDatastreams/Observations,MultiDatastreams/ObservedProperties"
    ).json["MultiDatastreams"][0]
    assert [o["result"] for o in found["Observations"]] == [[20.5, True], [None, False]]
    assert [p["name"] for p in found["ObservedProperties"]] == ["Temperature", "Rain"]


# --- constraints --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"unitOfMeasurements": [bodies.DEGREE]}, "unitOfMeasurements"),
        ({"unitOfMeasurements": bodies.DEGREE}, "unitOfMeasurements"),
        ({"unitOfMeasurements": [5, 6]}, "unitOfMeasurements"),
        ({"multiObservationDataTypes": [bodies.MEASUREMENT]}, "multiObservationDataTypes"),
        ({"multiObservationDataTypes": [None, None]}, "multiObservationDataTypes"),
        ({"ObservedProperties": []}, "ObservedProperties"),
        ({"ObservedProperties": [{"@iot.id": 999_999}] * 2}, "ObservedProperties"),
        ({"ObservedProperties": [bodies.observed_property()]}, "multiObservationDataTypes"),
    ],
)
def test_types_units_and_properties_must_be_as_many(
    api: Client, change: dict[str, Any], named: str
) -> None:
    body = {**bodies.multi_datastream(Thing=bodies.thing()), **change}
    reply = api.post("/MultiDatastreams", body)
    assert (reply.status, named in reply.message) == (400, True), reply.body
    assert api.get("/Things").value == api.get("/ObservedProperties").value == []


@pytest.mark.parametrize("wrong", [1, "a", None, {"a": 1}, [], [1], [1, 2, 3]])
def test_a_result_has_one_part_for_each_property(api: Client, multi: str, wrong: Any) -> None:
    (reply,) = _observe(api, multi, wrong)
    assert (reply.status, "result" in reply.message) == (400, True)
    key = _observe(api, multi, [1, True])[0].key
    assert api.patch(f"/Observations({key})", {"result": wrong}).status == 400
    assert api.get(f"{multi}/Observations").value[0]["result"] == [1, True]


def test_parts_change_together_or_not_at_all(api: Client, multi: str) -> None:
    third = api.post("/ObservedProperties", bodies.observed_property("Wind")).key
    held = api.get(f"{multi}/ObservedProperties").ids
    wider = [{"@iot.id": key} for key in (*held, third)]
    assert api.patch(multi, {"ObservedProperties": wider}).status == 400
    assert api.post(f"{multi}/ObservedProperties/$ref", {"@iot.id": third}).status == 400
    assert api.delete(f"{multi}/ObservedProperties({held[0]})/$ref").status == 400
    assert api.post(f"{multi}/ObservedProperties", bodies.observed_property("x")).status == 400
    whole = {
        "ObservedProperties": wider,
        "multiObservationDataTypes": [bodies.MEASUREMENT] * 3,
        "unitOfMeasurements": [bodies.DEGREE] * 3,
    }
    assert api.patch(multi, whole).status == 200
    assert api.get(f"{multi}/ObservedProperties").ids == [*held, third]
    _observe(api, multi, [1, 2, 3])
    fewer = {
        "ObservedProperties": wider[:1],
        "multiObservationDataTypes": [bodies.MEASUREMENT],
        "unitOfMeasurements": [bodies.DEGREE],
    }
    assert api.patch(multi, fewer).status == 400
    assert api.patch(multi, {"unitOfMeasurements": [bodies.UNIT] * 3}).status == 200
    linked = {"MultiDatastreams": [{"@iot.id": api.get(multi).json["@iot.id"]}]}
    assert api.patch(f"/ObservedProperties({third})", linked).status == 400


# --- Observations -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sealed", [False, True])
def test_results_are_arrays_that_can_be_asked_for(api: Client, multi: str, sealed: bool) -> None:
    _observe(api, multi, [10, True], [20, False], [None, True])
    if sealed:
        seal()
        view.forget()
    for condition, expected in (
        ("result[0] gt 15", [[20, False]]),
        ("result/0 lt 15", [[10, True]]),
        ("result[1] eq true", [[10, True], [None, True]]),
        ("result[0] eq null", [[None, True]]),
        ("MultiDatastream/name eq 'Weather' and result[0] gt 0", [[10, True], [20, False]]),
        ("Datastream/name eq 'Weather'", []),
        ("not (MultiDatastream/name eq 'Weather')", []),
    ):
        found = api.get(f"/Observations?$filter={condition}&$orderby=phenomenonTime").value
        assert [each["result"] for each in found] == expected, condition
    ordered = api.get(f"{multi}/Observations?$orderby=result[0] desc").value
    assert [each["result"][0] for each in ordered] == [20, 10, None]
    newest = api.get(f"{multi}?$expand=Observations($orderby=phenomenonTime desc;$top=1)").json
    assert newest["Observations"][0]["result"] == [None, True]
    assert newest["phenomenonTime"] == "2026-01-01T00:00:00.000Z/2026-01-01T02:00:00.000Z"
    assert newest["observedArea"]["type"] == "Point"


def test_a_part_has_an_address(api: Client, multi: str) -> None:
    key = _observe(api, multi, [4, {"a": [5]}])[0].key
    assert api.get(f"/Observations({key})/result[0]").json == {"result[0]": 4}
    assert api.get(f"/Observations({key})/result[0]/$value").body == b"4"
    assert api.get(f"/Observations({key})/result[1]/a[0]").json == {"a[0]": 5}
    assert api.get(f"/Observations({key})/result[7]").status == 204


def test_an_observation_leads_to_one_of_both(api: Client, multi: str) -> None:
    thing = {"@iot.id": api.get(f"{multi}/Thing").json["@iot.id"]}
    plain = api.post("/Datastreams", bodies.datastream(Thing=thing)).key
    one = api.post(f"/Datastreams({plain})/Observations", bodies.observation([1, 2])).key
    two = _observe(api, multi, [3, 4])[0].key
    for key, here, there in (
        (one, "Datastream", "MultiDatastream"),
        (two, "MultiDatastream", "Datastream"),
    ):
        shown = api.get(f"/Observations({key})").json
        assert f"{here}@iot.navigationLink" in shown
        assert f"{there}@iot.navigationLink" not in shown
        assert shown in api.get("/Observations").value
        assert api.get(f"/Observations({key})/{here}").status == 200
        assert api.get(f"/Observations({key})/{there}").status == 404
        both = api.get(f"/Observations({key})?$expand=Datastream,MultiDatastream").json
        assert (both[here] is None, both[there] is None) == (False, True)
    key = {"@iot.id": api.get(multi).json["@iot.id"]}
    assert api.patch(f"/Observations({one})", {"Datastream": key}).status == 400
    assert api.delete(f"/Observations({two})/MultiDatastream/$ref").status == 400
    wrong = bodies.observation([1, 2], Datastream={"@iot.id": plain}, MultiDatastream=key)
    assert api.post("/Observations", wrong).status == 400
    assert api.post("/Observations", bodies.observation([1, 2], Datastream=key)).status == 400
    right = bodies.observation([1, 2], MultiDatastream=key)
    assert api.post("/Observations", right).status == 201
    assert api.patch(f"/Observations({one})", {"MultiDatastream": key}).status == 200


def test_a_plain_observation_cannot_move_to_it(api: Client, multi: str) -> None:
    thing = {"@iot.id": api.get(f"{multi}/Thing").json["@iot.id"]}
    plain = api.post("/Datastreams", bodies.datastream(Thing=thing)).key
    one = api.post(f"/Datastreams({plain})/Observations", bodies.observation(1)).key
    moved = {"MultiDatastream": {"@iot.id": api.get(multi).json["@iot.id"]}}
    assert api.patch(f"/Observations({one})", moved).status == 400
    assert api.get(f"/Observations({one})/Datastream").json["@iot.id"] == plain


def test_data_arrays_are_read_and_created(api: Client, multi: str) -> None:
    key = api.get(multi).json["@iot.id"]
    rows = [["2026-01-01T00:00:00Z", [1, True]], ["2026-01-01T01:00:00Z", [2]], [5, [1, 2]]]
    answer = api.post("/CreateObservations", [
        {"MultiDatastream": {"@iot.id": key}, "components": ["phenomenonTime", "result"], "dataArray": rows},
        {"Datastream": {"@iot.id": key}, "components": ["result"], "dataArray": [[[1, 2]]]},
    ])  # fmt: skip
    assert answer.status == 201
    assert [each == "error" for each in answer.json] == [False, True, True, True]
    read = api.get(f"{multi}/Observations?$resultFormat=dataArray&$select=result").json["value"]
    assert read[0]["dataArray"] == [[[1, True]]]
    assert read[0]["MultiDatastream@iot.navigationLink"].endswith(multi)


# --- what goes with it --------------------------------------------------------------------------------


@pytest.mark.parametrize("link", ["Thing", "Sensor", "ObservedProperties"])
def test_it_goes_with_what_it_needs(api: Client, multi: str, link: str) -> None:
    _observe(api, multi, [1, True])
    found = api.get(f"{multi}/{link}").json
    entity = found["value"][-1] if "value" in found else found
    assert api.delete(entity["@iot.selfLink"]).status == 200
    assert api.get("/MultiDatastreams").value == api.get("/Observations").value == []


# --- the same in version 2.0 --------------------------------------------------------------------------


def test_version_2_sees_a_datastream_with_a_record(api: Client, multi: str) -> None:
    new = in_version_2(api)
    key = api.get(multi).json["@iot.id"]
    shown = new.get(f"/Datastreams({key})").json
    temperature, rain = shown["resultType"]["fields"]
    assert shown["resultType"]["type"] == "DataRecord"
    assert (temperature["name"], temperature["type"]) == ("Temperature", "Quantity")
    assert temperature["uom"] == {"code": "Cel", "label": "degree", "symbol": "°C"}
    assert (rain["name"], rain["type"], "uom" in rain) == ("Rain", "Boolean", False)
    observed = api.get(f"{multi}/ObservedProperties").ids
    assert [f["definition"] for f in (temperature, rain)] == [
        f"ObservedProperties({each})" for each in observed
    ]
    assert shown["resultEncoding"] == {"type": "JSONEncoding", "recordsAsArrays": True}
    _observe(api, multi, [1, True])
    send = f"/Datastreams({key})/Observations"
    assert new.get(send).value[0]["result"] == [1, True]
    assert new.post(send, {"result": [2, "much"]}).status == 400
    assert new.post(send, {"result": [2, False]}).status == 201
    assert new.get(f"{send}?$filter=result/0 gt 1").value[0]["result"] == [2, False]
    assert len(new.get("/Datastreams").value) == 1
    assert new.get(f"/ObservedProperties({observed[1]})/Datastreams").value[0]["id"] == key


def test_what_version_1_changes_version_2_shows(api: Client, multi: str) -> None:
    new, key = in_version_2(api), api.get(multi).json["@iot.id"]
    assert api.patch(multi, {"unitOfMeasurements": [bodies.UNIT, bodies.NO_UNIT]}).status == 200
    fields = new.get(f"/Datastreams({key})").json["resultType"]["fields"]
    assert fields[0]["uom"]["code"] == "cm"
    fields[0]["name"] = "own_name"
    record = {"type": "DataRecord", "fields": fields}
    assert new.patch(f"/Datastreams({key})", {"resultType": record}).status == 204
    assert new.get(f"/Datastreams({key})").json["resultType"] == record
    assert api.get(multi).json["unitOfMeasurements"][0]["symbol"] == "cm"
