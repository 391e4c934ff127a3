"""What runs beside the requests: the store's writer, reactors, deliveries and jobs."""

import gc
import logging
import sys

from stadtherz.alerts.public import (
    rules_consumer,
    start_clock,
    start_delivery,
    stop_clock,
    stop_delivery,
)
from stadtherz.ingest.public import (
    moving_consumer,
    start_connections,
    start_pulling,
    start_servers,
    start_tasks,
    stop_connections,
    stop_pulling,
    stop_servers,
    stop_tasks,
    tables,
)
from stadtherz.ingest.public import stop as stop_ingest
from stadtherz.kit.public import consumers
from stadtherz.project.scheduler import Scheduler, daily_and_service_jobs
from stadtherz.store.public import start_writer, stop_writer
from stadtherz.stream.public import register, start_dispatcher, stop_dispatcher

logger = logging.getLogger(__name__)
_TURN_S = 0.001
"""How long a thread that computes keeps the others waiting; Python's own 5 ms add up, since a commit gives its
turn away a dozen times."""
_scheduler = Scheduler(daily_and_service_jobs)


def start() -> None:
    """Start every background part, what others depend on first."""
    sys.setswitchinterval(_TURN_S)
    start_writer()
    for consumer in (*consumers(), rules_consumer(), moving_consumer()):
        register(consumer)
    start_dispatcher()
    start_delivery()
    start_clock()
    start_connections()
    start_tasks()
    start_servers()
    tables.start()
    _scheduler.start()
    start_pulling()
    keep_what_is_loaded()
    logger.info("background parts started")


def keep_what_is_loaded() -> None:
    """Let the collector of garbage pass over all modules and settings, which stay to the end.

    They are some hundred thousand objects: a question that makes many had to wait for them to be
    looked at, for longer than it took itself.
    """
    gc.collect()
    gc.freeze()


def stop() -> None:
    """Stop in reverse order; whatever was acknowledged is on disk by then."""
    stop_servers()
    stop_tasks()
    stop_connections()
    stop_ingest()
    stop_pulling()
    _scheduler.stop()
    tables.stop()
    stop_clock()
    stop_delivery()
    stop_dispatcher()
    stop_writer()
    logger.info("background parts stopped")
