"""The store's door. Everything else in `stadtherz.store` is private to it.

Readings: `append` (durable when it returns), `submit` (a future that resolves after the commit),
`select`, `count`, `by_id`, `latest`, `buckets`, `extents`, `correct`, `reading_at`,
`delete_readings`.
The log: `log_after`, `log_end`, `wait_for_log`, `cursor`, `locked_cursor`, `move_cursor`,
`move_cursors_to_end`.
Entities: `create`, `update`, `delete`, `feature_for`, `features_for`, `entity_changed`; `register_stream`,
`streams`, `streams_visible_to`, `streams_observing`; `organisations`, `create_organisation`.
Transactions: `exclusive`, a fair one beside the writer on SQLite.

Inside a transaction of the caller every change, `append` included, belongs to that transaction.
"""

from stadtherz.store.database import exclusive
from stadtherz.store.entities import (
    create,
    delete,
    entity_changed,
    feature_for,
    features_for,
    update,
)
from stadtherz.store.log import (
    cursor,
    locked_cursor,
    log_after,
    log_end,
    move_cursor,
    move_cursors_to_end,
    notify_log,
    wait_for_log,
)
from stadtherz.store.registration import (
    OrganisationInfo,
    create_organisation,
    organisations,
    register_stream,
    streams,
    streams_observing,
    streams_visible_to,
)
from stadtherz.store.rows import (
    buckets,
    by_id,
    correct,
    count,
    delete_readings,
    extents,
    latest,
    reading_at,
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
    "OrganisationInfo",
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
    "create_organisation",
    "cursor",
    "delete",
    "delete_readings",
    "entity_changed",
    "exclusive",
    "extents",
    "feature_for",
    "features_for",
    "latest",
    "locked_cursor",
    "log_after",
    "log_end",
    "move_cursor",
    "move_cursors_to_end",
    "notify_log",
    "organisations",
    "reading_at",
    "register_stream",
    "select",
    "start_writer",
    "stop_writer",
    "streams",
    "streams_observing",
    "streams_visible_to",
    "submit",
    "update",
    "wait_for_log",
]
