"""The thread that seals when enough has gathered, and tidies up afterwards."""

import logging
import threading

from django.db import Error, close_old_connections, connections

from stadtherz.store.readings.view import View
from stadtherz.store.writing.seal import seal
from stadtherz.store.writing.tend import tend

log = logging.getLogger(__name__)

READINGS, ROWS = 131_072, 20_000
"""So many in the log are a reason to seal; a start reads at most a little more than that."""

_STREAMS = 64  # readings that a datastream should bring to a chunk, if there are very many
_MOST = 1_000_000
_PATIENCE = 60.0  # seconds before trying again what failed

_lock = threading.Lock()
_threads: list[threading.Thread] = []
_stopping = threading.Event()


def look(view: View) -> None:
    """Start sealing in the background if the view has enough to seal."""
    if is_due(view) and not _threads:
        start()


def is_due(view: View) -> bool:
    enough = min(max(READINGS, _STREAMS * len(view.next_sequence)), _MOST)
    return view.tail.size >= enough or view.rows >= ROWS


def start() -> None:
    """Seal once, in a thread of its own, unless one is at it."""
    with _lock:
        if not _threads:
            _stopping.clear()
            _threads.append(threading.Thread(target=_run, name="store-sealer", daemon=True))
            _threads[0].start()


def stop() -> None:
    """End after the step at hand."""
    _stopping.set()
    with _lock:
        running = list(_threads)
    for thread in running:
        thread.join()


def _run() -> None:
    try:
        close_old_connections()
        seal(until=_stopping.is_set)
        tend(until=_stopping.is_set)
    except Error as error:
        log.warning("Sealing failed and will be tried again: %s", error)
        _stopping.wait(_PATIENCE)
    except Exception:  # a worker: readings stay in the log, nothing is lost
        log.exception("Sealing failed")
        _stopping.wait(_PATIENCE)
    finally:
        connections.close_all()
        with _lock:
            _threads.clear()
