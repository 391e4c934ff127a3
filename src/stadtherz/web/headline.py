"""The start page's first sentence: what is unusual today, from the tiles alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stadtherz.kit.declaration import Severity, Tile

_MOST_SENTENCES = 3
_BY_WEIGHT = (Severity.DANGER, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class Headline:
    title: str
    sentence: str


def headline(tiles: Sequence[Tile]) -> Headline:
    """The heading and what stands below it. Dangers come before warnings, silence comes last."""
    if not tiles:
        return Headline(
            _("Nothing is measured here yet."),
            _("As soon as the first sensor reports, its reading appears on this page."),
        )
    unusual = [tile for weight in _BY_WEIGHT for tile in tiles if tile.state is weight]
    silent = sum(tile.state is Severity.UNKNOWN for tile in tiles)
    sentences = [*_unusual_sentences(unusual), *_silence(silent, len(tiles))]
    if not sentences:
        sentences = [_("All readings are within their usual range.")]
    return Headline(_title(tiles, unusual, silent), " ".join(sentences))


def _title(tiles: Sequence[Tile], unusual: Sequence[Tile], silent: int) -> str:
    if any(tile.state is Severity.DANGER for tile in unusual):
        return _("Caution is needed today.")
    if silent == len(tiles):
        return _("There are no current readings.")
    if not unusual:
        return _("Everything is running smoothly today.")
    if len(unusual) * 2 > len(tiles):
        return _("Some things are unusual today.")
    return _("Almost everything is running smoothly today.")


def _unusual_sentences(unusual: Sequence[Tile]) -> list[str]:
    sentences = [_sentence(tile) for tile in unusual[:_MOST_SENTENCES]]
    if more := len(unusual) - len(sentences):
        text = ngettext("%(count)s more is unusual.", "%(count)s more are unusual.", more)
        sentences.append(text % {"count": more})
    return sentences


def _sentence(tile: Tile) -> str:
    return tile.sentence or f"{tile.title}: {tile.state_text}."


def _silence(silent: int, total: int) -> list[str]:
    if not silent:
        return []
    text = ngettext(
        "One of %(total)s places does not report at the moment.",
        "%(count)s of %(total)s places do not report at the moment.",
        silent,
    )
    return [text % {"count": silent, "total": total}]
