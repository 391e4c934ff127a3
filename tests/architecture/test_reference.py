"""The reference says what the code says."""

import ast
from pathlib import Path

import click
import pytest
from django.utils import translation

from stadtherz.cli.main import main as verbs
from stadtherz.kit.declaration import Service
from tools import reference


@pytest.mark.django_db
def test_writing_the_reference_again_changes_nothing() -> None:
    with translation.override("en"):
        late = reference.outdated()
    assert late == [], "run: python tools/reference.py"


@pytest.mark.django_db
def test_an_edited_page_is_noticed_and_written_again(tmp_path: Path) -> None:
    with translation.override("en"):
        reference.write(tmp_path)
        (tmp_path / "cli.md").write_text("edited by hand", encoding="utf-8")
        assert reference.outdated(tmp_path) == ["cli.md"]
        reference.write(tmp_path)
        assert reference.outdated(tmp_path) == []


def test_every_setting_is_described_and_every_described_setting_is_read() -> None:
    described = reference.described_settings()
    read = reference.settings_read()
    assert set(read) - set(described) == set(), "add it to the docstring of project/settings.py"
    assert set(described) - set(read) == set()


def test_every_verb_has_its_heading() -> None:
    page = reference.cli_page()
    for path, _command in reference.commands(verbs, "stadtherz"):
        assert f"\n## `{path}`\n" in page


def test_every_verb_and_option_explains_itself() -> None:
    for path, command in reference.commands(verbs, "stadtherz"):
        assert command.help, path
        options = [each for each in command.params if isinstance(each, click.Option)]
        unexplained = [option.name for option in options if not option.help]
        assert unexplained == [], path


@pytest.mark.django_db
def test_every_declaration_field_has_its_heading() -> None:
    page = reference.services_page()
    for field in Service.__dataclass_fields__:
        assert f"\n#### `Service.{field}`\n" in page


def test_a_setting_is_found_with_its_default() -> None:
    tree = ast.parse('PORT = os.environ.get("STADTHERZ_PORT", "8000")')
    assert ("STADTHERZ_PORT", "8000") in list(reference._settings_in(tree))
