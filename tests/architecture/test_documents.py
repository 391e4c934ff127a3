"""What the documents point at exists."""

import re

from tests.architecture.conftest import ROOT

# A path of the tree in the text: a folder of the product, then more.
_PATH = re.compile(
    r"`((?:src|docs|tests|tools|bench|frontend|deploy|changes|base|sql|store|stream|sensorthings|ingest|identity|geo"
    r"|kit|alerts|web|services|project|demo|cli)/[\w./-]*)`"
)
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "src").rglob("guide.md"),
]


def test_links_between_documents_lead_somewhere() -> None:
    lost = {
        f"{path.relative_to(ROOT)}: {target}"
        for path in DOCUMENTS
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    }
    assert lost == set()


def test_every_path_that_is_named_exists() -> None:
    lost = {
        f"{path.relative_to(ROOT)}: {named}"
        for path in DOCUMENTS
        for named in _PATH.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / named).exists() and not (ROOT / "src" / "stadtherz" / named).exists()
    }
    assert lost == set()
