"""Nothing of the product reaches for another server, and nothing of our machines is in the tree."""

import re
import subprocess
from pathlib import Path

import pytest

# Addresses in these files would be fetched by the reader's browser.
SHOWN = ("src/**/templates/**/*.html", "src/**/*.css", "frontend/**/*.css", "frontend/**/*.ts",
         "src/stadtherz/web/assets/**/*.js", "src/stadtherz/web/assets/**/*.css",
         "src/stadtherz/web/assets/**/*.html")  # fmt: skip
FETCHED = re.compile(
    r"""(?:src\s*=|srcset\s*=|url\(|@import|fetch\(|import\(|from|action\s*=|poster\s*=)\s*["']?(?:https?:)?//([\w.-]+)"""
    r"""|<link[^>]+href\s*=\s*["']?(?:https?:)?//([\w.-]+)""",
    re.IGNORECASE,
)
MACHINE = re.compile(r"/work/|/root/|/opt/pypi|/home/\w+/|C:\\\\Users")
REGISTRY = re.compile(
    r"https?://[\w.:-]*(?:pypi|npmjs|registry|artifactory|nexus)[\w.:/-]*", re.IGNORECASE
)
OFFICIAL = {"https://pypi.org", "https://www.npmjs.com"}  # as links for people, in documents only
# These name the patterns because they look for them.
LOOKERS = {"tests/architecture/test_foreign.py"}


def _tracked(root: Path) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True, text=True
    ).stdout
    return [root / name for name in listed.split("\0") if name and name not in LOOKERS]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
        return ""


def test_pages_and_assets_fetch_nothing_from_other_hosts(root: Path) -> None:
    files = {path for pattern in SHOWN for path in root.glob(pattern)}
    foreign = {
        f"{path.relative_to(root)}: {found[0]}"
        for path in files
        if "node_modules" not in path.parts
        for found in FETCHED.finditer(_text(path))
    }
    assert foreign == set()


@pytest.mark.parametrize(
    "text",
    ['<script src="https://cdn.example/x.js">', "url(//fonts.example/a.woff2)",
     '<link rel="stylesheet" href="http://cdn.example/x.css">', 'import("https://esm.example/a")'],
)  # fmt: skip
def test_a_foreign_address_is_recognised(text: str) -> None:
    assert FETCHED.search(text)


def test_a_link_for_people_is_no_fetch() -> None:
    assert not FETCHED.search('<a href="https://www.openstreetmap.org/copyright">')


@pytest.fixture(scope="module")
def tracked(root: Path) -> list[Path]:
    if not (root / ".git").exists():
        pytest.skip("not a git checkout")
    return _tracked(root)


def test_no_tracked_file_knows_our_machines(tracked: list[Path], root: Path) -> None:
    found = [str(path.relative_to(root)) for path in tracked if MACHINE.search(_text(path))]
    assert found == []


def test_no_tracked_file_names_a_registry(tracked: list[Path], root: Path) -> None:
    found = {
        f"{path.relative_to(root)}: {match[0]}"
        for path in tracked
        for match in REGISTRY.finditer(_text(path))
        if not match[0].startswith(tuple(OFFICIAL)) or path.suffix != ".md"
    }
    assert found == set()


def test_no_compiled_translation_or_built_asset_is_tracked(tracked: list[Path]) -> None:
    wrong = [
        p.name
        for p in tracked
        if p.suffix in (".mo", ".pyc", ".sqlite3") or "node_modules" in p.parts
    ]
    assert wrong == []
