"""Reads single tiles from a PMTiles file (version 3), memory-mapped and shared by all threads.

The `pmtiles` package decodes the format, but its reader decodes the directories again for every
tile. Here they are kept, and the file is opened anew when another one has taken its place.
"""

import gzip
import json
import mmap
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pmtiles.tile import (
    Compression,
    MagicNumberNotFound,
    SpecVersionUnsupported,
    deserialize_directory,
    deserialize_header,
    find_tile,
    zxy_to_tileid,
)

from stadtherz.base.errors import Invalid, NotFound

ATTRIBUTION = "© OpenStreetMap contributors"
_HEADER_BYTES = 127
_DEEPEST_DIRECTORY = 4  # the format allows the root and three levels of leaves


@dataclass(frozen=True, slots=True)
class About:
    """What a map needs to know about a set of tiles; degrees east and north."""

    bounds: tuple[float, float, float, float]  # west, south, east, north
    centre: tuple[float, float]
    shallowest: int
    deepest: int
    attribution: str
    layers: tuple[str, ...]
    version: str  # changes with the file's content


class Tileset:
    """One PMTiles file, opened. Immutable, so threads need no lock."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self.stamp = _stamp(path)
            try:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                self._header: dict[str, Any] = deserialize_header(self._bytes[:_HEADER_BYTES])
            except (ValueError, IndexError, MagicNumberNotFound, SpecVersionUnsupported) as error:
                raise Invalid("base map", f"{path.name} is not a PMTiles file") from error
        self._directory = lru_cache(maxsize=256)(self._read_directory)
        self.gzipped = self._header["tile_compression"] == Compression.GZIP
        self.about = self._read_about()

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """The tile as stored (see `gzipped`), or None where the map is empty."""
        number = zxy_to_tileid(z, x, y)
        offset, length = self._header["root_offset"], self._header["root_length"]
        for _level in range(_DEEPEST_DIRECTORY):
            entry = find_tile(self._directory(offset, length), number)
            if entry is None:
                return None
            if entry.run_length:
                return self._piece(self._header["tile_data_offset"] + entry.offset, entry.length)
            offset, length = self._header["leaf_directory_offset"] + entry.offset, entry.length
        return None

    def _piece(self, offset: int, length: int) -> bytes:
        return self._bytes[offset : offset + length]

    def _read_directory(self, offset: int, length: int) -> Any:
        return deserialize_directory(self._piece(offset, length))

    def _read_about(self) -> About:
        header = self._header
        packed = self._piece(header["metadata_offset"], header["metadata_length"])
        if header["internal_compression"] == Compression.GZIP:
            packed = gzip.decompress(packed)
        told = json.loads(packed)
        west, south = header["min_lon_e7"] / 1e7, header["min_lat_e7"] / 1e7
        east, north = header["max_lon_e7"] / 1e7, header["max_lat_e7"] / 1e7
        return About(
            bounds=(west, south, east, north),
            centre=(round((west + east) / 2, 6), round((south + north) / 2, 6)),
            shallowest=header["min_zoom"],
            deepest=header["max_zoom"],
            attribution=told.get("attribution") or ATTRIBUTION,
            layers=tuple(sorted(layer["id"] for layer in told.get("vector_layers", ()))),
            version="-".join(f"{part:x}" for part in self.stamp),
        )


_open_sets: dict[Path, Tileset] = {}
_opening = threading.Lock()


def open_tiles(path: Path) -> Tileset:
    """The tileset at `path`, opened once and again whenever the file was replaced."""
    try:
        stamp = _stamp(path)
    except FileNotFoundError as error:
        raise NotFound("The base map") from error
    known = _open_sets.get(path)
    if known is not None and known.stamp == stamp:
        return known
    with _opening:
        known = _open_sets.get(path)
        if known is None or known.stamp != _stamp(path):
            # The old mapping is closed when the last thread lets go of it.
            known = _open_sets[path] = Tileset(path)
        return known


def _stamp(path: Path) -> tuple[int, int, int]:
    """What tells one file from another that took its name."""
    status = path.stat()
    return (status.st_ino, status.st_mtime_ns, status.st_size)
