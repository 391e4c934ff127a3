"""Messages to devices by HTTP: a real server at the other end, in the forms that the networks document."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import orjson
import pytest
from django.core.exceptions import ValidationError

from stadtherz.base.errors import Conflict
from stadtherz.base.time import DAY, now_us, parse_instant
from stadtherz.ingest.devices.messages import compressor, message, pack
from stadtherz.ingest.downlinks import calls, servers, tasks
from stadtherz.ingest.downlinks.calls import Reached
from stadtherz.ingest.downlinks.documents import Content
from stadtherz.ingest.downlinks.models import Downlink, DownlinkServer
from stadtherz.ingest.downlinks.states import State
from stadtherz.ingest.health.models import DeviceMessages
from stadtherz.ingest.models import Device
from stadtherz.ingest.public import send_again, send_downlink
from stadtherz.ingest.tests.factories import EUI, Door, Town, make_town, tts
from stadtherz.ingest.tests.test_codecs import give_codec
from stadtherz.ingest.tests.test_tasked import INTERVAL, tell
from stadtherz.ingest.trust import vault
from stadtherz.store.models import Task

KEY = "NNSXS.VERY-SECRET"
Reply = tuple[int, Any]


@dataclass
class Network:
    """What came, and what is answered; `answer` may also raise, which ends the connection unanswered."""

    answer: Callable[[], Reply] = lambda: (200, {})
    url: str = ""
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def network(settings: Any) -> Iterator[Network]:
    settings.PULL_PRIVATE = True
    told = Network()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told.asked.append((self.path, dict(self.headers), body))
            try:
                status, document = told.answer()
            except ConnectionError:
                self.close_connection = True
                return
            content = orjson.dumps(document)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if 300 <= status < 400:
                self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_told: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield told
    http.shutdown()
    http.server_close()
    thread.join()


def reached(town: Town, network: Network, name: str, **more: Any) -> Device:
    """The town's device in this network, with a server that takes messages to it."""
    Device.objects.filter(pk=town.device).update(network=name)
    known = {"tts": {"webhook": "stadtherz"}, "loriot": {"application": "BE7A0001"}}.get(name, {})
    values = {"owner_id": town.organisation, "network": name, "url": network.url, **known, **more}
    row = DownlinkServer(**values)
    row.full_clean()
    row.keep_key(KEY)
    row.save()
    if name == "tts":
        told = message(now_us(), orjson.dumps(tts(1)), ("stored", "", {}))
        DeviceMessages.objects.create(
            device_id=town.device, last_at=now_us(), count=1, packed=pack([told], compressor())
        )
    return Device.objects.get(pk=town.device)


def ask(device: Device, **more: Any) -> Downlink:
    return send_downlink(device, "01ff", 10, actor="user:1", **more)


def state(row: Downlink) -> str:
    row.refresh_from_db()
    return row.state


def test_the_things_stack_gets_it_by_the_webhooks_path(town: Town, network: Network) -> None:
    row = ask(reached(town, network, "tts"), confirmed=True)
    servers.hand_over()
    ((path, headers, body),) = network.asked
    device = f"device-{EUI.lower()}"
    assert path == f"/api/v3/as/applications/town/webhooks/stadtherz/devices/{device}/down/push"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert orjson.loads(body) == {
        "downlinks": [
            {
                "f_port": 10,
                "frm_payload": "Af8=",
                "confirmed": True,
                "priority": "NORMAL",
                "correlation_ids": [f"stadtherz:{row.key}"],
            }
        ]
    }
    assert state(row) == State.HANDED_OVER
    servers.hand_over()
    assert len(network.asked) == 1


def test_loriot_gets_a_tx_command_with_its_application(town: Town, network: Network) -> None:
    row = ask(reached(town, network, "loriot"))
    servers.hand_over()
    ((path, headers, body),) = network.asked
    assert (path, headers["Authorization"]) == ("/1/rest", f"Bearer {KEY}")
    assert orjson.loads(body) == {
        "cmd": "tx", "EUI": EUI, "port": 10, "confirmed": False, "data": "01FF", "appid": "BE7A0001",
    }  # fmt: skip
    assert state(row) == State.HANDED_OVER


def test_what_loriot_complains_about_with_200_has_failed(town: Town, network: Network) -> None:
    row = ask(reached(town, network, "loriot"))
    network.answer = lambda: (200, {"cmd": "tx", "error": "Device not found"})
    servers.hand_over()
    assert state(row) == State.FAILED
    assert "Device not found" in row.sentence


def test_chirpstack_says_what_it_calls_the_message_and_its_news_are_heard(
    town: Town, network: Network, door: Door
) -> None:
    name = uuid4()
    network.answer = lambda: (200, {"id": str(name)})
    row = ask(reached(town, network, "chirpstack"))
    servers.hand_over()
    ((path, headers, body),) = network.asked
    assert path == f"/api/devices/{EUI.lower()}/queue"
    assert headers["Grpc-Metadata-Authorization"] == f"Bearer {KEY}"
    item = {"confirmed": False, "data": "Af8=", "fPort": 10}
    assert orjson.loads(body) == {"queueItem": item}
    assert (state(row), row.key) == (State.HANDED_OVER, name)
    news = {"deviceInfo": {"devEui": EUI.lower()}, "queueItemId": str(name), "acknowledged": True}
    door.post(news, path="/ingest/chirpstack?event=ack")
    assert state(row) == State.ACKNOWLEDGED


def test_thingpark_gets_signed_parameters(town: Town, network: Network) -> None:
    key = "46AB678CD45DF4A4E4B375EACD096ACC"
    row = ask(reached(town, network, "actility", application="app1.sample.com"), confirmed=True)
    DownlinkServer.objects.update(secret=vault.sealed(key))
    servers.hand_over()
    ((path, headers, body),) = network.asked
    parts = urlsplit(path)
    told = dict(parse_qsl(parts.query, strict_parsing=True))
    assert (parts.path, body) == ("/thingpark/lrc/rest/downlink", b"")
    token = told.pop("Token")
    plain = "&".join(f"{name}={value}" for name, value in told.items())
    assert token == sha256(f"{plain}{key.lower()}".encode()).hexdigest()
    assert abs(parse_instant(told.pop("Time")) - now_us()) < 60_000_000
    assert told == {
        "DevEUI": EUI, "FPort": "10", "Payload": "01ff", "Confirmed": "1", "AS_ID": "app1.sample.com",
    }  # fmt: skip
    assert "Authorization" not in headers
    assert state(row) == State.HANDED_OVER


def test_the_signature_that_an_operator_published_is_met() -> None:
    """The token of KPN's guide to ThingPark's interface: the order of the parameters and their writing count.

    Ours differs in its time only, which we write in UTC.
    """
    key = "46ab678cd45df4a4e4b375eacd096acc"
    content = Content("k", "000000000F1D8693", 1, b"\x00", False)
    told = "DevEUI=000000000F1D8693&FPort=1&Payload=00&AS_ID=app1.sample.com&Time="
    published = sha256(f"{told}2016-01-11T14:28:00.333+02:00{key}".encode()).hexdigest()
    assert published == "63a4ec6532937c9bcba109a75f731d6dc192c9df662dee56757634a8a6dc3f4c"
    at = parse_instant("2016-01-11T12:28:00.333Z")
    for written in (key, key.upper()):
        made = calls.call(Reached("actility", "app1.sample.com", key=written), content, at)
        ours = sha256(f"{told}2016-01-11T12:28:00.333+00:00{key}".encode()).hexdigest()
        assert made.path.endswith(f"%2B00%3A00&Token={ours}")


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (202, State.HANDED_OVER),
        (302, State.FAILED),
        (400, State.FAILED),
        (401, State.FAILED),
        (404, State.FAILED),
        (429, State.QUEUED),
        (500, State.UNKNOWN),
        (503, State.QUEUED),
        (504, State.UNKNOWN),
    ],
)
def test_each_answer_has_its_state(town: Town, network: Network, status: int, after: State) -> None:
    row = ask(reached(town, network, "loriot"))
    network.answer = lambda: (status, {"message": "so it is"})
    servers.hand_over()
    assert state(row) == after
    if after == State.FAILED:
        assert f"HTTP {status}" in row.sentence
    assert len(network.asked) == 1


def test_what_goes_out_and_is_not_answered_is_uncertain_and_never_repeated_by_itself(
    town: Town, network: Network
) -> None:
    row = ask(reached(town, network, "loriot"))

    def end() -> Reply:
        raise ConnectionError

    network.answer = end
    for _ in range(3):
        servers.hand_over()
    assert state(row) == State.UNKNOWN
    assert len(network.asked) == 1
    network.answer = lambda: (200, {})
    again = send_again(row, actor="user:1")
    servers.hand_over()
    assert state(again) == State.HANDED_OVER


def test_a_server_that_is_away_gets_it_later_and_after_a_day_no_more(
    town: Town, network: Network
) -> None:
    device = reached(town, network, "loriot")
    row = ask(device)
    DownlinkServer.objects.update(url="http://127.0.0.1:1")
    servers.hand_over()
    assert state(row) == State.QUEUED
    assert "127.0.0.1" in servers.sentence_of(DownlinkServer.objects.get())
    DownlinkServer.objects.update(url=network.url)
    servers.hand_over()
    assert state(row) == State.HANDED_OVER
    assert not DownlinkServer.objects.get().problem
    old = ask(device)
    Downlink.objects.filter(pk=old.pk).update(created_at=now_us() - DAY - 1)
    servers.hand_over()
    assert (state(old), len(network.asked)) == (State.FAILED, 1)


def test_no_way_leads_into_the_private_network(town: Town, network: Network, settings: Any) -> None:
    settings.PULL_PRIVATE = False
    row = ask(reached(town, network, "loriot"))
    for url in (network.url, "http://localhost:1", "http://169.254.169.254", "http://[::1]:1"):
        DownlinkServer.objects.update(url=url)
        servers.hand_over()
    assert (state(row), network.asked) == (State.QUEUED, [])


@pytest.mark.parametrize(
    "url", ["ftp://a.example", "https://u:p@a.example", "https://a.example/?x=1", "a example", ""]
)
def test_an_address_is_only_that_of_a_server(town: Town, url: str) -> None:
    row = DownlinkServer(owner_id=town.organisation, network="actility", url=url)
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    assert "url" in caught.value.message_dict


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("eu1.cloud.thethings.network", "https://eu1.cloud.thethings.network"),
        ("https://eu1.cloud.thethings.network/console/applications/x", "https://eu1.cloud.thethings.network"),
        ("https://cs.example:8090/#/tenants/1", "https://cs.example:8090"),
        ("https://cs.example/api/devices", "https://cs.example"),
        ("http://10.0.0.5:8090/", "http://10.0.0.5:8090"),
        ("https://city.example/chirpstack", "https://city.example/chirpstack"),
    ],
)  # fmt: skip
def test_an_address_from_the_browser_becomes_that_of_the_server(
    town: Town, typed: str, kept: str
) -> None:
    row = DownlinkServer(owner_id=town.organisation, network="actility", url=typed)
    row.full_clean()
    assert row.url == kept


def test_what_a_key_lacks_is_told_of_a_key(town: Town, network: Network) -> None:
    ask(reached(town, network, "loriot"))
    network.answer = lambda: (403, {})
    servers.hand_over()
    assert "Downlinks schreiben darf" in servers.sentence_of(DownlinkServer.objects.get())
    assert servers.devices_of(DownlinkServer.objects.get()) == 1


def test_a_device_is_reached_only_by_a_server_of_its_own_organisation(
    town: Town, network: Network
) -> None:
    other = make_town("village", "C1B2C3D4E5F60718")
    reached(town, network, "loriot")
    Device.objects.filter(pk=other.device).update(network="loriot")
    with pytest.raises(Conflict):
        ask(Device.objects.get(pk=other.device))


def test_the_things_stack_needs_a_message_that_tells_its_names(
    town: Town, network: Network
) -> None:
    device = reached(town, network, "tts")
    DeviceMessages.objects.all().delete()
    with pytest.raises(Conflict):
        ask(device)


def test_the_key_is_in_no_row_and_no_repr(town: Town, network: Network) -> None:
    reached(town, network, "loriot")
    row = DownlinkServer.objects.get()
    assert KEY not in row.secret
    assert KEY not in repr(
        calls.call(Reached("tts", "a", "b", "c", KEY), Content("k", EUI, 1, b"x", False), 0)
    )
    assert KEY not in repr(Reached("tts", key=KEY))


def test_a_task_goes_out_by_http_and_tells_what_became_of_it(town: Town, network: Network) -> None:
    device = reached(town, network, "loriot")
    give_codec(device.pk, INTERVAL)
    device.refresh_from_db()
    key = tell(device, bytes="010f", port=85)
    tasks.take()
    servers.hand_over()
    tasks.reflect()
    assert Task.objects.get(pk=key).properties["downlink"]["state"] == State.HANDED_OVER
    assert len(network.asked) == 1
