"""An object for a device as the bytes that its codec makes of it (LoRa Alliance TS013, `encodeDownlink`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from stadtherz.base.errors import Invalid
from stadtherz.base.time import now_us
from stadtherz.codecs.public import Decoded, Job, Outcome, submit
from stadtherz.ingest.devices import decoding
from stadtherz.ingest.devices.decoding import KnownCodec
from stadtherz.ingest.models import Codec
from stadtherz.ingest.quality.reasons import codec_sentence

_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Encoded:
    payload: bytes
    f_port: int | None


def encode(
    codec: KnownCodec, asked: Mapping[str, Any], f_port: int, variables: Mapping[str, str]
) -> Encoded:
    """Raises Invalid with a sentence if the codec cannot, and Unavailable if no worker answers."""
    if codec.kind != Codec.Kind.JAVASCRIPT:
        raise Invalid("content", gettext("Only a codec in JavaScript can encode; write bytes."))
    job = Job(
        text=codec.encoder or codec.text,
        payload=b"",
        f_port=f_port,
        received=now_us(),
        owner="downlink",
        variables=dict(variables),
        digest="" if codec.encoder else codec.digest,
        encode=dict(asked),
    )
    return _encoded(codec, decoding.waited(submit(job), _PATIENCE_S))


def _encoded(codec: KnownCodec, outcome: Outcome) -> Encoded:
    if not isinstance(outcome, Decoded):
        if outcome.fault == "no_function":
            raise Invalid(
                "content", gettext("This codec has no function encodeDownlink; write bytes.")
            )
        raise Invalid("content", codec_sentence(decoding.facts_of(codec.name, outcome)))
    told, f_port = outcome.data.get("bytes"), outcome.data.get("fPort")
    if not isinstance(told, list) or not all(
        type(each) is int and 0 <= each < 256 for each in told
    ):
        raise Invalid("content", gettext("The codec gave no bytes."))
    return Encoded(bytes(told), f_port if type(f_port) is int else None)
