"""req/create-tasks: Tasks by POST, held against the parameters of their TaskingCapability (17-079r1 §9)."""

from typing import Any

import pytest

from stadtherz.base.visibility import AccessLevel
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, member, operator
from stadtherz.store.public import create_organisation, update
from tests.conformance.tasking.conftest import Lamp


@pytest.fixture
def stranger(db: None) -> Client:
    return Client(member(create_organisation("elsewhere", "Elsewhere")))


def test_a_task_is_created_behind_its_tasking_capability(api: Client, lamp: Lamp) -> None:
    sent = {**bodies.task(level=40), "creationTime": "1999-01-01T00:00:00Z"}
    made = api.post(lamp.tasks, sent)
    assert made.json["taskingParameters"] == {"status": "on", "level": 40}
    assert made.json["creationTime"] > "2020", "the server says when it was created"
    assert api.get(f"/Tasks({made.key})/TaskingCapability").json["@iot.id"] == lamp.capability


def test_a_task_names_its_tasking_capability(api: Client, lamp: Lamp) -> None:
    link = {"TaskingCapability": {"@iot.id": lamp.capability}}
    assert api.post("/Tasks", {**bodies.task(), **link}).status == 201
    assert len(api.get(lamp.tasks).ids) == 2
    assert "TaskingCapability: is missing" in api.post("/Tasks", bodies.task()).message


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({}, "taskingParameters/status: is missing"),
        ({"status": None}, "taskingParameters/status: must not be null"),
        ({"status": "dim"}, "taskingParameters/status: must be one of on, off"),
        ({"status": 1}, "taskingParameters/status: must be a text"),
        ({"status": "on", "level": "40"}, "taskingParameters/level: must be a number"),
        ({"status": "on", "level": True}, "taskingParameters/level: must be a number"),
        ({"status": "on", "level": 100.5}, "taskingParameters/level: must be from 0 to 100"),
        ({"status": "on", "colour": "#ff"}, "taskingParameters/colour: must be of the form"),
        ({"status": "on", "sound": 1}, "taskingParameters/sound: is no parameter here"),
        (["on"], "taskingParameters: must be a JSON object"),
        (None, "taskingParameters: must not be null"),
    ],
)
def test_what_the_tasking_capability_does_not_take_is_refused(
    api: Client, lamp: Lamp, parameters: Any, complaint: str
) -> None:
    refused = api.post(lamp.tasks, {"taskingParameters": parameters})
    assert (refused.status, complaint in refused.message) == (400, True), refused.message
    assert api.get("/Tasks").ids == [lamp.task]
    changed = api.patch(f"/Tasks({lamp.task})", {"taskingParameters": parameters})
    assert (changed.status, complaint in changed.message) == (400, True), changed.message


def test_a_task_is_changed_in_every_way(api: Client, lamp: Lamp) -> None:
    path = f"/Tasks({lamp.task})"
    created = api.get(path).json["creationTime"]
    assert api.patch(path, bodies.task("on", level=5)).json["taskingParameters"]["level"] == 5
    operations = [{"op": "replace", "path": "/taskingParameters/level", "value": 6}]
    patched = api.patch(path, operations, content_type="application/json-patch+json")
    assert patched.json["taskingParameters"]["level"] == 6
    too_much = [{"op": "replace", "path": "/taskingParameters/level", "value": 600}]
    refused = api.patch(path, too_much, content_type="application/json-patch+json")
    assert (refused.status, "from 0 to 100" in refused.message) == (400, True)
    replaced = api.put(path, bodies.task("off"))
    assert replaced.json["taskingParameters"] == {"status": "off"}
    assert replaced.json["creationTime"] == created
    assert api.delete(path).status == 200
    assert api.get(path).status == 404


def test_a_task_cannot_move_where_its_parameters_mean_nothing(api: Client, lamp: Lamp) -> None:
    other = bodies.capability("Sound", taskingParameters={"type": "DataRecord", "field": []})
    key = api.post(f"/Things({lamp.thing})/TaskingCapabilities", other).key
    refused = api.patch(f"/Tasks({lamp.task})", {"TaskingCapability": {"@iot.id": key}})
    assert (refused.status, "status: is no parameter" in refused.message) == (400, True)
    put = api.put(f"/Tasks({lamp.task})/TaskingCapability/$ref", {"@iot.id": key})
    assert put.status == 400


def test_a_tree_that_fails_inside_leaves_nothing(api: Client, lamp: Lamp) -> None:
    wrong = bodies.capability("New", Tasks=[bodies.task(), bodies.task("dim")])
    refused = api.post("/Things", bodies.thing("New", TaskingCapabilities=[wrong]))
    assert (refused.status, "status: must be one of" in refused.message) == (400, True)
    for name in ("Things", "TaskingCapabilities", "Actuators", "Tasks"):
        assert api.get(f"/{name}").ids == [
            {"Things": lamp.thing, "Actuators": lamp.actuator, "Tasks": lamp.task}.get(
                name, lamp.capability
            )
        ]


def test_a_task_brings_along_everything_above_it(api: Client) -> None:
    above = bodies.capability(Thing=bodies.thing("Lamp"))
    made = api.post("/Tasks", {**bodies.task(), "TaskingCapability": above})
    assert api.get(f"/Tasks({made.key})/TaskingCapability/Thing").json["name"] == "Lamp"
    assert api.get("/Actuators").value[0]["name"] == "Dimmer"


def test_tasks_in_a_batch(api: Client, lamp: Lamp) -> None:
    requests = [
        {"id": str(i), "method": "post", "url": lamp.tasks[1:], "body": bodies.task(status)}
        for i, status in enumerate(("on", "dim"))
    ]
    answers = api.post("/$batch", {"requests": requests}).json["responses"]
    assert [answer["status"] for answer in answers] == [201, 400]


# --- descriptions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("description", "complaint"),
    [
        ({"type": "Quantity"}, "taskingParameters: must be a SWE Common DataRecord"),
        ([], "taskingParameters: must be a SWE Common DataRecord"),
        ({"type": "DataRecord"}, "taskingParameters/field: must be a list"),
        ({"type": "DataRecord", "field": [{"type": "Count"}]}, "field/0/name: must be a name"),
        ({"type": "DataRecord", "field": [{"name": "a", "type": "Lamp"}]}, "field/0/type: must be"),
        (
            {"type": "DataRecord", "fields": [{"name": "a", "type": "Text",
             "constraint": {"pattern": "(a"}}]},
            "constraint/pattern: a bracket is not closed",
        ),
        (
            {"type": "DataRecord", "field": [{"name": "a", "type": "Count",
             "constraint": {"interval": [[9, 1]]}}]},
            "constraint/interval: must hold the smaller one first",
        ),
        (
            {"type": "DataRecord", "field": [{"name": "a", "type": "Count",
             "constraint": {"value": ["x"]}}]},
            "constraint/value: must be a number",
        ),
    ],
)  # fmt: skip
def test_a_description_by_which_nothing_can_be_judged_is_refused(
    api: Client, lamp: Lamp, description: Any, complaint: str
) -> None:
    path = f"/Things({lamp.thing})/TaskingCapabilities"
    refused = api.post(path, bodies.capability(taskingParameters=description))
    assert (refused.status, complaint in refused.message) == (400, True), refused.message
    patch = {"taskingParameters": description}
    assert api.patch(f"/TaskingCapabilities({lamp.capability})", patch).status == 400


def test_a_changed_description_counts_for_tasks_to_come(api: Client, lamp: Lamp) -> None:
    nothing = {"taskingParameters": {"type": "DataRecord", "field": []}}
    path = f"/TaskingCapabilities({lamp.capability})"
    assert api.patch(path, nothing).status == 200
    assert api.post(lamp.tasks, bodies.task()).status == 400
    assert api.post(lamp.tasks, {"taskingParameters": {}}).status == 201
    assert api.get(f"/Tasks({lamp.task})").json["taskingParameters"] == {"status": "off"}


# --- who may -------------------------------------------------------------------------------------


def test_only_who_may_change_the_thing_may_task_it(
    api: Client, lamp: Lamp, stranger: Client, visitor: Client
) -> None:
    assert stranger.post(lamp.tasks, bodies.task()).status == 403
    assert visitor.post(lamp.tasks, bodies.task()).status == 401
    for method in (stranger.delete, lambda path: stranger.patch(path, bodies.task("on"))):
        assert method(f"/Tasks({lamp.task})").status == 403
    assert stranger.delete(f"/TaskingCapabilities({lamp.capability})").status == 403
    assert api.get("/Tasks").ids == [lamp.task]


@pytest.mark.parametrize("kind", ["Thing", "TaskingCapability"])
def test_hidden_things_and_abilities_hide_their_tasks(
    api: Client, lamp: Lamp, town: int, stranger: Client, visitor: Client, kind: Any
) -> None:
    key = lamp.thing if kind == "Thing" else lamp.capability
    update(kind, key, {"access": AccessLevel.ORGANISATION.value}, operator(town))
    for client in (stranger, visitor):
        for path in (f"/Tasks({lamp.task})", lamp.tasks):
            assert client.get(path).status == 404
        assert client.get("/Tasks?$count=true").json == {"@iot.count": 0, "value": []}
        (device,) = client.get("/Actuators?$expand=TaskingCapabilities").value
        assert device["TaskingCapabilities"] == []
        asked = "TaskingCapabilities/Tasks/taskingParameters/status eq 'off'"
        assert client.get(f"/Actuators?$filter={asked}").value == []
    link = {"TaskingCapability": {"@iot.id": lamp.capability}}
    hidden = stranger.post("/Tasks", {**bodies.task("dim"), **link})
    link = {"TaskingCapability": {"@iot.id": 987654}}
    nobody = stranger.post("/Tasks", {**bodies.task("dim"), **link})
    assert hidden.message == nobody.message.replace("987654", str(lamp.capability))
    assert api.get(lamp.tasks).ids == [lamp.task]


def test_an_actuator_made_for_a_hidden_thing_is_hidden(
    api: Client, lamp: Lamp, town: int, visitor: Client
) -> None:
    update("Thing", lamp.thing, {"access": AccessLevel.ORGANISATION.value}, operator(town))
    more = bodies.capability("Siren", Actuator=bodies.actuator("Horn"))
    assert api.post(f"/Things({lamp.thing})/TaskingCapabilities", more).status == 201
    assert len(api.get("/Actuators?$filter=name eq 'Horn'").ids) == 1
    assert visitor.get("/Actuators?$filter=name eq 'Horn'").ids == []


def test_a_thing_with_abilities_of_others_is_not_deleted(
    api: Client, lamp: Lamp, town: int, stranger: Client
) -> None:
    theirs = stranger.visibility.home
    update("TaskingCapability", lamp.capability, {"owner": theirs}, operator(town))
    assert api.delete(f"/Things({lamp.thing})").status == 409
    assert api.delete(f"/Actuators({lamp.actuator})").status == 409


# --- upsert --------------------------------------------------------------------------------------


def test_a_tasking_capability_is_recognised_within_its_thing(api: Client, lamp: Lamp) -> None:
    path = f"/Things({lamp.thing})/TaskingCapabilities?$upsert=name"
    again = api.post(path, bodies.capability(description="now with colours"))
    assert again.status == 200
    assert again.json["@iot.id"] == lamp.capability
    other = api.post("/Things", bodies.thing("Other")).key
    path = f"/Things({other})/TaskingCapabilities?$upsert=name"
    assert api.post(path, bodies.capability()).status == 201
    refused = api.post(f"{lamp.tasks}?$upsert=taskingParameters/status", bodies.task())
    assert (refused.status, "recognises no Tasks" in refused.message) == (400, True)
