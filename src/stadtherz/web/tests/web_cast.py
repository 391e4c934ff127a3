"""What the tests of the shell put on a page: tiles, charts, and one datastream each."""

from typing import Any

from stadtherz.base.time import HOUR, Micros
from stadtherz.base.vocabulary import WATER_LEVEL
from stadtherz.kit.declaration import Severity, Step, Tile
from stadtherz.store.public import NewStream, create_organisation, register_stream
from stadtherz.web.charts import LineChart

NOON: Micros = 1_795_604_400_000_000  # 2026-11-25 12:00 in Kaiserslautern


def tile(**changes: Any) -> Tile:
    values: dict[str, Any] = {
        "key": "water.mill",
        "title": "Pegel Mühle",
        "icon": "water",
        "value": "42",
        "unit": "cm",
        "state": Severity.OK,
        "state_text": "normal",
        "place": "Lauter",
        "url": "/pegel/muehle/",
        "updated": NOON,
    }
    return Tile(**(values | changes))


def chart(*numbers: float, **changes: Any) -> LineChart:
    """An hourly course that ends at noon."""
    start = NOON - (len(numbers) - 1) * HOUR
    values: dict[str, Any] = {
        "key": "level",
        "title": "Pegel Mühle",
        "subtitle": "Wasserstand in Zentimetern",
        "unit": "cm",
        "points": [(start + i * HOUR, number) for i, number in enumerate(numbers)],
        "summary": "Das Wasser steht bei 42 cm.",
        "steps": (Step("Vorwarnung", 90, Severity.WARNING),),
        "now": NOON,
    }
    return LineChart(**(values | changes))


def stream(access: str = "public", town: str = "lautern") -> int:
    return register_stream(
        NewStream(
            owner=create_organisation(town, town.capitalize()),
            thing_name="Mill",
            thing_description="",
            location={"type": "Point", "coordinates": [7.77, 49.44]},
            sensor_name="Radar",
            sensor_description="",
            observed=WATER_LEVEL,
            name="Level",
            description="",
            access=access,
        )
    )
