"""Every sentence that people read exists in German."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tests.architecture.conftest import ROOT, Module

CATALOGUES = sorted((ROOT / "src" / "stadtherz").rglob("locale/de/LC_MESSAGES/*.po"))
GETTEXT = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
# The same text twice would be a mistake, except where both languages write it alike.
TAGS = re.compile(
    r"{%\s*(?:translate|trans)\s+(?:\"([^\"]+)\"|'([^']+)')|_\(\"([^\"]+)\"\)"
    r"|{%\s*blocktranslate[^%]*%}(.*?){%\s*(?:plural|endblocktranslate)",
    re.DOTALL,
)


def _catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="de")


def _package(path: Path) -> str:
    return str(path.relative_to(ROOT).parents[3])


@pytest.mark.parametrize("path", CATALOGUES, ids=_package)
def test_a_german_catalogue_is_complete(path: Path) -> None:
    for message in _catalogue(path):
        if message.id:
            texts = message.string if isinstance(message.string, tuple) else (message.string,)
            assert all(texts), message.id
            assert not message.fuzzy, message.id


@pytest.mark.parametrize("path", CATALOGUES, ids=_package)
def test_a_translation_keeps_every_placeholder(path: Path) -> None:
    for message in _catalogue(path):
        source = message.id[-1] if isinstance(message.id, tuple) else message.id
        german = message.string[-1] if isinstance(message.string, tuple) else message.string
        assert _placeholders(german) == _placeholders(source), source


@pytest.mark.parametrize("path", CATALOGUES, ids=_package)
def test_a_text_stands_once_in_a_catalogue(path: Path) -> None:
    """What reads catalogues strictly refuses the whole one otherwise."""
    blocks = re.findall(
        r"^((?:msgctxt .*\n(?:\".*\"\n)*)?msgid .*\n(?:\".*\"\n)*)",
        path.read_text("utf-8"),
        re.MULTILINE,
    )
    texts = Counter(block.replace('"\n"', "") for block in blocks)
    assert [text for text, times in texts.items() if times > 1] == []


def _placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sdf]|\{\w*\}", text))


def test_the_same_text_is_the_same_in_german_everywhere() -> None:
    """Django merges the catalogues: of two translations one would silently win."""
    found: dict[object, dict[object, str]] = {}
    for path in CATALOGUES:
        for message in _catalogue(path):
            if message.id:
                known = found.setdefault((message.context, message.id), {})
                known[message.string] = _package(path)
    assert {text: german for text, german in found.items() if len(german) > 1} == {}


def test_every_text_in_the_code_has_a_german_one(modules: list[Module]) -> None:
    known = _known()
    missing = {
        f"{module.at(call)}: {text}"
        for module in modules
        for call, text in _calls(module.tree)
        if text not in known
    }
    assert missing == set()


def test_every_text_in_a_template_has_a_german_one() -> None:
    known = _known()
    missing = {
        f"{path.relative_to(ROOT)}: {text}"
        for path in sorted((ROOT / "src" / "stadtherz").rglob("templates/**/*.html"))
        for text in _template_texts(path.read_text(encoding="utf-8"))
        if text not in known
    }
    assert missing == set()


def _known() -> set[str]:
    found: set[str] = set()
    for path in CATALOGUES:
        for message in _catalogue(path):
            found |= set(message.id) if isinstance(message.id, tuple) else {message.id}
    return found


def _calls(tree: ast.Module) -> list[tuple[ast.Call, str]]:
    """Calls of gettext with the texts in them; only texts written in place can be translated."""
    return [
        (node, argument.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in GETTEXT
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        if not getattr(node.func, "id", "").startswith("pgettext")
    ]


def _template_texts(source: str) -> set[str]:
    found = set()
    for match in TAGS.finditer(source):
        text = next(group for group in match.groups() if group is not None)
        if match[4] is not None:
            text = re.sub(r"{{\s*(\w+)[^}]*}}", r"%(\1)s", text)
            text = " ".join(text.split()) if "trimmed" in match[0][:60] else text
        found.add(text)
    return found


def test_texts_in_templates_are_found() -> None:
    source = '{% translate "Level" %} {% blocktranslate trimmed %}\n  since {{ when }}\n{% endblocktranslate %}'
    assert _template_texts(source) == {"Level", "since %(when)s"}


def test_the_glossary_uses_the_words_of_the_pages() -> None:
    glossary = (ROOT / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", glossary, re.MULTILINE)[1:]
    texts = " ".join(str(m.string) for path in CATALOGUES for m in _catalogue(path))
    assert len(words) > 20
    assert [word for word in words if word not in texts] == []
