"""Whether ThingPark sent a message: the `Token` in the address of its webhook (LRC-AS tunnel interface).

It is the SHA-256 of what the report tells first (customer, device, port, counter, payload), then the parameters of
the address as they are read, then the key that both sides know. So neither the message nor its time can be another's.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from itertools import product
from typing import Any
from urllib.parse import unquote

from stadtherz.base.time import MINUTE, Micros, parse_instant

FRESH: Micros = 10 * MINUTE
"""So far the time of the address may be from ours: it is that of the sending, not of the measurement."""

_ORDER = ("LrnDevEui", "LrnFPort", "LrnInfos", "AS_ID", "Time")
_DEVICE = ("CustomerID", "DevEUI")
_DOWNLINK = (*_DEVICE, "FPort", "FCntDn")
# Of each report what is signed of it; more than one where its description leaves that open.
_SIGNED: dict[str, tuple[tuple[str, ...], ...]] = {
    "DevEUI_uplink": ((*_DEVICE, "FPort", "FCntUp", "payload_hex"),),
    "DevEUI_downlink_Sent": (_DOWNLINK,),
}
_ELSE = (_DEVICE, _DOWNLINK)


class Fault(StrEnum):
    """What is wrong with the signature of a message."""

    MISSING = "missing"
    WRONG = "wrong"
    STALE = "stale"
    NO_KEY = "no_key"  # it is kept, but cannot be read any more


def fault(key: str, document: Any, query: str, received: Micros) -> Fault | None:
    """Why the message cannot be believed; None if ThingPark sent it just now."""
    told = _parameters(query)
    if not key:
        return Fault.NO_KEY
    if not told.get("Token"):
        return Fault.MISSING
    if not any(
        compare_digest(told["Token"].lower(), each) for each in _tokens(key, document, told)
    ):
        return Fault.WRONG
    return None if _is_fresh(told.get("Time", ""), received) else Fault.STALE


def _parameters(query: str) -> dict[str, str]:
    """As they were signed: %2B is a plus, and a plus is no space."""
    pairs = (pair.partition("=") for pair in query.split("&"))
    return {unquote(name): unquote(value) for name, _, value in pairs}


def _tokens(key: str, document: Any, told: Mapping[str, str]) -> Iterator[str]:
    """What the token may be; keys count in lower case."""
    asked = "&".join(f"{name}={told[name]}" for name in _ORDER if name in told)
    for begins in _beginnings(document):
        yield sha256(f"{begins}{asked}{key.lower()}".encode("utf-8", "replace")).hexdigest()


def _beginnings(document: Any) -> Iterator[str]:
    for member, report in document.items() if isinstance(document, dict) else ():
        if isinstance(report, dict):
            for names in _SIGNED.get(member, _ELSE):
                yield from map("".join, product(*(_written(report, name) for name in names)))


def _written(report: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """As it may have been signed: some reports tell the device in small letters, and some no port."""
    value = report.get(name)
    text = "" if value is None else str(value)
    if name == "DevEUI":
        return tuple(dict.fromkeys((text, text.lower())))
    return ("0", "") if name == "FPort" and not text else (text,)


def _is_fresh(told: str, received: Micros) -> bool:
    try:
        return abs(parse_instant(told) - received) <= FRESH
    except (ValueError, OverflowError):
        return False
