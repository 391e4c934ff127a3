"""A consumer with an effect in the database that is not repeatable by itself."""

from stadtherz.store.public import LogSlice, append
from stadtherz.stream.public import Consumer
from stadtherz.stream.tests.cast import reading


def copying(source: int, target: int) -> Consumer:
    def copy(piece: LogSlice) -> None:
        append([reading(target, number) for number in piece.columns.result])

    return Consumer("copying", copy, lambda: frozenset({source}))
