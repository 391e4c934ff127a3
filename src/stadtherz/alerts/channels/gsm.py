"""The alphabet of telephones: 3GPP TS 23.038, its default table and the extension behind ESC."""

from collections.abc import Mapping

ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPE = 0x1B
EXTENSION: Mapping[str, int] = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip
_CODES: Mapping[str, int] = {
    letter: code for code, letter in enumerate(ALPHABET) if code != _ESCAPE
}
_EXTENDED: Mapping[int, str] = {code: letter for letter, code in EXTENSION.items()}


def places(letter: str) -> int | None:
    """How many places a letter takes; None if it is in neither table."""
    if letter in _CODES:
        return 1
    return 2 if letter in EXTENSION else None


def encode(text: str) -> bytes:
    """One octet for each place, not packed, as SMPP wants it. The text must be in the alphabet.

    >>> encode("Ö 5 €")
    b'\\\\ 5 \\x1be'
    """
    coded = bytearray()
    for letter in text:
        if letter in EXTENSION:
            coded += bytes((_ESCAPE, EXTENSION[letter]))
        else:
            coded.append(_CODES[letter])
    return bytes(coded)


def decode(coded: bytes) -> str:
    """The text; what stands in no table is a space, as telephones show it.

    >>> decode(encode("quittieren 17 müde [€]"))
    'quittieren 17 müde [€]'
    """
    letters: list[str] = []
    escaped = False
    for octet in coded:
        code = octet & 0x7F
        if escaped:
            letters.append(_EXTENDED.get(code, ALPHABET[code]))
            escaped = False
        elif code == _ESCAPE:
            escaped = True
        else:
            letters.append(ALPHABET[code])
    return "".join(letters)
