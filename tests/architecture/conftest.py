"""What the architecture tests look at: every source file with its syntax tree."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the product; `package` is the ring it belongs to."""

    path: Path
    package: str
    tree: ast.Module

    def at(self, node: ast.stmt | ast.expr) -> str:
        return f"{self.path.relative_to(ROOT)}:{node.lineno}"


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """Every product module: no tests, no migrations."""
    source = ROOT / "src" / "stadtherz"
    return [
        Module(path, path.relative_to(source).parts[0], ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(source.rglob("*.py"))
        if not {"tests", "migrations"} & set(path.parts)
    ]
