"""The build hook decides by content whether assets are stale, and compiles translations."""

import os
from pathlib import Path

import pytest
from babel.support import Translations

import hatch_build

PO = (
    'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "now"\nmsgstr "jetzt"\n'
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "frontend" / "lib").mkdir(parents=True)
    (tmp_path / "frontend" / "main.ts").write_text("1", encoding="utf-8")
    hatch_build.assets_folder(tmp_path).mkdir(parents=True)
    return tmp_path


def mark_as_built(tree: Path) -> None:
    kept = hatch_build.assets_folder(tree) / "digest.txt"
    kept.write_text(hatch_build.digest(tree) + "\n", encoding="utf-8")


def test_assets_never_built_are_stale(tree: Path) -> None:
    assert hatch_build.is_stale(tree)


def test_assets_of_these_sources_are_not_stale(tree: Path) -> None:
    mark_as_built(tree)
    assert not hatch_build.is_stale(tree)


def test_a_change_of_content_or_name_makes_them_stale(tree: Path) -> None:
    mark_as_built(tree)
    source = tree / "frontend" / "main.ts"
    os.utime(source, (1, 1))
    assert not hatch_build.is_stale(tree)
    source.rename(tree / "frontend" / "lib" / "main.ts")
    assert hatch_build.is_stale(tree)


def test_installed_packages_do_not_count(tree: Path) -> None:
    mark_as_built(tree)
    (tree / "frontend" / "node_modules").mkdir()
    (tree / "frontend" / "node_modules" / "x.js").write_text("1", encoding="utf-8")
    assert not hatch_build.is_stale(tree)


def test_the_repositorys_own_sources_are_read() -> None:
    root = Path(hatch_build.__file__).parent
    names = {path.name for path in hatch_build._sources(root / "frontend")}
    assert {"package-lock.json", "vite.config.ts", "main.css", "sh-map.ts"} <= names


def test_translations_are_compiled_beside_their_text(tmp_path: Path) -> None:
    folder = tmp_path / "web" / "locale" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(PO, encoding="utf-8")
    hatch_build.compile_translations(tmp_path)
    with (folder / "django.mo").open("rb") as compiled:
        assert Translations(compiled).gettext("now") == "jetzt"


def test_the_lock_carries_no_registry_address() -> None:
    root = Path(hatch_build.__file__).parent
    assert '"resolved"' not in (root / "frontend" / "package-lock.json").read_text(encoding="utf-8")
