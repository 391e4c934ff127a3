"""What a question takes for granted until the database has said so, in the message in which it is asked anyway.

Only for questions: whoever changes something would have done it before he learns that he may not.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from stadtherz.sql.public import Sql
from stadtherz.store.database import Met, on_sqlite, postgresql, rows_of


class Otherwise(Exception):
    """What was supposed is not so any more: the question has to be asked again, without supposing."""


_here = threading.local()


@contextmanager
def supposing() -> Iterator[None]:
    """In here what is required is looked at with the next statement of this thread, or else at the end.

    On SQLite, which is asked without a message, it is looked at at once.
    """
    if on_sqlite() or supposes():
        yield
        return
    connection = postgresql()
    _here.supposes = True
    try:
        yield
        connection.settle()
    finally:
        _here.supposes = False
        connection.forget_required()


def supposes() -> bool:
    return getattr(_here, "supposes", False)


def require(statement: Sql, met: Met) -> None:
    """Have `met` look at what a statement that is asked often gives; it raises what is the matter.

    Nothing that is asked of the database from here on is answered before.
    """
    if not supposes():
        met(rows_of(statement, often=True))
        return
    whole = statement.whole
    postgresql().require(whole.text, whole.parameters, met)
