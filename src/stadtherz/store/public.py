"""The store's door. Everything else in `stadtherz.store` is private to it.

Readings: `append` (durable when it returns), `submit` (a future that resolves after the commit),
`select`, `count`, `by_id`, `latest`, `buckets`, `extents`, `correct`, `delete_readings`.
The log: `log_after`, `log_end`, `wait_for_log`, `cursor`, `move_cursor`.
Entities: `create`, `update`, `delete`, `register_stream`, `streams`.
"""

from stadtherz.store.entities import (
    create,
    delete,
    entity_changed,
    register_stream,
    streams,
    streams_visible_to,
    update,
)
from stadtherz.store.log import cursor, log_after, log_end, move_cursor, notify_log, wait_for_log
from stadtherz.store.rows import (
    buckets,
    by_id,
    correct,
    count,
    delete_readings,
    extents,
    latest,
    select,
)
from stadtherz.store.values import (
    NONE,
    READING_COLUMNS,
    Bucketing,
    Buckets,
    Columns,
    Entity,
    Extent,
    LogSlice,
    NewStream,
    Reading,
    Receipt,
    Result,
    Selection,
    StreamInfo,
)
from stadtherz.store.writer import append, start_writer, stop_writer, submit

__all__ = [
    "NONE",
    "READING_COLUMNS",
    "Bucketing",
    "Buckets",
    "Columns",
    "Entity",
    "Extent",
    "LogSlice",
    "NewStream",
    "Reading",
    "Receipt",
    "Result",
    "Selection",
    "StreamInfo",
    "append",
    "buckets",
    "by_id",
    "correct",
    "count",
    "create",
    "cursor",
    "delete",
    "delete_readings",
    "entity_changed",
    "extents",
    "latest",
    "log_after",
    "log_end",
    "move_cursor",
    "notify_log",
    "register_stream",
    "select",
    "start_writer",
    "stop_writer",
    "streams",
    "streams_visible_to",
    "submit",
    "update",
    "wait_for_log",
]
