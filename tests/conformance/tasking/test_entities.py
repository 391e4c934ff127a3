"""req/tasking-capability, req/actuator and req/task: properties and relations (17-079r1 §8)."""

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client, in_version_2
from tests.conformance.tasking.conftest import Lamp

_REQ = "http://www.opengis.net/spec/iot_tasking/1.0/req"


def test_tasking_capability_properties_and_relations(api: Client, lamp: Lamp) -> None:
    address = f"{ROOT}/TaskingCapabilities({lamp.capability})"
    assert api.get(f"/TaskingCapabilities({lamp.capability})").json == {
        "@iot.selfLink": address,
        "@iot.id": lamp.capability,
        "name": "Light",
        "description": "turns the lamp on and off",
        "taskingParameters": bodies.DIMMER,
        "properties": {"pole": 7},
        "Thing@iot.navigationLink": f"{address}/Thing",
        "Actuator@iot.navigationLink": f"{address}/Actuator",
        "Tasks@iot.navigationLink": f"{address}/Tasks",
    }


def test_actuator_properties_and_relations(api: Client, lamp: Lamp) -> None:
    address = f"{ROOT}/Actuators({lamp.actuator})"
    assert api.get(f"/Actuators({lamp.actuator})").json == {
        "@iot.selfLink": address,
        "@iot.id": lamp.actuator,
        **bodies.actuator(),
        "TaskingCapabilities@iot.navigationLink": f"{address}/TaskingCapabilities",
    }


def test_task_properties_and_relations(api: Client, lamp: Lamp) -> None:
    address = f"{ROOT}/Tasks({lamp.task})"
    shown = api.get(f"/Tasks({lamp.task})").json
    assert shown.pop("creationTime").endswith("Z")
    assert shown == {
        "@iot.selfLink": address,
        "@iot.id": lamp.task,
        "taskingParameters": {"status": "off"},
        "TaskingCapability@iot.navigationLink": f"{address}/TaskingCapability",
    }


def test_a_thing_leads_to_its_tasking_capabilities(api: Client, lamp: Lamp) -> None:
    thing = api.get(f"/Things({lamp.thing})").json
    link = thing["TaskingCapabilities@iot.navigationLink"]
    assert api.get(link).ids == [lamp.capability]
    assert api.get(f"/Tasks({lamp.task})/TaskingCapability/Thing").json["name"] == "Lamp"


def test_the_service_root_names_sets_and_requirements(api: Client) -> None:
    root = api.get("").json
    assert {"Actuators", "TaskingCapabilities", "Tasks"} <= {s["name"] for s in root["value"]}
    names = ("tasking-capability", "task", "actuator", "create-tasks", "create-tasks-via-mqtt",
             "receive-updates-via-mqtt")  # fmt: skip
    assert {f"{_REQ}/{name}" for name in names} <= set(root["serverSettings"]["conformance"])
    assert root["serverSettings"][f"{_REQ}/create-tasks-via-mqtt"]["endpoints"]


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        ("taskingParameters/status eq 'off'", 1),
        ("taskingParameters/status eq 'on'", 0),
        ("creationTime lt now() add duration'PT1H'", 1),
        ("TaskingCapability/Thing/name eq 'Lamp' and TaskingCapability/Actuator/id gt 0", 1),
        ("TaskingCapability/properties/pole gt 7", 0),
    ],
)
def test_tasks_are_filtered(api: Client, lamp: Lamp, condition: str, number: int) -> None:
    reply = api.get(f"/Tasks?$count=true&$filter={condition.replace('+', '%2B')}")
    assert reply.json["@iot.count"] == len(reply.value) == number


def test_tasks_are_sorted_selected_and_paged(api: Client, lamp: Lamp) -> None:
    for status in ("on", "off"):
        assert api.post(lamp.tasks, bodies.task(status)).status == 201
    order = "$orderby=taskingParameters/status desc,creationTime&$select=taskingParameters&$top=2"
    page = api.get(f"/Tasks?{order}").json
    told = [task["taskingParameters"]["status"] for task in page["value"]]
    rest = api.get(page["@iot.nextLink"]).value
    assert (told, rest) == (["on", "off"], [{"taskingParameters": {"status": "off"}}])


def test_everything_is_expanded(api: Client, lamp: Lamp) -> None:
    way = "TaskingCapabilities($expand=Actuator,Tasks($select=taskingParameters;$count=true))"
    (capability,) = api.get(f"/Things({lamp.thing})?$expand={way}").json["TaskingCapabilities"]
    assert capability["Actuator"]["name"] == "Dimmer"
    assert capability["Tasks@iot.count"] == 1
    assert capability["Tasks"] == [{"taskingParameters": {"status": "off"}}]
    found = api.get("/Things?$filter=TaskingCapabilities/Tasks/taskingParameters/status eq 'off'")
    assert found.ids == [lamp.thing]


def test_a_property_by_itself(api: Client, lamp: Lamp) -> None:
    assert api.get(f"/Tasks({lamp.task})/taskingParameters/status/$value").body == b"off"
    fields = api.get(f"/TaskingCapabilities({lamp.capability})/taskingParameters/field")
    assert fields.json["field"] == bodies.DIMMER["field"]


def test_tasks_as_a_table(api: Client, lamp: Lamp) -> None:
    sheet = api.get("/Tasks?$resultFormat=CSV").body.decode().splitlines()
    assert sheet[0] == "@iot.id,creationTime,taskingParameters,properties"
    assert sheet[1].replace(" ", "").endswith('"{""status"":""off""}",')


def test_version_2_leaves_them_out(api: Client, lamp: Lamp) -> None:
    newer = in_version_2(api)
    assert newer.get("/Tasks").status == 404
    assert "TaskingCapabilities" not in newer.get(f"/Things({lamp.thing})").body.decode()


def test_what_goes_takes_along_what_cannot_be_without_it(api: Client, lamp: Lamp) -> None:
    assert api.delete(f"/Actuators({lamp.actuator})").status == 200
    assert api.get("/TaskingCapabilities").ids == api.get("/Tasks").ids == []
    assert api.get(f"/Things({lamp.thing})").status == 200
