"""A device type as a collection describes it, whichever collection it is."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Example:
    """A payload and what the codec is said to make of it: `data`, or that it refuses it."""

    name: str
    payload: bytes
    f_port: int
    data: Any = None
    refuses: bool = False
    received: str = ""  # ISO time that the codec is told, where the example says one
    variables: dict[str, str] = field(default_factory=dict)
    normalized: Any = (
        None  # the same values in The Things Stack's vocabulary, where the example tells them
    )


@dataclass(frozen=True, slots=True)
class Downlink:
    """An object and what the encoder is said to make of it: bytes and a port, or that it refuses it.

    With `decodes` it is the other way: the bytes and the object that `decodeDownlink` makes of them.
    """

    name: str
    data: Any
    payload: bytes = b""
    f_port: int | None = None
    refuses: bool = False
    decodes: bool = False


@dataclass(frozen=True, slots=True)
class FoundCodec:
    """A codec's text and its own tests. `tests_as_script` are files of tests that are not quite JSON: for uplinks, and for
    downlinks. `encoder` and `downlink_decoder` are there where these functions have files of their own.
    """

    name: str
    text: str
    examples: tuple[Example, ...] = ()
    tests_as_script: tuple[str, str] = ("", "")
    encoder: str = ""
    downlink_decoder: str = ""
    downlinks: tuple[Downlink, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """`key` is the collection's name for it, vendor and device, such as milesight/em500-udl."""

    key: str
    vendor: str
    name: str
    description: str = ""
    codec: FoundCodec | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """What could not be read, with its place in the folder; the rest is imported."""

    place: str
    reason: str


@dataclass(slots=True)
class Collection:
    source: str
    devices: list[FoundDevice] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
