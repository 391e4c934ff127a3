"""The text of an SMS: what matters in the first hundred characters, and how many parts it takes.

An SMS holds 160 characters of the GSM alphabet (3GPP TS 23.038, with its extension table at two each),
or 70 of UCS-2 as soon as one character is in neither; of several parts each holds 153 or 67, since the
rest tells where it belongs. Typographic characters would cost half of it and are written plainly.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from stadtherz.alerts.channels import gsm

MOST_PARTS = 3
_SUBJECT = 80  # so that the answer begins in the first hundred characters
_PLAIN = str.maketrans(
    {
        "„": '"', "“": '"', "”": '"', "»": '"', "«": '"',
        "‚": "'", "‘": "'", "’": "'", "`": "'",
        "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-",
        "…": "...", "\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " ", "\N{THIN SPACE}": " ",
        "²": "2", "³": "3", "°": " Grad ", "µ": "u", "\t": " ",
    }
)  # fmt: skip


def plain(text: str) -> str:
    """The text without typographic characters that would make it UCS-2.

    >>> plain("„Stufe 2“ – 3 °C …")
    '"Stufe 2" - 3 Grad C ...'
    """
    return re.sub(r" {2,}", " ", text.translate(_PLAIN)).strip()


def units(text: str) -> int | None:
    """How many places it takes in the GSM alphabet; None if it needs UCS-2."""
    counted = [gsm.places(letter) for letter in text]
    return None if None in counted else sum(places for places in counted if places)


def split(text: str, *, ucs2: bool = False) -> list[str]:
    """The text as it goes into each SMS; a letter that takes two places is never torn apart.

    >>> [len(part) for part in split("a" * 152 + "€" + "a" * 20)]
    [152, 21]
    """
    wide = ucs2 or units(text) is None
    one, each = _room(wide=wide)
    sizes = [_size(letter, wide=wide) for letter in text]
    if sum(sizes) <= one:
        return [text]
    cuts, used = [0], 0
    for place, size in enumerate(sizes):
        if used + size > each:
            cuts.append(place)
            used = 0
        used += size
    return [text[start:end] for start, end in pairwise([*cuts, len(text)])]


def _room(*, wide: bool) -> tuple[int, int]:
    """How many places one SMS has, and each of several."""
    return (70, 67) if wide else (160, 153)


def _size(letter: str, *, wide: bool) -> int:
    return len(letter.encode("utf-16-be")) // 2 if wide else (gsm.places(letter) or 1)


def parts(text: str) -> int:
    """How many SMS the text is.

    >>> [parts(text) for text in ("a" * 160, "a" * 161, "ж" * 70, "ж" * 71, "€" * 80)]
    [1, 2, 1, 2, 1]
    """
    return len(split(text))


@dataclass(frozen=True, slots=True)
class Length:
    """`places` taken of the `room` in so many `parts`; for the `odd` letters, in no table, each part holds less."""

    parts: int
    places: int
    room: int
    odd: str


def length(text: str) -> Length:
    """How long the text is as SMS.

    >>> length("a" * 159 + "€"), length("5 ж")
    (Length(parts=2, places=161, room=306, odd=''), Length(parts=1, places=3, room=70, odd='ж'))
    """
    odd = "".join(dict.fromkeys(letter for letter in text if gsm.places(letter) is None))
    one, each = _room(wide=bool(odd))
    number = parts(text)
    places = sum(_size(letter, wide=bool(odd)) for letter in text)
    return Length(number, places, one if number == 1 else each * number, odd)


def shortened(text: str, most: int = MOST_PARTS) -> str:
    """The text cut at a word so that it is no more parts than that."""
    if parts(text) <= most:
        return text
    words = text.split(" ")
    while len(words) > 1 and parts(" ".join(words) + " ...") > most:
        words.pop()
    cut = " ".join(words) + " ..."
    while parts(cut) > most:
        cut = cut[:-5] + " ..."
    return cut


@dataclass(frozen=True, slots=True)
class Composed:
    """The text of an SMS, and whether it says all that was to be said."""

    text: str
    whole: bool


def compose(wording: Mapping[str, Any], code: int | None) -> Composed:
    """The SMS of a wording, in the active language; with a code its reader can answer."""
    subject = plain(str(wording["subject"]))
    answer = plain(_("Answer OK %(code)s") % {"code": code}) if code is not None else ""
    head = ". ".join(part for part in (subject[:_SUBJECT].rstrip("."), answer) if part)
    said = f"{head}. {plain(str(wording['sentence']))}"
    text = shortened(said)
    return Composed(text, whole=text == said and len(subject) <= _SUBJECT)
