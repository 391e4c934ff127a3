"""The demo city's base map, which comes ready in the package (`demo/SOURCES.md`)."""

import shutil
from pathlib import Path

DEMO_BASEMAP = Path(__file__).parent / "demo" / "kaiserslautern.pmtiles"


def install_demo_basemap(data: Path) -> None:
    """Give the city in this data folder the demo's map, unless it has one already."""
    target = data / "basemap.pmtiles"
    if target.exists():
        return
    data.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    shutil.copyfile(DEMO_BASEMAP, part)
    part.replace(target)
