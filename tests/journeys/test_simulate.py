"""`stadtherz simulate` against the real product, over webhooks, MQTT and another broker."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.product import Product, free_port

pytestmark = pytest.mark.process

SET_UP = ("--set-up", "--organisation", "kaiserslautern")
PLAY = ("--devices", "24", "--rate", "40/s", "--duration", "3s", "--json", "--connections", "2")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    mqtt = f"mqtt://127.0.0.1:{free_port()}"
    product = Product(tmp_path_factory.mktemp("city"), environment={"STADTHERZ_MQTT": mqtt}).start()
    product.run("simulate", *PLAY, *SET_UP, "--duration", "0")
    yield product
    product.kill()


def simulate(product: Product, *options: str) -> dict[str, Any]:
    """The facts that it tells at the end."""
    facts: dict[str, Any] = json.loads(product.run("simulate", *PLAY, *options))
    return facts


def observations(product: Product) -> int:
    answer = product.client().get("/sta/v1.1/Observations?$count=true&$top=0")
    return int(answer.json()["@iot.count"])


def test_a_registered_city_is_understood_over_webhooks(product: Product) -> None:
    facts = simulate(product, *SET_UP, "--url", product.url)
    assert facts["sent"] == facts["acknowledged"] > 60
    assert facts["refused"] == facts["unanswered"] == 0
    assert facts["p50_ms"] <= facts["p99_ms"]
    assert observations(product) > facts["sent"]  # most messages carry two values
    things = product.client().get("/sta/v1.1/Things?$count=true&$top=1&$expand=Locations").json()
    assert things["@iot.count"] >= 24
    assert things["value"][0]["Locations"]


def test_mishaps_are_refused_with_a_reason_and_told_in_the_diary(
    product: Product, tmp_path: Path
) -> None:
    diary = tmp_path / "diary.jsonl"
    mishaps = ("--mishaps", "0.5", "--mishap", "truncated,error-code", "--diary", str(diary))
    facts = simulate(product, "--url", product.url, *mishaps, "--token", _token(product))
    told = [json.loads(line) for line in diary.read_text(encoding="utf-8").splitlines()]
    assert facts["refused"] == len(told) == sum(facts["mishaps"].values()) > 20
    assert {"broken_document", "impossible_value"} <= facts["reasons"].keys()
    assert {each["mishap"] for each in told} == {"truncated", "error-code"}


def _token(product: Product) -> str:
    return str(product.facts["ingest"]["tts"]["token"])


def test_mqtt_messages_are_acknowledged_when_they_are_stored(product: Product) -> None:
    before = observations(product)
    facts = simulate(
        product,
        *("--door", "mqtt", "--url", product.environment["STADTHERZ_MQTT"]),
        *("--token", _token(product)),
    )
    assert facts["sent"] == facts["acknowledged"] > 60
    assert observations(product) > before + facts["sent"]


def test_a_wrong_token_is_a_refusal_with_its_reason(product: Product) -> None:
    facts = simulate(product, "--url", product.url, "--token", "wrong")
    assert facts["acknowledged"] == 0
    assert facts["reasons"] == {"bad_token": facts["sent"]}


def test_another_broker_gets_the_topics_of_the_networks(product: Product, tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n", encoding="utf-8")
    broker = subprocess.Popen(["/usr/sbin/mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        heard = subprocess.Popen(
            ["mosquitto_sub", "-p", str(port), "-t", "#", "-F", "%t", "-W", "60", "-q", "1"],
            stdout=subprocess.PIPE,
            text=True,
        )
        time.sleep(0.5)
        facts = simulate(
            product, "--door", "mqtt", "--outside", "--url", f"mqtt://127.0.0.1:{port}"
        )
        heard.terminate()
        topics = {line.split("/")[0] for line in heard.communicate()[0].splitlines()}
    finally:
        broker.terminate()
        broker.wait()
    assert facts["acknowledged"] == facts["sent"] > 60
    assert topics == {"v3", "application", "actility", "loriot", "helium"}


def _wait_for(port: int) -> None:
    for _ in range(100):
        if os.system(f"mosquitto_pub -p {port} -t hello -n 2>/dev/null") == 0:
            return
        time.sleep(0.1)
    pytest.fail("Mosquitto does not listen")
