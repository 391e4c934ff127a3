"""The order of the packages, and the doors between them."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from tests.architecture.conftest import Module

FORBIDDEN_NAMES = {"core", "common", "util", "utils", "helper", "helpers", "misc", "shared"}


@pytest.fixture
def loggers_as_they_were() -> Iterator[None]:
    """The linter sets up logging for itself, and switches off every logger that it does not know."""
    loggers = list(logging.root.manager.loggerDict.values())
    heard = [each for each in loggers if isinstance(each, logging.Logger) and not each.disabled]
    yield
    for logger in heard:
        logger.disabled = False


@pytest.mark.usefixtures("loggers_as_they_were")
def test_every_contract_of_the_import_linter_holds(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    status = lint_imports(config_filename=str(root / ".importlinter"), no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_every_ring_has_a_door_contract(root: Path) -> None:
    contracts = (root / ".importlinter").read_text(encoding="utf-8")
    for door in sorted((root / "src" / "stadtherz").glob("*/public.py")):
        assert f"protected_modules = stadtherz.{door.parent.name}.*" in contracts


def test_a_door_offers_everything_it_lists(modules: list[Module]) -> None:
    for door in (module for module in modules if module.path.name == "public.py"):
        listed = _listed(door.tree)
        assert listed, f"{door.path} has no __all__"
        assert listed <= _offered(door.tree), door.path


def _listed(tree: ast.Module) -> set[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def _offered(tree: ast.Module) -> set[str]:
    """Our own names that come in from the package's modules, and those defined in the door."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stadtherz"):
            names |= {alias.asname or alias.name for alias in node.names}
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            names.add(ast.unparse(target))
    return {name for name in names if not name.startswith("_")}


def test_no_module_is_named_for_having_no_subject(modules: list[Module]) -> None:
    named = [m.path for m in modules if FORBIDDEN_NAMES & {m.path.stem, m.path.parent.name}]
    assert named == []


def test_imports_are_absolute_and_name_what_they_take(modules: list[Module]) -> None:
    wrong = [
        module.at(node)
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and (node.level or node.names[0].name == "*")
    ]
    assert wrong == []


def test_every_module_says_why_it_exists(modules: list[Module]) -> None:
    silent = [m.path.name for m in modules if m.tree.body and not ast.get_docstring(m.tree)]
    assert silent == []
