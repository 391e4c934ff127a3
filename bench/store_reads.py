"""The questions put to a filled store, and the same ones put to plain rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import store_plain as plain
from bench import timing
from stadtherz.base.expressions import And, Column, Compare, Kind, Literal, Order
from stadtherz.base.time import DAY, Micros
from stadtherz.store.public import (
    Bucketing,
    Selection,
    buckets,
    buckets_of,
    count,
    latest,
    select,
)
from stadtherz.store.sealed.chunks import decoded

PAGE = 1000
_TIME = Column("phenomenon_start", Kind.TIME)
_NEWEST = (Order(_TIME, descending=True),)
FEW, HALF = 24.0, 12.0  # some in a hundred readings are greater; about every second is
ZONE = "Europe/Berlin"
BESIDE_THE_HOURS = "Asia/Kolkata"  # its hours begin at half past in UTC: no roll-up serves them

Ask = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Scene:
    """What the questions are about."""

    streams: Sequence[int]
    every_minute: int  # so many of the streams
    end: Micros  # of the filled time
    folder: Path

    def busy(self, run: int) -> int:
        """A stream of every minute, another one each run; not the first, which has a whole year."""
        return self.streams[run % max(self.every_minute - 1, 1) + 1]

    def seldom(self, run: int) -> int:
        others = self.streams[self.every_minute :]
        return others[run * 37 % len(others)]


def forget_decoded() -> None:
    """As if these chunks had not been asked for yet: the one look behind the store's door."""
    decoded.clear()


def questions(scene: Scene, run: int) -> dict[str, tuple[Ask, Ask | None]]:
    """Each question to the store and, if it makes sense, to plain rows."""
    busy, year = scene.busy(run), scene.streams[0]
    day = scene.end // DAY * DAY - DAY
    two = (scene.end - 2 * DAY, scene.end)
    month = (scene.end - 30 * DAY, scene.end)
    return {
        "newest": (partial(_newest, busy), partial(plain.newest, busy, PAGE)),
        "newest_seldom": (partial(_newest, scene.seldom(run)), None),
        "latest": (partial(latest, scene.streams), plain.latest),
        "year": (partial(buckets, year, Bucketing.HOUR, ZONE), partial(plain.by_hour, year)),
        "year_raw": (
            partial(buckets, year, Bucketing.HOUR, BESIDE_THE_HOURS),
            partial(plain.by_hour, year),
        ),
        "day": (partial(_day, scene, day), partial(plain.all_by_hour, day, day + DAY)),
        "two_days": (partial(_count, FEW, *two), partial(plain.count_above, FEW, *two)),
        "two_days_page": (partial(_page, FEW, *two), partial(plain.page_above, FEW, *two)),
        "month": (partial(_count, FEW, *month), None),
        "month_half": (partial(_count, HALF, *month), None),
        "month_page": (partial(_page, FEW, *month), None),
        "month_newest": (partial(_newest_above, FEW, *month), None),
    }


def _newest(stream: int) -> object:
    return select(Selection(streams=frozenset({stream}), order=_NEWEST, limit=PAGE))


def _day(scene: Scene, day: Micros) -> object:
    return buckets_of(scene.streams, Bucketing.HOUR, ZONE, start=day, end=day + DAY)


def _above(limit: float, start: Micros, end: Micros) -> And:
    return And(
        (
            Compare("gt", Column("result", Kind.JSON), Literal(limit, Kind.NUMBER)),
            Compare("ge", _TIME, Literal(start, Kind.TIME)),
            Compare("lt", _TIME, Literal(end, Kind.TIME)),
        )
    )


def _count(limit: float, start: Micros, end: Micros) -> int:
    return count(Selection(where=_above(limit, start, end)))


def _page(limit: float, start: Micros, end: Micros) -> object:
    return select(Selection(where=_above(limit, start, end), limit=100))


def _newest_above(limit: float, start: Micros, end: Micros) -> object:
    return select(Selection(where=_above(limit, start, end), order=_NEWEST, limit=100))


# --- measuring -----------------------------------------------------------------------------------


def asked_once(scene: Scene, name: str, run: int, *, fresh: bool) -> dict[str, float]:
    """Milliseconds of one question; `fresh` without chunks decoded before, else asked twice."""
    ours, raw = questions(scene, run)[name]
    if fresh:
        forget_decoded()
    else:
        ours()
    taken = {"ours": 1000 * timing.seconds(ours)}
    if raw is not None:
        raw()
        taken["raw"] = 1000 * timing.seconds(raw)
    return taken


def asked_cold(scene: Scene, run: int) -> dict[str, float]:
    """Milliseconds of the newest readings of a stream, with nothing of the files in memory."""
    ours, raw = questions(scene, run)["newest"]
    taken = {}
    forget_decoded()
    if plain.drop_file_cache(scene.folder):
        taken["ours"] = 1000 * timing.seconds(ours)
    if raw is not None and plain.drop_file_cache(scene.folder):
        taken["raw"] = 1000 * timing.seconds(raw)
    return taken


def first_answer(scene: Scene) -> dict[str, float]:
    """Milliseconds of the first two questions that a process puts to the store."""
    first = timing.seconds(lambda: latest(scene.streams))
    second = timing.seconds(lambda: _newest(scene.busy(0)))
    return {"latest": 1000 * first, "newest": 1000 * second}
