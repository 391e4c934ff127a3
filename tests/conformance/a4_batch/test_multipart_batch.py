"""req/batch-request/batch-request: multipart/mixed, as OData 4.0 §11.7 has it."""

from email import message_from_bytes
from email.message import Message
from typing import Any

import orjson
import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client, Reply

_MIXED = "multipart/mixed; boundary=batch_1"


def part(request: str, body: Any = None, *, name: str = "") -> str:
    """One request as a part, with an id if it has a name."""
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    lines += [f"Content-ID: {name}"] if name else []
    lines += ["", f"{request} HTTP/1.1", "Host: city.example"]
    if body is not None:
        lines += ["Content-Type: application/json", "", orjson.dumps(body).decode()]
    return "\r\n".join(lines)


def mixed(boundary: str, *parts: str) -> str:
    return "".join(f"--{boundary}\r\n{p}\r\n" for p in parts) + f"--{boundary}--\r\n"


def change_set(*parts: str) -> str:
    return f"Content-Type: multipart/mixed; boundary=set_1\r\n\r\n{mixed('set_1', *parts)}"


def send(client: Client, *parts: str, newline: str = "\r\n", **headers: str) -> Reply:
    raw = mixed("batch_1", *parts).replace("\r\n", newline).encode()
    return client.request("POST", "/$batch", raw, content_type=_MIXED, **headers)


def answers(reply: Reply) -> list[Any]:
    """(status, body) of each part; a list of them for a change set."""
    assert reply.status == 200, reply.body
    head = f"Content-Type: {reply.content_type}\r\n\r\n".encode()
    return _answers(message_from_bytes(head + reply.body))


def _answers(message: Message) -> list[Any]:
    found: list[Any] = []
    for inner in message.get_payload():
        assert isinstance(inner, Message)
        if inner.is_multipart():
            found.append(_answers(inner))
            continue
        assert inner.get_content_type() == "application/http"
        head, _, body = inner.get_payload(decode=True).partition(b"\r\n\r\n")  # type: ignore[union-attr]
        version, status, _ = head.split(b"\r\n")[0].split(b" ", 2)
        assert version == b"HTTP/1.1"
        found.append((int(status), orjson.loads(body) if body else None))
    return found


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_requests_and_change_sets_are_answered_in_their_order(city: Client, newline: str) -> None:
    key = city.get("/Things").ids[0]
    reply = send(
        city,
        part(f"GET Things({key})/name"),
        change_set(
            part("POST Things", bodies.thing("New"), name="1"),
            part(f"PATCH {ROOT}/Things({key})", {"name": "Renamed"}, name="2"),
            part(f"DELETE /sta/v1.1/Things({key})/Datastreams({city.get('/Datastreams').ids[0]})"),
        ),
        part("GET Things?$filter=name eq 'New'&$select=name"),
        newline=newline,
    )
    before, changed, after = answers(reply)
    assert before == (200, {"name": "Lauter"})
    assert [status for status, _ in changed] == [201, 200, 200]
    assert (changed[0][1]["name"], changed[1][1]["name"]) == ("New", "Renamed")
    assert after == (200, {"value": [{"name": "New"}]})


def test_a_change_set_refers_to_what_it_has_made(api: Client) -> None:
    reply = send(
        api,
        change_set(
            part("POST Things", bodies.thing(Locations=[bodies.location()]), name="mast"),
            part("POST Sensors", bodies.sensor(), name="radar"),
            part("POST $mast/Datastreams", bodies.datastream(Sensor={"@iot.id": "$radar"}),
                 name="level"),
            part("POST Datastreams($level)/Observations", bodies.observation(3)),
        ),
        part("GET $level/Observations?$select=result"),
    )  # fmt: skip
    made, shown = answers(reply)
    assert [status for status, _ in made] == [201] * 4
    assert shown == (200, {"value": [{"result": 3}]})
    assert len(api.get("/Sensors").value) == 1


def test_a_change_set_that_fails_has_one_answer_and_leaves_nothing(api: Client) -> None:
    parts = (
        change_set(
            part("POST Things", bodies.thing("no")),
            part("POST Things", {"name": "half"}),
            part("POST Things", bodies.thing("no")),
        ),
        part("POST Things", bodies.thing("yes")),
    )
    (refused,) = answers(send(api, *parts))
    assert (refused[0], "description" in refused[1]["message"]) == (400, True)
    assert api.get("/Things").value == []
    refused, created = answers(send(api, *parts, prefer="odata.continue-on-error"))
    assert (refused[0], created[0]) == (400, 201)
    assert [thing["name"] for thing in api.get("/Things").value] == ["yes"]


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "--batch_1",
        "--batch_1\r\n",
        "--batch_1\r\n\r\n--batch_1--",
        "--other\r\n\r\n--other--",
        mixed("batch_1", "Content-Type: text/plain\r\n\r\nGET Things HTTP/1.1"),
        mixed("batch_1", "Content-Type: application/http\r\n\r\nhello"),
        mixed("batch_1", "Content-Type: application/http\r\n\r\nTRACE Things HTTP/1.1"),
        mixed("batch_1", "Content-Type: application/http"),
        mixed("batch_1", part("GET Things"))[:-8],
        mixed("batch_1", "Content-Type: multipart/mixed\r\n\r\n--x--"),
        mixed("batch_1", change_set(part("GET Things"))),
        mixed("batch_1", part("GET Things", name="a"), part("GET Things", name="a")),
    ],
)
def test_a_batch_that_cannot_be_read_does_nothing(api: Client, raw: str) -> None:
    reply = api.request("POST", "/$batch", raw.encode(), content_type=_MIXED)
    assert (reply.status, reply.json["code"]) == (400, 400), reply.body


@pytest.mark.parametrize("media", ["multipart/mixed", "multipart/mixed; boundary=", "multipart/mixed;boundary=\"\xff\""])  # fmt: skip
def test_a_batch_without_its_boundary_is_refused(api: Client, media: str) -> None:
    assert api.request("POST", "/$batch", b"--x--", content_type=media).status == 400


def test_an_empty_batch_has_an_empty_answer(api: Client) -> None:
    assert answers(send(api, part("GET Things")))[0][0] == 200
    reply = api.request("POST", "/$batch", b'{"requests": []}')
    assert (reply.status, reply.json) == (200, {"responses": []})
