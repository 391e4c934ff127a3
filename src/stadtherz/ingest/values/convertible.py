"""What comes of two units: a conversion, or why there is none."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Conversion:
    """value in the new unit = value * factor + offset."""

    factor: float = 1.0
    offset: float = 0.0


class Obstacle(StrEnum):
    UNKNOWN = "unknown"  # no UCUM code
    OTHER_KIND = "other_kind"  # a length is no temperature
    NOT_LINEAR = "not_linear"  # a level in decibel is no multiple of a pressure


class Inconvertible(ValueError):
    """`source` cannot become `target`."""

    def __init__(self, obstacle: Obstacle, source: str, target: str) -> None:
        super().__init__(f"{source} cannot become {target}: {obstacle}")
        self.obstacle = obstacle
        self.source = source
        self.target = target
