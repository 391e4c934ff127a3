"""What goes wrong in a simulated city, so that staff can learn to see it.

Chance decides from the seed alone: the same city has the same mishaps again.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from stadtherz.base.errors import Invalid
from stadtherz.base.time import DAY, HOUR, Micros


class Mishap(StrEnum):
    """Each with what staff will see of it."""

    LATE = "late"  # comes some intervals after it was measured
    REPEATED = "repeated"  # the network sends it twice
    REORDERED = "reordered"  # comes after the one that followed it
    COUNTER_RESET = "counter-reset"  # the device starts anew: frame counter 0
    WRONG_CLOCK = "wrong-clock"  # the network's clock is an hour ahead, or weeks behind
    DEAD_SENSOR = "dead-sensor"  # silent for a long time, then it joins again
    ERROR_CODE = "error-code"  # the sensor reports a value that means a fault
    TRUNCATED = "truncated"  # the document ends in the middle
    GATEWAY_OUTAGE = "gateway-outage"  # what only this gateway hears is lost


# Of a hundred messages with a mishap, so many; silence is rarer, as it lasts.
_WEIGHTS = {
    Mishap.LATE: 20,
    Mishap.REPEATED: 20,
    Mishap.REORDERED: 15,
    Mishap.ERROR_CODE: 15,
    Mishap.TRUNCATED: 10,
    Mishap.WRONG_CLOCK: 10,
    Mishap.COUNTER_RESET: 5,
    Mishap.DEAD_SENSOR: 3,
    Mishap.GATEWAY_OUTAGE: 2,
}

_AHEAD, _BEHIND = HOUR, -26 * DAY


@dataclass(slots=True)
class Chance:
    """`probability` that a message meets with a mishap (0 to 1); `only` these, by default all."""

    seed: int
    probability: float = 0.0
    only: frozenset[Mishap] = frozenset(Mishap)
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise Invalid("mishaps", "must be a probability from 0 to 1")
        if not self.only:
            raise Invalid("mishaps", f"name at least one of {', '.join(Mishap)}")
        self._random = Random(f"mishaps:{self.seed}")  # noqa: S311 - a game, and to be repeatable

    def next(self) -> Mishap | None:
        """What happens to the next message; mostly nothing."""
        if self.probability == 0 or self._random.random() >= self.probability:
            return None
        kinds = [each for each in Mishap if each in self.only]
        return self._random.choices(kinds, [_WEIGHTS[each] for each in kinds])[0]

    def intervals(self, least: float, most: float, interval: Micros) -> Micros:
        """So many intervals of a device, as a time."""
        return int(self._random.uniform(least, most) * interval)

    def wrong_clock(self) -> Micros:
        """How far a clock is off."""
        return _AHEAD if self._random.random() < 0.5 else _BEHIND

    def cut(self, body: bytes) -> bytes:
        """The beginning of a document."""
        return body[: self._random.randrange(1, max(2, len(body) - 1))]
