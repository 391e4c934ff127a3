"""The text of an SMS: what matters in the first hundred characters, and how many parts it takes.

An SMS holds 160 characters of the GSM alphabet (3GPP TS 23.038, with its extension table at two each),
or 70 of UCS-2 as soon as one character is in neither; of several parts each holds 153 or 67, since the
rest tells where it belongs. Typographic characters would cost half of it and are written plainly.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

MOST_PARTS = 3
_SUBJECT = 80  # so that the answer begins in the first hundred characters
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("^{}\\[~]|€\f")
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
    if not all(letter in _GSM or letter in _EXTENSION for letter in text):
        return None
    return len(text) + sum(letter in _EXTENSION for letter in text)


def parts(text: str) -> int:
    """How many SMS the text is.

    >>> [parts(text) for text in ("a" * 160, "a" * 161, "ж" * 70, "ж" * 71, "€" * 80)]
    [1, 2, 1, 2, 1]
    """
    length, one, each = _room(text)
    return 1 if length <= one else -(-length // each)


def _room(text: str) -> tuple[int, int, int]:
    """Its length, what one SMS holds, and what each of several holds."""
    gsm = units(text)
    if gsm is not None:
        return gsm, 160, 153
    return len(text.encode("utf-16-be")) // 2, 70, 67


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


def compose(wording: Mapping[str, Any], code: int | None) -> str:
    """The SMS of a wording, in the active language; with a code its reader can answer."""
    subject = plain(str(wording["subject"]))[:_SUBJECT]
    answer = plain(_("Answer OK %(code)s") % {"code": code}) if code is not None else ""
    head = ". ".join(part for part in (subject.rstrip("."), answer) if part)
    return shortened(f"{head}. {plain(str(wording['sentence']))}")
