"""Telephone numbers as the whole world writes them (ITU-T E.164): + and up to 15 digits."""

import re

_INTERNATIONAL = re.compile(r"\+[1-9]\d{6,14}")
_BETWEEN = re.compile(r"[\s()/.\-\u2010-\u2015\u00a0]")
HOME = "+49"


def e164(text: str, *, home: str = HOME) -> str | None:
    """The number in E.164, or None if it is none; one with a leading 0 is of the country `home`.

    >>> e164("0151 / 234-567 89")
    '+4915123456789'
    >>> e164("+49 (0)151 23456789")
    '+4915123456789'
    """
    number = _BETWEEN.sub("", text.strip().replace("(0)", ""))
    if number.startswith("00"):
        number = "+" + number[2:]
    elif number.startswith("0"):
        number = home + number[1:]
    return number if _INTERNATIONAL.fullmatch(number) else None


def from_network(sender: str) -> str | None:
    """The same for the sender of a message: networks often leave the + away."""
    text = sender.strip()
    if text[:1] in "+0":
        return e164(text)
    return e164("+" + text)
