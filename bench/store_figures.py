"""One line of the table each: what was measured, what the raw engine needs, what was wanted."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from bench import timing

HEAD = ("figure", "unit", "Stadtherz", "raw", "ratio", "target", "met", "small", "growth")
NOTES = (
    "Ratio: Stadtherz to the raw engine. Small: the same at a million readings. Growth: cost in the "
    "large store over cost in the small one, wanted <= 1.30.",
    "Plain rows without an index are the raw engine of ingest; those of questions have one and are "
    "a million in the small store, so there the ratio is small to raw.",
)
GROWTH = 1.3

Unit = Literal["ms", "s", "readings/s", "B", "MiB", "readings"]


@dataclass(frozen=True, slots=True)
class Target:
    """What is wanted of the value, or of the ratio."""

    limit: float
    of: Literal["value", "ratio"] = "value"
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g}{' raw' * (self.of == 'ratio')}"


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is the large store's, `small` the small one's; None where nothing was measured."""

    what: str
    unit: Unit
    value: float | None
    small: float | None = None
    raw: float | None = None
    ratio: float | None = None
    target: Target | None = None

    @property
    def growth(self) -> float | None:
        if not self.value or not self.small:
            return None
        more = self.value / self.small
        return 1 / more if self.unit == "readings/s" else more

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        held = self.value if self.target.of == "value" else self.ratio
        if held is None:
            return None
        return held >= self.target.limit if self.target.at_least else held <= self.target.limit


def shown(figure: Figure) -> tuple[str, ...]:
    met = figure.met
    return (
        figure.what,
        figure.unit,
        _number(figure.value),
        _number(figure.raw),
        "-" if figure.ratio is None else timing.ratio(figure.ratio),
        "" if figure.target is None else str(figure.target),
        "" if met is None else ("yes" if met else "NO"),
        _number(figure.small),
        "-" if figure.growth is None else timing.ratio(figure.growth),
    )


def as_json(figure: Figure) -> dict[str, Any]:
    """The figure with what follows from it."""
    target = figure.target and str(figure.target)
    derived = {"target": target, "met": figure.met, "growth": figure.growth}
    return asdict(figure) | derived


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return timing.rate(value) if abs(value) >= 100 else f"{value:.3g}"
