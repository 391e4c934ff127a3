"""Payloads that the network left as they were, and the codecs of their devices."""

from collections.abc import Collection, Mapping, Sequence
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
    submit_all,
)
from stadtherz.ingest.models import Codec
from stadtherz.ingest.values.decode import shown

_LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class KnownCodec:
    name: str
    kind: str
    text: str
    digest: str
    encoder: str = ""  # where it has a script of its own


def known_codecs(ids: Collection[int]) -> dict[int, KnownCodec]:
    """The codecs as they are now. Many devices share one, so a text is read once for each version."""
    if not ids:
        return {}
    versions = Codec.objects.filter(pk__in=ids).values_list("pk", "name", "kind", "digest")
    found = {pk: _version(pk, *version) for pk, *version in versions}
    return {pk: codec for pk, codec in found.items() if codec is not None}


def known_codec(pk: int | None) -> KnownCodec | None:
    """As `known_codecs`, for one."""
    return None if pk is None else known_codecs([pk]).get(pk)


@lru_cache(maxsize=256)
def _version(pk: int, name: str, kind: str, digest: str) -> KnownCodec | None:
    texts = Codec.objects.filter(pk=pk, digest=digest).values_list("text", "encoder").first()
    return None if texts is None else KnownCodec(name, kind, texts[0], digest, texts[1])


@dataclass(frozen=True, slots=True)
class Payload:
    """What a device sent, and what reads it. Payloads of different owners take turns."""

    codec: KnownCodec
    payload: bytes
    f_port: int
    received: Micros
    owner: object
    variables: Mapping[str, str]


def start(payloads: Sequence[Payload]) -> list[Future[Outcome]]:
    """What the codecs make of the payloads; the futures never raise."""
    scripts = [each for each in payloads if each.codec.kind == Codec.Kind.JAVASCRIPT]
    told = iter(submit_all(map(_job, scripts)) if scripts else ())
    return [
        next(told) if each.codec.kind == Codec.Kind.JAVASCRIPT else _done(_at_once(each))
        for each in payloads
    ]


def _job(each: Payload) -> Job:
    return Job(
        text=each.codec.text,
        payload=each.payload,
        f_port=each.f_port,
        received=each.received,
        owner=each.owner,
        variables=dict(each.variables),
        digest=each.codec.digest,
    )


def _at_once(each: Payload) -> Outcome:
    if each.codec.kind == Codec.Kind.BYTES:
        return _by_map(each.codec.text, each.payload, each.f_port)
    return decode_cayenne(each.payload)


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
