"""The walk of one measurement: uplink, reading, API, page, warning, all-clear."""

import time
from datetime import timedelta
from typing import Any

import pytest

from stadtherz.base.time import iso, now, to_us
from tests.product import ESELSBACH, LAUTER, Mailbox, Product, chirpstack, eventually, tts

pytestmark = pytest.mark.process


def minutes_ago(minutes: float) -> str:
    return iso(to_us(now() - timedelta(minutes=minutes)))


def level(product: Product, number: int, value: float, ago: float) -> dict[str, Any]:
    answer = product.uplink(tts(LAUTER, number, minutes_ago(ago), level_cm=value))
    assert answer.status_code in (200, 202), answer.text
    body: dict[str, Any] = answer.json()
    return body


def lauter(product: Product) -> dict[str, Any]:
    api = product.api()
    found = api.get(
        "Datastreams",
        params={
            "$filter": "Thing/name eq 'Pegel Lauterstraße' and unitOfMeasurement/symbol eq 'cm'"
        },
    ).json()["value"]
    assert len(found) == 1
    stream: dict[str, Any] = found[0]
    return stream


def test_an_uplink_is_served_by_the_api_and_shown_on_the_page(empty_city: Product) -> None:
    assert level(empty_city, 1, 41.5, ago=1)["stored"] == 1
    stream = lauter(empty_city)
    api = empty_city.api()
    newest = api.get(f"Datastreams({stream['@iot.id']})/Observations").json()["value"]
    assert [reading["result"] for reading in newest] == [41.5]
    page = empty_city.client().get("/pegel/lauterstrasse/")
    assert page.status_code == 200
    assert "41,5" in page.text or "42" in page.text


def test_the_same_uplink_twice_changes_nothing(empty_city: Product) -> None:
    document = tts(LAUTER, 7, minutes_ago(2), level_cm=33.0)
    first, second = empty_city.uplink(document), empty_city.uplink(document)
    assert first.json()["stored"] == 1
    assert (second.status_code, second.json()["duplicates"]) == (200, 1)
    api = empty_city.api()
    count = api.get(f"Datastreams({lauter(empty_city)['@iot.id']})/Observations?$count=true").json()
    assert count["@iot.count"] == 1


def test_chirpstack_walks_the_same_way(empty_city: Product) -> None:
    document = chirpstack(ESELSBACH, 1, minutes_ago(1), level_cm=27.5)
    assert empty_city.uplink(document, "chirpstack").json()["stored"] == 1
    assert empty_city.uplink(document, "chirpstack").json()["duplicates"] == 1
    assert "28" in empty_city.client().get("/pegel/eselsbach/").text


def test_rising_over_a_step_sends_one_mail_and_falling_one_all_clear(
    empty_city: Product, mailbox: Mailbox
) -> None:
    level(empty_city, 1, 30, ago=9)
    level(empty_city, 2, 75, ago=8)
    eventually(lambda: len(mailbox.messages) >= 1, what="the warning")
    level(empty_city, 3, 78, ago=7)
    level(empty_city, 4, 20, ago=6)
    eventually(lambda: len(mailbox.messages) >= 2, what="the all-clear")
    level(empty_city, 5, 19, ago=5)
    time.sleep(2)  # long enough for a mail too many
    warning, all_clear = mailbox.subjects()
    assert "Vorwarnung" in warning
    assert "Entwarnung" in all_clear


def test_after_kill_9_the_warning_still_goes_out_exactly_once(
    empty_city: Product, mailbox: Mailbox
) -> None:
    level(empty_city, 1, 30, ago=9)
    level(empty_city, 2, 90, ago=8)
    empty_city.kill()
    empty_city.start()
    eventually(lambda: len(mailbox.messages) >= 1, what="the warning after the restart")
    level(empty_city, 3, 10, ago=7)
    empty_city.kill()
    empty_city.start()
    eventually(lambda: len(mailbox.messages) >= 2, what="the all-clear after the restart")
    time.sleep(2)
    assert len(mailbox.messages) == 2


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"level_cm": 99999.0}, 422, "level_cm"),
        ({"unknown_field": 1.0}, 422, "usable"),
    ],
)
def test_an_impossible_value_gets_a_clear_answer_and_staff_see_it(
    empty_city: Product, change: dict[str, float], status: int, word: str
) -> None:
    answer = empty_city.uplink(tts(LAUTER, 3, minutes_ago(1), **change))
    assert answer.status_code == status
    assert word in answer.text
    refused = empty_city.client("editor").get("/verwaltung/refused/")
    assert "Pegel Lauterstraße" in refused.text


def test_an_unknown_device_and_a_bad_token_are_refused_and_kept(empty_city: Product) -> None:
    stranger = empty_city.uplink(tts("0011223344556677", 1, minutes_ago(1), level_cm=3.0))
    assert stranger.status_code == 404
    token = empty_city.facts["ingest"]["tts"]["token"]
    empty_city.facts["ingest"]["tts"]["token"] = "wrong"
    assert empty_city.uplink(tts(LAUTER, 1, minutes_ago(1), level_cm=3.0)).status_code == 401
    empty_city.facts["ingest"]["tts"]["token"] = token
    assert "0011223344556677" in empty_city.client("editor").get("/verwaltung/refused/").text
