"""What somebody pasted, as a document of JSON or XML: also out of a line of a log, a command, or a text that was quoted.

What cannot be read is told by what is most likely wrong with it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from json import JSONDecoder
from typing import Any

from django.utils.translation import gettext

from stadtherz.base.errors import Invalid
from stadtherz.ingest.documents import document
from stadtherz.ingest.quality.reasons import problem_words

_STARTS = re.compile(r"[{\[]")
_MOST_STARTS = 8
_FORM = re.compile(r"(\?|&)?[^\s{}\[\]\"'=&]{1,60}(\[\w*\])?=")
_HEADLESS = re.compile(r'"[^"]{1,60}"\s*:')  # the first { is missing
_XML_LINE = re.compile(r"<\?xml\b[^>]*\?>\s*")
_NOT_JSON = re.compile(r"[:\[,]\s*(NaN|-?Infinity|nan|inf|None|True|False)\b")


def is_form(text: str) -> bool:
    """Whether it is like `a=1&b=2`: base64 ends with =, too, so that alone says nothing."""
    return _FORM.match(text) is not None


def document_of(text: str) -> Any:
    """The whole text as JSON or XML, else the first object or list of objects in it.

    Raises Invalid, field `sample`, in the active language.
    """
    told = text.strip().lstrip("\ufeff").strip()
    is_markup = told.startswith("<")
    if is_markup and (found := _of_elements(told)) is not None:
        return found
    with suppress(Invalid):
        if not is_markup:
            return _unquoted(document.parse(told.encode("utf-8", "replace")))
    if (found := next(_inside(told), None)) is not None:
        return found
    raise Invalid("sample", _why(told))


def _of_elements(text: str) -> Any:
    """XML; None for a text between two marks, as pages show one, and for what only begins with a mark.

    It was turned into UTF-8 on its way, whatever its first line says of that.
    """
    plain = _XML_LINE.sub("", text)
    try:
        found = document.parse(plain.encode("utf-8", "replace"))
    except Invalid as problem:
        if "</" not in text and not text.startswith("<?xml"):
            return None
        raise Invalid("sample", problem_words(problem.reason)) from problem
    return found if isinstance(next(iter(found.values()), None), dict | list) else None


def _unquoted(content: Any) -> Any:
    """A document that stands in a text, as consoles and logs quote it."""
    if isinstance(content, str) and content.lstrip().startswith(("{", "[")):
        return document.parse(content.strip().encode("utf-8", "replace"))
    return content


def _inside(text: str) -> Iterator[Any]:
    """Whole objects, and lists of them, that stand in a text with something before or behind them."""
    if _HEADLESS.match(text):
        return
    decoder = JSONDecoder(parse_constant=_refuse)
    for match, _ in zip(_STARTS.finditer(text), range(_MOST_STARTS), strict=False):
        try:
            found, end = decoder.raw_decode(text, match.start())
            document.parse(text[match.start() : end].encode("utf-8", "replace"))
        except (ValueError, RecursionError, Invalid):
            if text[: match.start()].strip() == "":
                return  # it begins as a document and is none: what stands within is only a part
            continue
        if _is_message(found):
            yield found


def _is_message(found: Any) -> bool:
    if isinstance(found, list):
        return bool(found) and all(isinstance(each, dict) for each in found)
    return isinstance(found, dict) and bool(found)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _why(text: str) -> str:
    """What is most likely wrong, in the active language."""
    for applies, told in _REASONS:
        if applies(text):
            return told()
    return gettext(
        "This is not a whole JSON document. Copy everything, from the first { to the last }."
    )


def _is_deep(text: str) -> bool:
    depth = most = 0
    for each in text:
        depth += (each in "{[") - (each in "}]")
        most = max(most, depth)
    return most > document.DEEPEST


_REASONS: list[tuple[Callable[[str], Any], Callable[[], str]]] = [
    (
        lambda text: re.search(r"[{,:]\s*[“”„]", text),
        lambda: gettext(
            "Its quotation marks were turned into typographic ones, as mail and text programs do. Copy it"
            " from where it was shown first."
        ),
    ),
    (
        lambda text: re.match(r"[\[\s]*\{\s*'", text),
        lambda: gettext(
            "It has single quotation marks, as some programs print it. Copy it as JSON, with double ones."
        ),
    ),
    (
        lambda text: _NOT_JSON.search(text) is not None and text[-1:] in "}]",
        lambda: gettext(
            "It holds a word such as NaN, Infinity or None where a value belongs; JSON does not know"
            " it. The device or its codec has to leave the value out."
        ),
    ),
    (
        _is_deep,
        lambda: gettext("It is nested more than {levels} levels deep.").format(
            levels=document.DEEPEST
        ),
    ),
    (
        lambda text: re.search(r",\s*[}\]]", text) and text[-1:] in "}]",
        lambda: gettext("There is a comma too many before a closing bracket."),
    ),
    (
        _HEADLESS.match,
        lambda: gettext(
            "Its beginning is missing. Copy everything, from the first { to the last }."
        ),
    ),
]
