"""Payloads that the network left as they were, and the codecs of their devices."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stadtherz.base.errors import Unavailable
from stadtherz.base.time import Micros
from stadtherz.codecs.public import (
    BadMap,
    Failed,
    Fault,
    Job,
    Outcome,
    decode_cayenne,
    parse_bytemap,
    submit,
)
from stadtherz.ingest.decode import shown
from stadtherz.ingest.models import Codec
from stadtherz.ingest.uplink import Uplink

_LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class KnownCodec:
    name: str
    kind: str
    text: str
    digest: str


def known_codec(pk: int | None) -> KnownCodec | None:
    """The codec as it is now. Many devices share one, so its text is read once for each version."""
    if pk is None:
        return None
    version = Codec.objects.filter(pk=pk).values_list("name", "kind", "digest").first()
    return _version(pk, *version) if version is not None else None


@lru_cache(maxsize=256)
def _version(pk: int, name: str, kind: str, digest: str) -> KnownCodec | None:
    text = Codec.objects.filter(pk=pk, digest=digest).values_list("text", flat=True).first()
    return None if text is None else KnownCodec(name, kind, text, digest)


def start(
    codec: KnownCodec, message: Uplink, *, owner: int, variables: Mapping[str, str]
) -> Future[Outcome]:
    """What the codec makes of the payload; the future never raises. `owner` is the device."""
    return submit_payload(
        codec,
        message.payload,
        f_port=message.f_port,
        received=message.time,
        owner=owner,
        variables=variables,
    )


def submit_payload(
    codec: KnownCodec,
    payload: bytes,
    *,
    f_port: int,
    received: Micros,
    owner: object,
    variables: Mapping[str, str],
) -> Future[Outcome]:
    if codec.kind == Codec.Kind.BYTES:
        return _done(_by_map(codec.text, payload, f_port))
    if codec.kind == Codec.Kind.CAYENNE:
        return _done(decode_cayenne(payload))
    return submit(
        Job(
            text=codec.text,
            payload=payload,
            f_port=f_port,
            received=received,
            owner=owner,
            variables=dict(variables),
            digest=codec.digest,
        )
    )


def _by_map(text: str, payload: bytes, f_port: int) -> Outcome:
    try:
        return parse_bytemap(text).decode(payload, f_port)
    except BadMap as problem:
        return Failed(Fault.BAD_MAP, str(problem), problem.line)


def _done(outcome: Outcome) -> Future[Outcome]:
    future: Future[Outcome] = Future()
    future.set_result(outcome)
    return future


def waited(future: Future[Outcome], seconds: float) -> Outcome:
    """What came of a payload. Raises Unavailable if no worker answers in time."""
    try:
        return future.result(seconds)
    except TimeoutError as problem:
        raise Unavailable("codec", "did not answer in time", retry=True) from problem


def facts_of(name: str, failed: Failed) -> dict[str, Any]:
    """What a sentence about it needs (`reasons.codec_sentence`), as it is kept."""
    return {
        "codec": name,
        "fault": failed.fault.value,
        "told": shown(failed.detail, _LONGEST_DETAIL),
        "line": failed.line,
    }
