"""Prints the code figures of docs/style (a mirror, not a whip) as a table.

    python tools/figures.py

Fails only at the hard limits: a file of more than 600 lines, a function with more than 10 branches.
Migrations count nowhere; tests count as tests. Functions are measured without their docstring.
"""

import ast
import io
import statistics
import sys
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LIMIT = 600
BRANCH_LIMIT = 10
_LONG = 50
_SUPPRESSIONS = ("# noqa", "# type: ignore", "# pragma: no cover")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class FunctionFigures:
    name: str
    lines: int
    branches: int
    typed: int
    places: int  # parameters and return values that could carry a type


@dataclass(frozen=True, slots=True)
class FileFigures:
    """One source file. `code` counts lines that are neither blank nor comment."""

    path: Path
    lines: int
    code: int
    suppressions: int
    late_imports: int  # inside functions: a ring that cannot be seen, or a start made quicker
    functions: tuple[FunctionFigures, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what, how much here, what good trees have."""

    what: str
    here: str
    mirror: str


def measure(path: Path) -> FileFigures:
    """The figures of one Python file."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    comments = [token.string for token in _tokens(text) if token.type == tokenize.COMMENT]
    return FileFigures(
        path=path,
        lines=len(text.splitlines()),
        code=_code_lines(text),
        suppressions=sum(mark in comment for comment in comments for mark in _SUPPRESSIONS),
        late_imports=sum(
            isinstance(inner, ast.Import | ast.ImportFrom)
            for inner in {each for node in functions for each in ast.walk(node)}
        ),
        functions=tuple(_measure_function(node) for node in functions),
    )


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)


def _code_lines(text: str) -> int:
    stripped = (line.strip() for line in text.splitlines())
    return sum(bool(line) and not line.startswith("#") for line in stripped)


def _measure_function(node: Function) -> FunctionFigures:
    arguments = node.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    parameters += [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
    named = [each for each in parameters if each.arg not in ("self", "cls")]
    typed = sum(each.annotation is not None for each in named) + (node.returns is not None)
    return FunctionFigures(node.name, _length(node), _branches(node), typed, len(named) + 1)


def _length(node: Function) -> int:
    """Lines from `def` to the last one, without the docstring."""
    end = node.end_lineno or node.lineno
    docstring = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
    spoken = (
        docstring.end_lineno - docstring.lineno + 1 if docstring and docstring.end_lineno else 0
    )
    return end - node.lineno + 1 - spoken


def _branches(node: Function) -> int:
    """Cyclomatic complexity as ruff's C901 counts it; inner functions count by themselves."""
    total = 1
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        each = waiting.pop()
        if isinstance(each, Function | ast.Lambda | ast.ClassDef):
            continue
        total += isinstance(
            each, ast.If | ast.For | ast.AsyncFor | ast.While | ast.ExceptHandler | ast.match_case
        )
        waiting.extend(ast.iter_child_nodes(each))
    return total


def product_files(root: Path) -> list[Path]:
    return [path for path in _sources(root / "src") if not _is_test(path)]


def test_files(root: Path) -> list[Path]:
    return [path for path in (*_sources(root / "src"), *_sources(root / "tests")) if _is_test(path)]


def _sources(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.py")) if "migrations" not in path.parts)


def _is_test(path: Path) -> bool:
    return "tests" in path.parts


def table(product: Sequence[FileFigures], tests: Sequence[FileFigures]) -> list[Row]:
    """The figures beside what good trees have."""
    functions = [each for file in product for each in file.functions]
    lengths = [each.lines for each in functions]
    branches = [each.branches for each in functions]
    files = [file.lines for file in product]
    code, test_code = sum(file.code for file in product), sum(file.code for file in tests)
    test_lengths = [
        each.lines for file in tests for each in file.functions if each.name.startswith("test_")
    ]
    typed = _share(sum(f.typed for f in functions), sum(f.places for f in functions))
    suppressed = 1000 * sum(file.suppressions for file in product) / max(code, 1)
    return [
        Row("files, lines of code", f"{len(files)}, {code}", ""),
        Row("function, median", _number(_median(lengths)), "5-8 lines"),
        Row("function, 90th percentile", _number(_p90(lengths)), "22-35 lines"),
        Row(
            "functions over 50 lines",
            _share(sum(n > _LONG for n in lengths), len(lengths)),
            "<= 3 %",
        ),
        Row("file, median", _number(_median(files)), "about 100 lines"),
        Row("file, 90th percentile", _number(_p90(files)), "<= 300 lines"),
        Row("file, longest", _number(max(files, default=0)), f"<= {FILE_LIMIT}, hard"),
        Row("branches, 90th percentile", _number(_p90(branches)), "<= 6"),
        Row("branches, most", _number(max(branches, default=0)), f"<= {BRANCH_LIMIT}, hard"),
        Row("typed", typed, "100 %"),
        Row("test code to product code", f"{test_code / max(code, 1):.2f}", "1.3-2.5"),
        Row("test, median", _number(_median(test_lengths)), "8-12 lines"),
        Row("suppressions per 1,000 lines", f"{suppressed:.1f}", "< 1"),
        Row("imports inside functions", _number(sum(f.late_imports for f in product)), "few"),
    ]


def _median(values: Sequence[int]) -> float:
    return statistics.median(values) if values else 0


def _p90(values: Sequence[int]) -> float:
    ordered = sorted(values)
    return ordered[(len(ordered) * 9) // 10] if ordered else 0


def _number(value: float) -> str:
    return f"{value:g}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def broken_limits(product: Iterable[FileFigures]) -> list[str]:
    """Every hard limit that is broken, as a sentence that says where."""
    found = []
    for file in product:
        if file.lines > FILE_LIMIT:
            found.append(f"{file.path}: {file.lines} lines; split it (limit {FILE_LIMIT})")
        found += [
            f"{file.path}: {each.name} has {each.branches} branches; divide it (limit {BRANCH_LIMIT})"
            for each in file.functions
            if each.branches > BRANCH_LIMIT
        ]
    return found


def render(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table with straight columns."""
    cells = [("figure", "here", "good trees"), *((row.what, row.here, row.mirror) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    lines = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def main() -> int:
    product = [measure(path) for path in product_files(ROOT)]
    tests = [measure(path) for path in test_files(ROOT)]
    print(render(table(product, tests)))
    broken = broken_limits(product)
    for sentence in broken:
        print(sentence, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
