"""What a device can be told, as SWE Common describes it: a DataRecord for a TaskingCapability. Pure."""

import re
from collections.abc import Mapping
from typing import Any

Component = dict[str, Any]

BYTES, PORT, CONFIRMED = "bytes", "port", "confirmed"
_ENCODER = re.compile(r"\b(?:encodeDownlink|Encode|Encoder)\b\s*(?:\(|=|:)")
_BYTES_FORM = r"([0-9a-fA-F]{2}){1,242}"

RAW: Component = {
    "type": "DataRecord",
    "field": [
        {
            "name": BYTES,
            "label": "What the device is sent, two hexadecimal digits for each byte",
            "type": "Text",
            "constraint": {"type": "AllowedTokens", "pattern": _BYTES_FORM},
        },
        {
            "name": PORT,
            "label": "LoRaWAN port",
            "type": "Count",
            "constraint": {"type": "AllowedValues", "interval": [[1, 223]]},
        },
        {
            "name": CONFIRMED,
            "label": "The device has to acknowledge it",
            "type": "Boolean",
            "optional": True,
        },
    ],
}
"""For a codec of which nobody has said what it takes: the bytes themselves."""


def encodes(text: str) -> bool:
    """Whether a codec's text has a function for downlinks, as far as it shows."""
    return _ENCODER.search(text) is not None


def is_raw(parameters: Mapping[str, Any]) -> bool:
    """Whether a Task says bytes; anything else is an object for the codec."""
    return isinstance(parameters.get(BYTES), str) and parameters.keys() <= {BYTES, PORT, CONFIRMED}
