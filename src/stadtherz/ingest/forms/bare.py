"""Values that stand alone in a message: `23.4` under `esp-cellar/sensor/temperature/state`.

What the value is called tells the topic: its levels behind that which names the device, without those that say
nothing. So all topics of a device are one device with a value for each.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stadtherz.ingest.forms.expressions import Expression, Topic

VALUE = "value"
"""The field that a value alone is found in, whatever its topic."""

_LONGEST = 60
_TELLS_NOTHING = frozenset(
    {"state", "value", "status", "sensor", "sensors", "tele", "stat", "get", "current"}
)
_ALONE = re.compile(r"[+\-−]?[\w°%][\w°%.,+\-−/²³µ' \u00a0\u202f]*")


class Alone(dict[str, Any]):
    """The fields that were made of a value alone whose topic tells its name."""


def value_of(text: str) -> str | None:
    """A text that is a value and no document, such as 21,5 °C or ON; else None."""
    told = text.strip()
    return told if len(told) <= _LONGEST and _ALONE.fullmatch(told) else None


def is_generic(level: str) -> bool:
    return level.lower() in _TELLS_NOTHING


def fields(value: Any, device: Expression, topic: Sequence[str]) -> dict[str, Any]:
    """A value alone as an object, under the name that its topic tells and under `value`."""
    name = _name(device, topic)
    return Alone({name: value, VALUE: value}) if name not in ("", VALUE) else {VALUE: value}


def _name(device: Expression, topic: Sequence[str]) -> str:
    places = [part.level for part in device.parts if isinstance(part, Topic)]
    used = [place - 1 if place > 0 else len(topic) + place for place in places]
    if not used:
        return ""
    behind = [each for each in topic[max(used) + 1 :] if each and not is_generic(each)]
    before = [each for each in topic[: max(min(used), 0)] if each and not is_generic(each)]
    return re.sub(r'["\s]+', "_", "_".join(behind or before[-1:]))[:100]


def is_alone(decoded: object) -> bool:
    return isinstance(decoded, Alone)


def together(found: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The values of several messages by name; of one name the first."""
    values: dict[str, Any] = {}
    for each in found:
        for name, value in each.items():
            if name != VALUE:
                values.setdefault(name, value)
    return values
