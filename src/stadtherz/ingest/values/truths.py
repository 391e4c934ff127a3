"""States as devices tell them: true and false, and words of two that exclude each other.

Counted as 1 and 0 they make a series: a parking space that is taken, a door that is open, a leak.
"""

import re
from typing import Any

_TRUE = [
    "true",
    "on",
    "yes",
    "open",
    "opened",
    "occupied",
    "busy",
    "leak",
    "leaking",
    "leakage",
    "detected",
    "motion",
    "presence",
    "present",
    "wet",
    "alarm",
    "active",
    "trigger",
    "triggered",
    "pressed",
    "tilt",
    "ja",
    "an",
    "ein",
    "auf",
    "offen",
    "belegt",
    "besetzt",
    "nass",
    "aktiv",
]
_FALSE = [
    "false",
    "off",
    "no",
    "close",
    "closed",
    "free",
    "vacant",
    "unoccupied",
    "normal",
    "idle",
    "dry",
    "inactive",
    "absent",
    "released",
    "nein",
    "aus",
    "zu",
    "geschlossen",
    "frei",
    "trocken",
    "inaktiv",
]
_STATES = {**dict.fromkeys(_TRUE, 1.0), **dict.fromkeys(_FALSE, 0.0)}
_CLEARED = re.compile(
    rf"(no|not|non|kein|keine|nicht) ({'|'.join(_TRUE)})|(.* )?alarm (release|released|cleared)|(.* )?no alarm"
)
_LONGEST = 60


def truth_of(raw: Any) -> float | None:
    """1 or 0 for a truth value or a word for one; None for anything else.

    >>> truth_of(True), truth_of("Occupied"), truth_of("closed"), truth_of(1), truth_of("north")
    (1.0, 1.0, 0.0, None, None)
    >>> truth_of("threshold_alarm"), truth_of("alarm release"), truth_of("not detected")
    (1.0, 0.0, 0.0)
    """
    if isinstance(raw, bool):
        return float(raw)
    if not isinstance(raw, str) or len(raw) > _LONGEST:
        return None
    words = re.sub(r"[\s_-]+", " ", raw).strip().lower()
    if (known := _STATES.get(words)) is not None:
        return known
    if _CLEARED.fullmatch(words):
        return 0.0
    return 1.0 if words.endswith("alarm") else None
