"""Template tags and the manifest of built assets."""

import json
from pathlib import Path

import pytest
from django.template import Context, Template

from stadtherz.kit.declaration import Severity
from stadtherz.web import manifest
from stadtherz.web.templatetags import sh
from stadtherz.web.tests.web_cast import NOON


def drawn(text: str, **context: object) -> str:
    return Template("{% load sh %}" + text).render(Context(context))


@pytest.mark.parametrize("state", list(Severity))
def test_a_badge_has_icon_and_word(state: Severity) -> None:
    badge = drawn("{% sh_badge state 'Vorwarnung' %}", state=state)
    assert f"sh-badge--{state}" in badge
    assert "<svg" in badge
    assert "Vorwarnung" in badge


def test_an_unknown_icon_becomes_the_general_one() -> None:
    assert sh.icon("no-such-icon") == sh.icon("place")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a b", ""])
def test_an_icons_name_is_no_path(name: str) -> None:
    assert sh.icon(name) == sh.icon("place")


def test_icons_are_hidden_from_screen_readers() -> None:
    assert 'aria-hidden="true"' in sh.icon("water")


def test_times_are_readable_by_machines() -> None:
    assert 'datetime="2026-11-25T11:00:00Z"' in drawn("{% sh_age at %}{% sh_when at %}", at=NOON)


def test_ids_are_joined_for_an_attribute() -> None:
    assert drawn("{{ ids|sh_ids }}", ids={30, 4}) == "4,30"


def test_the_manifest_leads_to_the_hashed_file(tmp_path: Path) -> None:
    entry = {"file": "main.0123456789ab.css", "isEntry": True}
    chunk = {"file": "sh-map.0123456789ab.js", "isDynamicEntry": True}
    told = {"design/main.css": entry, "components/sh-map.ts": chunk}
    (tmp_path / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    assert manifest.entries(tmp_path) == {"main.css": "main.0123456789ab.css"}


def test_without_a_build_the_plain_name_is_asked_for(tmp_path: Path) -> None:
    assert manifest.entries(tmp_path) == {}
