"""How long things take, and tables to show it."""

import statistics
import time
from collections.abc import Callable, Sequence

import click


def seconds(work: Callable[[], object]) -> float:
    """How long one run takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def median_ms(work: Callable[[], object], runs: int) -> float:
    """The median of several runs in milliseconds, after one that warms up."""
    work()
    return 1000 * statistics.median(seconds(work) for _ in range(runs))


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    click.echo(f"\n### {title}\n")
    for line in (head, ["---"] * len(head), *rows):
        click.echo("| " + " | ".join(line) + " |")


def rate(number: float) -> str:
    return f"{number:,.0f}"


def ratio(number: float) -> str:
    return f"{number:.2f}"
