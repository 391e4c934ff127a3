"""ThingPark signs what it sends: where its key is kept, nothing else is taken for its messages."""

from hashlib import sha256
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import translation

from stadtherz.base.time import MINUTE, SECOND, iso, now_us, parse_instant
from stadtherz.base.visibility import Scope, Visibility
from stadtherz.ingest.connections.inbox import Message
from stadtherz.ingest.connections.intake import Source, keep
from stadtherz.ingest.downlinks.models import DownlinkServer
from stadtherz.ingest.models import Device
from stadtherz.ingest.quality.reasons import sentence
from stadtherz.ingest.refused import keeping
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.factories import EUI, Door, Town, make_town, results
from stadtherz.ingest.trust.signing import FRESH, Fault, fault

KEY = "00112233445566778899AABBCCDDEEFF"
# Of the examples that the IoT Academy captured at KPN's ThingPark.
PUBLISHED = (
    "LrnDevEui=0059AC000010020D&LrnFPort=2&LrnInfos=TWA_100006246.167.AS-1-1361149&AS_ID=hookbin"
    "&Time=2016-07-05T08%3A58%3A26.911%2B02%3A00"
    "&Token=18f44bb294f9dd33b5168eeb92a0c7f9fa807914097dc9bb2ed5a789a65fad33"
)
REPORT = {
    "DevEUI_uplink": {
        "Time": "2016-07-05T08:58:26.654+02:00", "DevEUI": "0059AC000010020D", "FPort": "2", "FCntUp": "3",
        "payload_hex": "00277c0878fd9b2e000000000000ffff", "CustomerID": "100006246",
    }
}  # fmt: skip
SENT = parse_instant("2016-07-05T06:58:26.911Z")


def test_a_published_message_and_its_token_fit_one_another() -> None:
    for key in (KEY, KEY.lower()):
        assert fault(key, REPORT, PUBLISHED, SENT) is None
    typed = {"DevEUI_uplink": {**REPORT["DevEUI_uplink"], "FPort": 2, "FCntUp": 3}}
    assert fault(KEY, typed, PUBLISHED.replace("%3A", ":").replace("%2B", "+"), SENT) is None


@pytest.mark.parametrize(
    ("member", "changed"),
    [("payload_hex", "00"), ("FCntUp", "4"), ("DevEUI", EUI), ("CustomerID", ""), ("FPort", "3")],
)
def test_no_part_of_it_can_be_another(member: str, changed: str) -> None:
    other = {"DevEUI_uplink": {**REPORT["DevEUI_uplink"], member: changed}}
    assert fault(KEY, other, PUBLISHED, SENT) is Fault.WRONG


def test_a_message_of_another_time_or_key_is_not_believed() -> None:
    assert fault(KEY, REPORT, PUBLISHED, SENT + FRESH + SECOND) is Fault.STALE
    assert fault(KEY, REPORT, PUBLISHED, SENT - FRESH - SECOND) is Fault.STALE
    assert fault(KEY, REPORT, PUBLISHED.replace("08%3A58", "09%3A58"), SENT) is Fault.WRONG
    assert fault(KEY[::-1], REPORT, PUBLISHED, SENT) is Fault.WRONG
    assert fault(KEY, REPORT, PUBLISHED.rpartition("&")[0], SENT) is Fault.MISSING
    assert fault("", REPORT, PUBLISHED, SENT) is Fault.NO_KEY
    for strange in ([], {"DevEUI_uplink": []}, {}, None):
        assert fault(KEY, strange, PUBLISHED, SENT) is Fault.WRONG


@pytest.mark.parametrize(
    ("member", "report", "begins"),
    [
        ("DevEUI_downlink_Sent", {"FPort": 1, "FCntDn": 7}, f"100{EUI}17"),
        ("DevEUI_notification", {"Type": "join"}, f"100{EUI}"),
        ("DevEUI_location", {"DevLAT": 48.1}, f"100{EUI.lower()}"),
        ("DevEUI_uplink", {"FCntUp": 4, "rawJoinRequest": "00"}, f"100{EUI}04"),
    ],
)
def test_reports_of_each_kind_are_signed(member: str, report: dict[str, Any], begins: str) -> None:
    body = {member: {"CustomerID": "100", "DevEUI": EUI, **report}}
    assert fault(KEY, body, address(begins), now_us()) is None
    assert fault(KEY, body, address("x"), now_us()) is Fault.WRONG


def address(begins: str, at: int | None = None, key: str = KEY) -> str:
    """The parameters of ThingPark's address, with the token of a report that begins so."""
    told = {"LrnDevEui": EUI, "LrnFPort": "2", "LrnInfos": "TWA_1.AS-1", "AS_ID": "town.as"}
    told["Time"] = iso(now_us() if at is None else at).replace("Z", "+00:00")
    plain = "&".join(f"{name}={value}" for name, value in told.items())
    told["Token"] = sha256(f"{begins}{plain}{key.lower()}".encode()).hexdigest()
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in told.items())


def uplink(number: int) -> dict[str, Any]:
    told = {"DevEUI": EUI, "FPort": 2, "FCntUp": number, "payload_hex": "04d2", "CustomerID": "100"}
    return {"DevEUI_uplink": {"Time": iso(now_us()), **told, "payload": {"level_cm": number}}}


def path(number: int, **more: Any) -> str:
    return f"/ingest/actility?{address(f'100{EUI}2{number}04d2', **more)}"


@pytest.fixture
def signed(town: Town) -> Town:
    """The town at ThingPark, with the key of its application server."""
    Device.objects.filter(pk=town.device).update(network="actility")
    row = DownlinkServer(owner_id=town.organisation, network="actility", url="https://tp.example")
    row.keep_key(KEY)
    row.save()
    return town


def test_what_thingpark_signed_is_stored(door: Door, signed: Town, transactional_db: None) -> None:
    answers = door.post(uplink(5), path=path(5)), door.post(uplink(6), path=path(6))
    assert [answer.json()["stored"] for answer in answers] == [1, 1]
    assert results(signed.level) == [5, 6]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("/ingest/actility", "missing"),
        (path(5, key=KEY[::-1]), "wrong"),
        (path(6), "wrong"),
        (path(5, at=now_us() - 11 * MINUTE), "stale"),
    ],
)
def test_what_bears_no_such_signature_is_refused_and_kept(
    door: Door, signed: Town, transactional_db: None, asked: str, why: str
) -> None:
    response = door.post(uplink(5), path=asked)
    assert (response.status_code, response.json()["error"]) == (401, "bad_token")
    kept = RefusedUplink.objects.get()
    assert (kept.facts, kept.owner_id) == ({"signature": why}, signed.organisation)
    with translation.override("en"):
        assert response.json()["detail"] == sentence("bad_token", kept.facts)
    assert results(signed.level) == []


def test_a_message_is_replayed_once_the_right_key_is_there(
    door: Door, signed: Town, transactional_db: None
) -> None:
    row = DownlinkServer.objects.get()
    row.keep_key(KEY[::-1])
    row.save()
    assert door.post(uplink(5), path=path(5)).status_code == 401
    row.keep_key(KEY)
    row.save()
    staff = Visibility(
        home=signed.organisation, scopes=frozenset({Scope.WRITE}), writes=frozenset({signed.organisation})
    )  # fmt: skip
    assert keeping.replay(RefusedUplink.objects.get().pk, staff).status == 200
    assert results(signed.level) == [5]


def test_without_a_key_nothing_is_asked_for(door: Door, town: Town, transactional_db: None) -> None:
    Device.objects.filter(pk=town.device).update(network="actility")
    assert door.post(uplink(5), path="/ingest/actility").json()["stored"] == 1


def test_the_key_of_another_organisation_does_not_matter(
    door: Door, signed: Town, transactional_db: None
) -> None:
    village = make_town("village", "C1B2C3D4E5F60718", network="actility")
    door.let_in(village, "village")
    body = uplink(5)
    body["DevEUI_uplink"]["DevEUI"] = "C1B2C3D4E5F60718"
    assert door.post(body, path="/ingest/actility", token="village").json()["stored"] == 1


def test_what_is_fetched_from_a_broker_needs_no_signature(
    signed: Town, transactional_db: None
) -> None:
    body = b'{"DevEUI_uplink": {"DevEUI": "%s", "FCntUp": 1, "payload": {"level_cm": 7}}}'
    message = Message("things/x/uplink", body % EUI.encode(), now_us(), lambda: None)
    keep(Source("ThingPark", signed.organisation, "actility"), [message])
    assert results(signed.level) == [7]
    assert not RefusedUplink.objects.exists()
