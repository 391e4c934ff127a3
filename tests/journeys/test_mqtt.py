"""Real clients against the real product: paho, mosquitto_pub, a bridging Mosquitto, and kill -9."""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.product import ESELSBACH, Product, chirpstack, eventually, free_port

pytestmark = pytest.mark.process
PATIENCE_S = 30
_MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def product(tmp_path: Path, port: int) -> Iterator[Product]:
    started = Product(tmp_path / "data", environment={"STADTHERZ_MQTT": f"mqtt://127.0.0.1:{port}"})
    started.start()
    yield started
    started.kill()


class Client:
    """A paho client and what it has heard."""

    def __init__(self, name: str, token: str | None = None, **more: Any) -> None:
        self.heard: Queue[paho.MQTTMessage] = Queue()
        self.connected = threading.Event()
        self.connects = 0
        version = more.pop("protocol", MQTTProtocolVersion.MQTTv5)
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=version, **more)
        if token:
            self.paho.username_pw_set("sensor", token)
        self.paho.on_message = lambda _c, _u, message: self.heard.put(message)
        self.paho.on_connect = self._on_connect
        self.paho.reconnect_delay_set(1, 1)

    def _on_connect(self, *_: Any) -> None:
        self.connects += 1
        self.connected.set()

    def __enter__(self) -> "Client":
        return self

    def connect(self, port: int, **more: Any) -> "Client":
        self.paho.connect("127.0.0.1", port, keepalive=30, **more)
        self.paho.loop_start()
        assert self.connected.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()

    def next(self) -> paho.MQTTMessage:
        return self.heard.get(timeout=PATIENCE_S)


def lasting() -> Properties:
    wanted = Properties(PacketTypes.CONNECT)
    wanted.SessionExpiryInterval = 600
    return wanted


def stream_of(product: Product) -> int:
    return int(product.api().get("Datastreams").json()["value"][0]["@iot.id"])


def results(product: Product, stream: int) -> list[Any]:
    found = product.api().get(
        f"Datastreams({stream})/Observations",
        params={"$select": "result", "$orderby": "id", "$top": 1000, "resultFormat": "dataArray"},
    )
    groups = found.json()["value"]
    return [row[0] for group in groups for row in group["dataArray"]]


@pytest.mark.parametrize("version", [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5])
def test_a_map_in_a_browser_hears_new_observations(
    product: Product, version: MQTTProtocolVersion
) -> None:
    """Masterportal: websocket at /mqtt, quality 2, the last message is retained."""
    stream, token = stream_of(product), product.facts["admin_token"]
    web_port = int(product.url.rpartition(":")[2])
    path = f"Datastreams({stream})/Observations"
    assert product.api(token).post(path, json={"result": 1}).status_code == 201
    with Client("map", protocol=version, transport="websockets") as browser:
        browser.paho.ws_set_options(path="/mqtt")
        browser.connect(web_port)
        if version == MQTTProtocolVersion.MQTTv5:
            options = SubscribeOptions(qos=2, retainHandling=0)
            browser.paho.subscribe(f"v1.1/{path}", options=options)
        else:
            browser.paho.subscribe(f"v1.1/{path}", qos=2)
        last = browser.next()
        assert last.retain
        assert json.loads(last.payload)["result"] == 1
        assert product.api(token).post(path, json={"result": 2}).status_code == 201
        news = browser.next()
        assert (news.topic, news.qos, bool(news.retain)) == (f"v1.1/{path}", 2, False)
        assert json.loads(news.payload)["result"] == 2


def test_a_cookie_opens_nothing(product: Product) -> None:
    """A foreign page can open a websocket with the cookies of whoever is signed in."""
    cookies = product.client("admin").cookies
    jar = "; ".join(f"{name}={value}" for name, value in cookies.items())
    refused: Queue[Any] = Queue()
    with Client("foreign", transport="websockets") as page:
        page.paho.ws_set_options(path="/mqtt", headers={"Cookie": jar})
        page.paho.on_publish = lambda _c, _u, _m, reason, _p: refused.put(reason)
        page.connect(int(product.url.rpartition(":")[2]))
        page.paho.publish(f"v1.1/Datastreams({stream_of(product)})/Observations", "{}", qos=1)
        assert refused.get(timeout=PATIENCE_S).getName() == "Not authorized"


def test_kill_9_loses_nothing_that_was_acknowledged_and_doubles_nothing(
    product: Product, port: int
) -> None:
    stream, web_port = stream_of(product), int(product.url.rpartition(":")[2])
    count, acknowledged = 600, set[int]()
    with Client("counter", product.facts["admin_token"]) as sensor:
        sensor.paho.on_publish = lambda _c, _u, number, _reason, _p: acknowledged.add(number)
        sensor.paho.max_inflight_messages_set(50)
        sensor.connect(port, clean_start=False, properties=lasting())
        topic = f"v1.1/Datastreams({stream})/Observations"
        for begin in range(0, count, 200):
            for number in range(begin, begin + 200):
                body = json.dumps({"result": number})
                sensor.paho.publish(topic, body, qos=1 + number % 2)
            wanted = begin + 20
            while len(acknowledged) < wanted:
                time.sleep(0.001)
            product.kill()
            product.start(web_port)
        eventually(lambda: len(acknowledged) == count, what="all are acknowledged")
    assert sorted(results(product, stream)) == list(range(count))


def test_mosquittos_own_clients_are_understood(product: Product, port: int) -> None:
    stream, token = stream_of(product), product.facts["admin_token"]
    topic = f"v1.1/Datastreams({stream})/Observations"
    for number, version in enumerate(("mqttv311", "mqttv5")):
        send = ["mosquitto_pub", "-p", str(port), "-V", version, "-q", "2", "-u", "x", "-P", token]
        subprocess.run(
            [*send, "-t", topic, "-m", f'{{"result": {number}}}'], check=True, timeout=30
        )
    hear = [
        "mosquitto_sub",
        "-p",
        str(port),
        "-C",
        "1",
        "-W",
        "20",
        "-t",
        f"{topic}?$select=result",
    ]
    done = subprocess.run(hear, check=True, capture_output=True, timeout=30)
    assert json.loads(done.stdout) == {"result": 1}
    wild = ["mosquitto_sub", "-p", str(port), "-W", "5", "-t", "v1.1/#"]
    denied = subprocess.run(wild, check=False, timeout=30, capture_output=True)
    assert b"denied" in denied.stderr


@contextmanager
def bridge(folder: Path, port: int, token: str) -> Iterator[int]:
    """A Mosquitto that hands ChirpStack's messages on to the city."""
    own = free_port()
    configuration = folder / "bridge.conf"
    configuration.write_text(
        f"listener {own} 127.0.0.1\nallow_anonymous true\n"
        f"connection city\naddress 127.0.0.1:{port}\nremote_username bridge\n"
        f"remote_password {token}\nremote_clientid bridge\ncleansession false\n"
        "restart_timeout 1\nnotifications false\n"
        'topic application/+/device/+/event/+ out 1 "" ingest/chirpstack/\n'
    )
    with subprocess.Popen([_MOSQUITTO, "-c", str(configuration)]) as running:
        try:
            yield own
        finally:
            running.terminate()


def test_a_mosquitto_hands_on_what_a_network_publishes(
    product: Product, port: int, tmp_path: Path
) -> None:
    token = product.facts["ingest"]["chirpstack"]["token"]

    def found() -> int:
        return len(product.api().get("Observations").json()["value"])

    with bridge(tmp_path, port, token) as own:
        time.sleep(2)
        for number in range(3):
            document = chirpstack(ESELSBACH, number, "2026-01-01T00:00:00Z", level_cm=number)
            topic = f"application/1/device/{ESELSBACH.lower()}/event/up"
            send = ["mosquitto_pub", "-p", str(own), "-q", "1", "-t", topic]
            subprocess.run([*send, "-m", json.dumps(document)], check=True, timeout=30)
        eventually(lambda: found() == 3, what="the bridge's messages are readings")


def test_a_listener_that_would_take_tokens_in_clear_text_does_not_start(tmp_path: Path) -> None:
    unsafe = Product(tmp_path / "data", environment={"STADTHERZ_MQTT": "mqtt://0.0.0.0:0"})
    arguments = [*unsafe.command(), *unsafe.arguments, "--data", str(unsafe.data), "--port", "0"]
    done = subprocess.run(
        arguments,
        env=unsafe.full_environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode
    assert "STADTHERZ_MQTT_PLAIN=1" in done.stderr
