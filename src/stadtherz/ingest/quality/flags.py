"""What is doubtful about a reading that is kept all the same: its `resultQuality`.

Small and plain, so that SensorThings clients filter it: `resultQuality/code eq 'jump'`. `code` is the
gravest flag, `flags` are all; `pass` says, as ISO 19157 does, that a check was not passed.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stadtherz.ingest.quality.facts import Facts


class Flag(StrEnum):
    JUMP = "jump"
    FROZEN = "frozen"
    CLOCK = "clock"


NAMES = {
    Flag.JUMP.value: _("Sudden jump"),
    Flag.FROZEN.value: _("Value does not move"),
    Flag.CLOCK.value: _("Clock of the device is wrong"),
}


def quality(flags: Sequence[Flag], facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """The `resultQuality` of a reading with these flags, the gravest first; None without any."""
    if not flags:
        return None
    return {"code": flags[0].value, "flags": [flag.value for flag in flags], "pass": False, **facts}


def sentence(told: object) -> str:
    """A `resultQuality` of ours in the active language; empty for anything else."""
    if not isinstance(told, dict) or not isinstance(told.get("flags"), list):
        return ""
    facts = Facts(told)
    known = [_sentence(flag) for flag in told["flags"]]
    return " ".join(text.format_map(facts) for text in known if text)


def _sentence(flag: object) -> str:
    match flag:
        case Flag.JUMP:
            return gettext("It differs by {change} from the reading {minutes} minutes before.")
        case Flag.FROZEN:
            return gettext("The value has not moved for {hours} hours.")
        case Flag.CLOCK:
            return gettext("The device’s clock told {told}; the network’s time counts.")
    return ""
