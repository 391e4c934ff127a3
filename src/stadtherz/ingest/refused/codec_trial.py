"""A codec tried with one payload: what whoever writes or chooses one wants to see."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stadtherz.base.time import Micros, now_us
from stadtherz.codecs.public import Decoded, Outcome
from stadtherz.ingest.devices import decoding
from stadtherz.ingest.devices.decoding import KnownCodec, Payload, facts_of
from stadtherz.ingest.quality.reasons import codec_sentence

_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Trial:
    """The values, or in the active language why there are none."""

    data: dict[str, Any] | None = None
    problem: str = ""
    warnings: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


def try_codec(
    kind: str,
    text: str,
    payload: bytes,
    *,
    f_port: int = 1,
    received: Micros | None = None,
    variables: Mapping[str, str] | None = None,
    name: str = "",
) -> Trial:
    """What the codec makes of the payload. Raises Unavailable if no worker answers."""
    codec = KnownCodec(name, kind, text, digest="")
    wanted = Payload(
        codec,
        payload,
        f_port=f_port,
        received=now_us() if received is None else received,
        owner="trial",
        variables=variables or {},
    )
    (future,) = decoding.start([wanted])
    return _trial(name, decoding.waited(future, _PATIENCE_S))


def _trial(name: str, outcome: Outcome) -> Trial:
    if isinstance(outcome, Decoded):
        return Trial(outcome.data, "", outcome.warnings, outcome.log)
    problem = codec_sentence(facts_of(name, outcome))
    return Trial(None, problem, (), outcome.log)
