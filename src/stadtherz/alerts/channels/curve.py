"""The curve that caused a warning, drawn as PNG for mail programs, which show no SVG.

Pure: the same curve gives the same bytes. Drawn at twice the size it is shown in. The paper is light and
opaque, so that it can be read in a mail program's dark mode, too.

A warning waits for its picture, so it is drawn in numbers of colours from the beginning: finding few
colours for a finished picture, and mixing three bytes for each dot, took longer than all the rest.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw, ImageFont

from stadtherz.base.axes import Scale, time_marks, value_marks
from stadtherz.base.time import HOUR, Micros

WIDTH, HEIGHT = 600, 300
_TWICE = 2
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 46, 30
_FONT = Path(__file__).parent / "fonts" / "FiraSans-Regular.woff2"
_PAPER, _INK, _FAINT, _LINE = "#ffffff", "#1b2733", "#dde3e8", "#00527c"
_COLOURS = {"danger": "#b3261e", "warning": "#9a5b00", "info": "#00527c"}
_SHADES = 15  # of each colour on the paper: enough for smooth letters
_DENSE = 300  # points of a line that need no round corners, since the next is a dot or two away

Point = tuple[Micros, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A limit: where it is, what it is called, and how grave it is."""

    value: float
    name: str
    severity: str


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn. `event` is the moment that is told of, `gap` the silence that breaks the line."""

    title: str
    unit: str
    points: Sequence[Point]
    limits: Sequence[Line]
    start: Micros
    end: Micros
    event: Micros
    gap: Micros


@dataclass(frozen=True, slots=True)
class Axes:
    """How numbers and times are written, and where."""

    zone: tzinfo
    number: Callable[[float], str]
    clock: Callable[[Micros], str]


@dataclass(frozen=True, slots=True)
class Picture:
    """A curve as a mail shows it: PNG (empty if it could not be drawn), a sentence, rows of a table.

    A row is a time, a value and what is special about it.
    """

    title: str
    sentence: str
    rows: Sequence[tuple[str, str, str]]
    png: bytes = b""
    width: int = WIDTH
    height: int = HEIGHT


def told(points: Sequence[Point], most: int) -> list[int]:
    """Which points stand in a table of at most `most` rows: first, last, extremes, and some between.

    >>> told([(0, 5.0), (1, 9.0), (2, 1.0), (3, 5.0), (4, 5.0)], 4)
    [0, 1, 2, 4]
    """
    if len(points) <= most:
        return list(range(len(points)))
    places = range(len(points))
    high = max(places, key=lambda place: points[place][1])
    low = min(places, key=lambda place: points[place][1])
    wanted = {0, len(points) - 1, high, low}
    between = most - len(wanted)
    wanted.update(round(i * (len(points) - 1) / (between + 1)) for i in range(1, between + 1))
    return sorted(wanted)


def png(curve: Curve, axes: Axes) -> bytes:
    """The picture's bytes."""
    image = Image.new("L", (WIDTH * _TWICE, HEIGHT * _TWICE), _BLANK)
    values = [value for _at, value in curve.points] + [line.value for line in curve.limits]
    levels = value_marks(min(values), max(values))
    across = Scale(curve.start, curve.end, _LEFT * _TWICE, (WIDTH - _RIGHT) * _TWICE)
    up = Scale(levels[0], levels[-1], (HEIGHT - _BOTTOM) * _TWICE, _TOP * _TWICE)
    paper = _Paper(image, ImageDraw.Draw(image), across, up)
    paper.write(curve.title, 12, 8, size=15)
    paper.write(curve.unit, _LEFT - 8, _TOP - 20, anchor="ra")
    _grid(paper, levels, axes)
    _times(paper, curve, axes)
    _limits(paper, curve.limits)
    _line(paper, curve)
    _event(paper, curve, axes)
    image.putpalette(_palette())
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


# --- colours by number: the paper, then the shades of each from faint to full ------------------------

_BLANK = 0
_INKS = (_INK, _LINE, *(colour for colour in _COLOURS.values() if colour != _LINE), _FAINT)


def _full(colour: str) -> int:
    """The number of a colour.

    >>> _full("#1b2733")
    15
    """
    return (_INKS.index(colour) + 1) * _SHADES


@cache
def _shades(colour: str) -> list[int]:
    """By how much of a dot is covered (0 to 255): the number of its shade."""
    parts = (round(covered * _SHADES / 255) for covered in range(256))
    return [part and _full(colour) - _SHADES + part for part in parts]


@cache
def _palette() -> list[int]:
    """Red, green and blue of every number, one after the other."""
    paper = ImageColor.getrgb(_PAPER)
    found = list(paper)
    for colour in _INKS:
        for part in range(1, _SHADES + 1):
            for ink, blank in zip(ImageColor.getrgb(colour), paper, strict=True):
                found.append(round(blank + (ink - blank) * part / _SHADES))
    return found


@dataclass(frozen=True, slots=True)
class _Paper:
    """Places are given in points of the shown size; `across` and `up` give pixels."""

    image: Image.Image
    draw: ImageDraw.ImageDraw
    across: Scale
    up: Scale

    def write(
        self,
        text: str,
        x: float,
        y: float,
        *,
        size: int = 12,
        fill: str = _INK,
        anchor: str = "la",
        halo: bool = False,
    ) -> None:
        font, place = _font(size * _TWICE), (round(x * _TWICE), round(y * _TWICE))
        if halo:  # without smooth edges: half of a colour's number is another colour
            self.draw.fontmode = "1"
            self.draw.text(place, text, _BLANK, font, anchor, stroke_width=3)
        (left, top), letters = _letters(text, size * _TWICE, anchor)
        shades = letters.point(_shades(fill))
        self.image.paste(shades, (place[0] + left, place[1] + top), shades.point(_COVERED))

    def dashes(self, y: float, colour: str) -> None:
        """A dashed line from side to side, at this pixel."""
        self.image.paste(_full(colour), (_LEFT * _TWICE, round(y) - 1), _dashes())


_COVERED = [0] + [255] * 255


@lru_cache(64)  # hours and numbers are the same from one picture to the next
def _letters(text: str, size: int, anchor: str) -> tuple[tuple[int, int], Image.Image]:
    """How much of each dot a text covers, and where its upper left corner lies from the anchor."""
    font = _font(size)
    left, top, right, bottom = map(round, font.getbbox(text, anchor=anchor))
    letters = Image.new("L", (max(right - left, 1), max(bottom - top, 1)))
    ImageDraw.Draw(letters).text((-left, -top), text, 255, font, anchor)
    return (left, top), letters


@cache
def _dashes() -> Image.Image:
    line = Image.new("L", ((WIDTH - _LEFT - _RIGHT) * _TWICE, 3))
    for x in range(0, line.width, 20):
        line.paste(255, (x, 0, x + 13, 3))
    return line


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), size, layout_engine=ImageFont.Layout.BASIC)


def _grid(paper: _Paper, levels: Sequence[float], axes: Axes) -> None:
    for level in levels:
        y = paper.up(level)
        paper.draw.line((_LEFT * _TWICE, y, (WIDTH - _RIGHT) * _TWICE, y), _full(_FAINT), 2)
        paper.write(axes.number(level), _LEFT - 8, y / _TWICE, anchor="rm")


def _times(paper: _Paper, curve: Curve, axes: Axes) -> None:
    for mark in time_marks(curve.start, curve.end, axes.zone):
        x = paper.across(mark) / _TWICE
        if _LEFT + 8 <= x <= WIDTH - _RIGHT - 12:
            paper.write(axes.clock(mark), x, HEIGHT - _BOTTOM + 8, anchor="ma")


def _limits(paper: _Paper, limits: Sequence[Line]) -> None:
    """Dashed, so that they differ from the curve without colour, too; of two that are near one another
    the lower has its name below."""
    above: float | None = None
    for line in sorted(limits, key=lambda each: -each.value):
        y, colour = paper.up(line.value), _COLOURS.get(line.severity, _INK)
        paper.dashes(y, colour)
        near = above is not None and y - above < 17 * _TWICE
        above = y
        place = y / _TWICE + (3 if near else -3)
        paper.write(
            line.name, _LEFT + 6, place, fill=colour, anchor="la" if near else "ls", halo=True
        )


def _line(paper: _Paper, curve: Curve) -> None:
    for piece in _pieces(curve):
        spots = _thinned([(paper.across(at), paper.up(value)) for at, value in piece])
        if len(spots) == 1:
            (x, y) = spots[0]
            paper.draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=_full(_LINE))
        paper.draw.line(spots, _full(_LINE), 5, joint=None if len(spots) > _DENSE else "curve")


def _pieces(curve: Curve) -> Iterator[list[Point]]:
    piece: list[Point] = []
    for point in curve.points:
        if piece and point[0] - piece[-1][0] > curve.gap:
            yield piece
            piece = []
        piece.append(point)
    if piece:
        yield piece


def _thinned(spots: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of all that fall on one column of pixels the first, the highest, the lowest and the last."""
    columns: dict[int, list[tuple[float, float]]] = {}
    for spot in spots:
        columns.setdefault(int(spot[0]) // 2, []).append(spot)
    kept: list[tuple[float, float]] = []
    for column in columns.values():
        high = min(column, key=lambda spot: spot[1])
        low = max(column, key=lambda spot: spot[1])
        kept += sorted({column[0], high, low, column[-1]}, key=column.index)
    return kept


def _event(paper: _Paper, curve: Curve, axes: Axes) -> None:
    x = paper.across(curve.event)
    paper.draw.line((x, (_TOP - 4) * _TWICE, x, (HEIGHT - _BOTTOM) * _TWICE), _full(_INK), 2)
    late = x > (WIDTH - 90) * _TWICE
    paper.write(
        axes.clock(curve.event) if curve.end - curve.start > HOUR else "",
        x / _TWICE + (4 if late else 0),
        _TOP - 8,
        anchor="rs" if late else "ms",
    )
    before = [point for point in curve.points if point[0] <= curve.event]
    if before:
        y = paper.up(before[-1][1])
        x = paper.across(before[-1][0])
        spot = (x - 8, y - 8, x + 8, y + 8)
        paper.draw.ellipse(spot, fill=_full(_LINE), outline=_BLANK, width=2)
