"""Fonts come beside the style sheet, not after it."""

import json
from pathlib import Path

from stadtherz.web.manifest import fonts


def test_the_fonts_of_the_style_sheet_are_known(tmp_path: Path) -> None:
    built = {"design/main.css": {"file": "main.css", "assets": ["fira.woff2", "picture.svg"]}}
    (tmp_path / "manifest.json").write_text(json.dumps(built))
    assert fonts(tmp_path) == ("fira.woff2",)


def test_without_a_build_there_are_none(tmp_path: Path) -> None:
    assert fonts(tmp_path) == ()
