"""The figures count what they say they count."""

from pathlib import Path

import pytest

from tools import figures

SOURCE = '''"""A module."""


def short(a: int, b) -> int:
    """One line.

    And more.
    """
    # a remark
    return a + b  # type: ignore[no-any-return]


def branchy(value):
    if value:
        for each in value:
            while each:
                pass
    elif value is None:
        try:
            pass
        except ValueError:
            pass

    def inner():
        import late

        if value:
            return 1
'''


@pytest.fixture
def measured(tmp_path: Path) -> figures.FileFigures:
    (tmp_path / "module.py").write_text(SOURCE, encoding="utf-8")
    return figures.measure(tmp_path / "module.py")


def function(measured: figures.FileFigures, name: str) -> figures.FunctionFigures:
    (found,) = [each for each in measured.functions if each.name == name]
    return found


def test_a_docstring_does_not_lengthen_a_function(measured: figures.FileFigures) -> None:
    assert function(measured, "short").lines == 3


def test_types_are_counted_for_parameters_and_results(measured: figures.FileFigures) -> None:
    short, branchy = function(measured, "short"), function(measured, "branchy")
    assert (short.typed, short.places) == (2, 3)
    assert (branchy.typed, branchy.places) == (0, 2)


def test_an_inner_function_counts_its_branches_by_itself(measured: figures.FileFigures) -> None:
    assert function(measured, "branchy").branches == 6
    assert function(measured, "inner").branches == 2


def test_comments_are_no_code_and_suppressions_are_seen(measured: figures.FileFigures) -> None:
    assert measured.suppressions == 1
    assert measured.code == sum(
        bool(line.strip()) and not line.strip().startswith("#") for line in SOURCE.splitlines()
    )


def test_an_import_inside_functions_is_counted_once(measured: figures.FileFigures) -> None:
    assert measured.late_imports == 1


def test_a_suppression_named_in_a_text_is_none(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text('MARK = "# noqa"\n', encoding="utf-8")
    assert figures.measure(tmp_path / "module.py").suppressions == 0


def test_only_the_hard_limits_are_sentences(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def many(a):\n" + "    if a:\n        pass\n" * 300, encoding="utf-8")
    sentences = figures.broken_limits([figures.measure(path)])
    assert len(sentences) == 2
    assert "601 lines; split it" in sentences[0]
    assert "many has 301 branches; divide it" in sentences[1]


def test_the_table_names_every_figure_with_its_mirror() -> None:
    rows = figures.table([], [])
    text = figures.render(rows)
    assert all(row.what in text and row.mirror in text for row in rows)
    assert len({len(line) for line in text.splitlines()}) == 1


def test_the_product_stays_within_the_hard_limits() -> None:
    product = [figures.measure(path) for path in figures.product_files(figures.ROOT)]
    assert figures.broken_limits(product) == []
