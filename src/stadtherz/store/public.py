"""The store's door. Everything else in `stadtherz.store` is private to it.

Readings in: `append` (durable when it returns), `submit` (a future that resolves after the commit),
`append_columns` (many at once); `offer` and `submit_offers` for callers of whom it is not known yet
whether they may. Out: `select`, `count`, `scan`, `by_id`, `latest`, `extents`, `spans`,
`buckets`, `buckets_of`. Changed: `correct`, `correct_all`, `reading_at`, `delete_readings`, `delete_where`.
Care: `seal`, `tend`, `set_policy`, `policies`; the background does the first two by itself. `check`
finds and mends what is damaged, `stats` tells sizes.
The log: `log_after`, `log_end`, `wait_for_log`, `log_place`, `news_after`, `cursor`, `locked_cursor`,
`move_cursor`, `move_cursors_to_end`.
Entities: `create`, `update`, `delete`, `feature_for`, `features_for`, `entity_changed`; `register_stream`,
`streams`, `streams_visible_to`, `streams_observing`; `organisations`, `create_organisation`.
Transactions: `exclusive`, a fair one beside the writer on SQLite; `moving`, for those who read
readings and then correct or delete them; `recognising`, for those who look whether an `Identity` is known.

Inside a transaction of the caller every change, `append` included, belongs to that transaction.
"""

from stadtherz.store.aggregate import buckets, buckets_of
from stadtherz.store.care import Problem, check
from stadtherz.store.changes import correct, correct_all, delete_readings, delete_where, reading_at
from stadtherz.store.columns import together
from stadtherz.store.database import exclusive, moving
from stadtherz.store.entities import (
    create,
    delete,
    entity_changed,
    feature_for,
    features_for,
    recognising,
    update,
)
from stadtherz.store.export import as_arrow, as_csv, as_parquet
from stadtherz.store.identities import Identity
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
from stadtherz.store.measures import (
    POSTGRESQL_ROW,
    SQLITE_ROW,
    Sizes,
    StoreStats,
    StreamSizes,
    stats,
)
from stadtherz.store.news import LogPlace, News, log_place, news_after
from stadtherz.store.offers import Kept, Offer, offer
from stadtherz.store.policies import Policy, policies, set_policy
from stadtherz.store.reads import by_id, count, extents, latest, scan, select, spans
from stadtherz.store.recognised import known_by, with_key
from stadtherz.store.registration import (
    OrganisationInfo,
    create_organisation,
    organisations,
    register_stream,
    streams,
    streams_observing,
    streams_visible_to,
)
from stadtherz.store.seal import seal
from stadtherz.store.standpoint import standpoint
from stadtherz.store.tend import tend
from stadtherz.store.threads import Threads
from stadtherz.store.values import (
    NONE,
    READING_COLUMNS,
    Bucketing,
    Buckets,
    Columns,
    Entity,
    Extent,
    LogSlice,
    NewColumns,
    NewStream,
    Reading,
    Receipt,
    Receipts,
    Result,
    Selection,
    Spans,
    StreamInfo,
)
from stadtherz.store.writer import (
    append,
    append_columns,
    start_writer,
    stop_writer,
    submit,
    submit_offers,
)

__all__ = [
    "NONE",
    "POSTGRESQL_ROW",
    "READING_COLUMNS",
    "SQLITE_ROW",
    "Bucketing",
    "Buckets",
    "Columns",
    "Entity",
    "Extent",
    "Identity",
    "Kept",
    "LogPlace",
    "LogSlice",
    "NewColumns",
    "NewStream",
    "News",
    "Offer",
    "OrganisationInfo",
    "Policy",
    "Problem",
    "Reading",
    "Receipt",
    "Receipts",
    "Result",
    "Selection",
    "Sizes",
    "Spans",
    "StoreStats",
    "StreamInfo",
    "StreamSizes",
    "Threads",
    "append",
    "append_columns",
    "as_arrow",
    "as_csv",
    "as_parquet",
    "buckets",
    "buckets_of",
    "by_id",
    "check",
    "correct",
    "correct_all",
    "count",
    "create",
    "create_organisation",
    "cursor",
    "delete",
    "delete_readings",
    "delete_where",
    "entity_changed",
    "exclusive",
    "extents",
    "feature_for",
    "features_for",
    "known_by",
    "latest",
    "locked_cursor",
    "log_after",
    "log_end",
    "log_place",
    "move_cursor",
    "move_cursors_to_end",
    "moving",
    "news_after",
    "notify_log",
    "offer",
    "organisations",
    "policies",
    "reading_at",
    "recognising",
    "register_stream",
    "scan",
    "seal",
    "select",
    "set_policy",
    "spans",
    "standpoint",
    "start_writer",
    "stats",
    "stop_writer",
    "streams",
    "streams_observing",
    "streams_visible_to",
    "submit",
    "submit_offers",
    "tend",
    "together",
    "update",
    "wait_for_log",
    "with_key",
]
