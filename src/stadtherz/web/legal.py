"""Imprint, privacy and accessibility: honest defaults, replaced by the operator's own text.

The operator writes `texts/<page>.<language>.txt` in the data folder: paragraphs separated by an
empty line, a line starting with `## ` is a heading. Plain text, so nothing in it can act.
"""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from stadtherz.web.shell import render


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    heading: bool = False


def imprint(request: HttpRequest) -> HttpResponse:
    return _page(request, "imprint", _("Imprint"))


def privacy(request: HttpRequest) -> HttpResponse:
    return _page(request, "privacy", _("Privacy"))


def accessibility(request: HttpRequest) -> HttpResponse:
    return _page(request, "accessibility", _("Accessibility statement"))


def _page(request: HttpRequest, name: str, title: str) -> HttpResponse:
    context = {"title": title, "name": name, "own": own_text(name)}
    return render(request, f"sh/{name}.html", context)


def own_text(name: str) -> list[Paragraph]:
    """The operator's text in the active language, else in German, else none."""
    for language in dict.fromkeys([get_language() or "de", "de"]):
        path = settings.DATA / "texts" / f"{name}.{language}.txt"
        if path.exists():
            return paragraphs(path.read_text(encoding="utf-8"))
    return []


def paragraphs(text: str) -> list[Paragraph]:
    """
    >>> [p.heading for p in paragraphs("## Who we are\\n\\nThe town.")]
    [True, False]
    """
    blocks = (block.strip() for block in text.replace("\r\n", "\n").split("\n\n"))
    return [
        Paragraph(block.removeprefix("## "), heading=block.startswith("## "))
        for block in blocks
        if block
    ]
