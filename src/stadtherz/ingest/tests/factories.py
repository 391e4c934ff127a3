"""A town with a gauge, a neighbour with another, and networks that deliver for them."""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from stadtherz.base.errors import Unauthenticated
from stadtherz.base.time import MINUTE, Micros, iso, now_us, parse_instant
from stadtherz.base.visibility import ANONYMOUS, Scope, Visibility
from stadtherz.base.vocabulary import DISCHARGE, WATER_LEVEL, Observable
from stadtherz.ingest.intake import pipeline
from stadtherz.ingest.intake.pipeline import Delivery, Plan
from stadtherz.ingest.public import NewField, application, register_device
from stadtherz.ingest.refused import keeping
from stadtherz.store.models import Organisation
from stadtherz.store.public import Columns, NewStream, Selection, register_stream, select

EUI = "A1B2C3D4E5F60718"
STRANGE_EUI = "B1B2C3D4E5F60718"
START = parse_instant("2025-11-26T06:00:00Z")


@dataclass(frozen=True, slots=True)
class Town:
    organisation: int
    level: int  # datastream
    discharge: int  # datastream
    device: int


def make_organisation(slug: str) -> int:
    return Organisation.objects.create(slug=slug, name=slug.title()).pk


def make_stream(owner: int, observed: Observable = WATER_LEVEL, name: str = "Gauge") -> int:
    return register_stream(
        NewStream(
            owner=owner,
            thing_name=name,
            thing_description="A gauge",
            location={"type": "Point", "coordinates": [7.77, 49.44]},
            sensor_name="Radar",
            sensor_description="A radar gauge",
            observed=observed,
            name=f"{name}: {observed.name}",
            description="",
        )
    )


def make_town(slug: str = "town", dev_eui: str = EUI, network: str = "tts") -> Town:
    """An organisation whose device measures a level (0 to 500 cm) and a discharge."""
    owner = make_organisation(slug)
    level, discharge = make_stream(owner), make_stream(owner, DISCHARGE)
    device = register_device(
        owner,
        network,
        dev_eui,
        f"Gauge of {slug}",
        fields=[
            NewField("level_cm", level, minimum=0, maximum=500),
            NewField("discharge", discharge, minimum=0),
        ],
    )
    return Town(owner, level, discharge, device)


def tts(
    number: int = 1, dev_eui: str = EUI, payload: bytes = b"", **decoded: Any
) -> dict[str, Any]:
    """The `number`th uplink of a device as The Things Stack sends it, a minute after the last."""
    raw = payload or orjson.dumps(decoded)
    return {
        "end_device_ids": {
            "device_id": f"device-{dev_eui.lower()}",
            "application_ids": {"application_id": "town"},
            "dev_eui": dev_eui,
        },
        "received_at": iso(time_of(number)),
        "uplink_message": {
            "session_key_id": "c2Vzc2lvbg==",
            "f_port": 1,
            "f_cnt": number,
            "frm_payload": b64encode(raw).decode(),
            "decoded_payload": None if payload else decoded,
            "rx_metadata": [
                {"gateway_ids": {"gateway_id": "roof"}, "rssi": -97, "snr": 7.5},
                {"gateway_ids": {"gateway_id": "tower"}, "rssi": -80, "snr": 9},
            ],
            "received_at": iso(time_of(number)),
        },
    }


def time_of(number: int) -> Micros:
    return START + number * MINUTE


def chirpstack(number: int = 1, dev_eui: str = EUI, **decoded: Any) -> dict[str, Any]:
    return {
        "deduplicationId": f"id-{number}",
        "time": iso(time_of(number)),
        "deviceInfo": {"deviceName": "Gauge", "devEui": dev_eui.lower()},
        "fCnt": number,
        "fPort": 1,
        "data": b64encode(orjson.dumps(decoded)).decode(),
        "object": decoded,
        "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -90, "snr": 5}],
    }


@dataclass(slots=True)
class Door:
    """The ingest door and who may come in: a token is the name of what it stands for."""

    tokens: dict[str, Visibility] = field(default_factory=dict)

    def visibility_of(self, scope: Any) -> Visibility:
        headers = dict(scope["headers"])
        authorization = headers.get(b"authorization", b"").decode()
        if not authorization:
            return ANONYMOUS
        try:
            return self.tokens[authorization.removeprefix("Bearer ")]
        except KeyError:
            raise Unauthenticated("unknown token") from None

    def at_once(self, scope: Any) -> Visibility | None:
        try:
            return self.visibility_of(scope)
        except Unauthenticated:
            return None

    def let_in(self, town: Town, token: str = "town", scope: Scope = Scope.INGEST) -> None:
        self.tokens[token] = Visibility(
            actor=f"token:{token}", home=town.organisation, scopes=frozenset({scope, Scope.READ})
        )

    def post(
        self,
        body: Any,
        *,
        token: str | None = "town",
        path: str = "/ingest/tts",
        method: str = "POST",
        **headers: str,
    ) -> httpx.Response:
        return self.post_all([body], token=token, path=path, method=method, **headers)[0]

    def post_all(
        self,
        bodies: Sequence[Any],
        *,
        token: str | None = "town",
        path: str = "/ingest/tts",
        method: str = "POST",
        **headers: str,
    ) -> list[httpx.Response]:
        """All at once, over one event loop."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"

        async def run() -> list[httpx.Response]:
            transport = httpx.ASGITransport(application(self.visibility_of, self.at_once))
            async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
                return await asyncio.gather(
                    *(
                        client.request(method, path, content=as_bytes(body), headers=headers)
                        for body in bodies
                    )
                )

        return asyncio.run(run())


def as_bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else orjson.dumps(body)


def plan_of(town: Town, body: Any) -> Plan:
    """What a delivery of the town's amounts to, without a door."""
    return pipeline.prepare(delivery_of(town, body))


def delivery_of(town: Town | None, body: Any) -> Delivery:
    visibility = Visibility(home=town.organisation) if town else ANONYMOUS
    return Delivery("tts", as_bytes(body), "", now_us(), visibility)


def deliver(town: Town, body: Any) -> Plan:
    """A delivery with all it leaves behind, in the transaction of the test."""
    delivery = delivery_of(town, body)
    plan, commit = pipeline.begin(delivery)
    commit.result()
    if plan.refusal is not None:
        keeping.keep(delivery, plan.refusal)
    return plan


def readings(*streams: int) -> Columns:
    """What the store holds of these datastreams, in the order of arrival."""
    return select(Selection(streams=frozenset(streams)))


def results(stream: int) -> list[float]:
    return readings(stream).result.tolist()
