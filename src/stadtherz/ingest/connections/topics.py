"""What an outside broker's topics tell: pure text, no database."""

from dataclasses import dataclass
from urllib.parse import urlencode

JSON = "json"
_SHARED = "$share/"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose document a message is, and what its topic tells beside it."""

    network: str
    query: str = ""


def proposed(network: str, user_name: str) -> str:
    """The topics that are usual for a network; The Things Stack's have the user's name in them."""
    if network == "tts":
        return f"v3/{user_name or '+'}/devices/+/#"
    if network == "chirpstack":
        return "application/+/device/+/event/+"
    return ""


def is_filter(text: str) -> bool:
    """Whether MQTT takes it as a filter (MQTT 5.0 §4.7); a shared one has a field of its own."""
    levels = text.split("/")
    if not text or "\x00" in text or text.startswith(_SHARED):
        return False
    wild = [level for level in levels if "+" in level or "#" in level]
    return all(len(level) == 1 for level in wild) and "#" not in levels[:-1]


def subscription(topic: str, group: str) -> str:
    return f"{_SHARED}{group}/{topic}" if group else topic


def reader(network: str, topic: str, *, form: str = "") -> Reader | None:
    """How a message is read; None if it tells nothing, such as a downlink on its way to a device."""
    levels = topic.split("/")
    if network == JSON:
        return Reader(JSON, urlencode({"form": form, "topic": topic}))
    if network == "tts":
        return None if levels[-2:] in (["down", "push"], ["down", "replace"]) else Reader("tts")
    if len(levels) > 1 and levels[-2] in ("command", "state"):
        return None
    event = levels[-1] if len(levels) > 1 and levels[-2] == "event" else ""
    return Reader(network, urlencode({"event": event}) if event else "")
