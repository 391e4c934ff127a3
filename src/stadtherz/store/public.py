"""The store's door. Everything else in `stadtherz.store` is private to it.

Readings in: `append` (durable when it returns), `submit` (a future that resolves after the commit; `submit_at_once` never waits),
`append_columns` (many at once); `offer` and `submit_offers` for callers of whom it is not known yet
whether they may. Out: `select`, `count`, `counts_by_feature`, `scan`, `by_id`, `latest`, `extents`, `spans`,
`buckets`, `buckets_of`, `buckets_of_parts` (with `number_with_parts`). Changed: `correct`, `correct_all`, `reading_at`, `delete_readings`, `delete_where`; the signal `readings_corrected` tells.
Care: `seal`, `tend`, `set_policy`, `policies`; the background does the first two by itself. `check`
finds and mends what is damaged, `stats` tells sizes.
The log: `log_after`, `log_end`, `wait_for_log`, `log_place`, `news_after`, `cursor`, `locked_cursor`,
`move_cursor`, `move_cursors_to_end`.
Entities: `create`, `update`, `delete`, `feature_for`, `features_for`, `stood`, `stand`, `entity_changed`; `task`, `tasks_since`; `register_stream`,
`streams`, `streams_visible_to`, `streams_observing`, `streams_by_property`, `streams_of`; `organisations`, `create_organisation`.
Data sets: `datasets`, `dataset`, `lists_of`, `create_dataset`, `update_dataset`, `delete_dataset`, `adopt`;
`Dataset` is what staff edit; `within` and `with_shares` give a `Visibility`; `readable` and `held_in` say in SQL who sees what.
Transactions: `exclusive`, a fair one beside the writer on SQLite; `moving`, for those who read
readings and then correct or delete them; `recognising`, for those who look whether an `Identity` is known.
`on_sqlite` says whether transactions commit one after the other.
`PreparedQuery` and `PreparedUpdate` are statements of Django's that are put together once.

Inside a transaction of the caller every change, `append` included, belongs to that transaction.
"""

from stadtherz.store.arrivals.log import (
    cursor,
    locked_cursor,
    log_after,
    log_end,
    move_cursor,
    move_cursors_to_end,
    notify_log,
    wait_for_log,
)
from stadtherz.store.arrivals.news import LogPlace, News, log_place, news_after
from stadtherz.store.arrivals.offers import Kept, Offer, offer
from stadtherz.store.arrivals.recognised import known_by, with_key
from stadtherz.store.care.check import Problem, check
from stadtherz.store.care.measures import (
    POSTGRESQL_ROW,
    SQLITE_ROW,
    Sizes,
    StoreStats,
    StreamSizes,
    stats,
)
from stadtherz.store.database import commit_lazily, exclusive, moving, on_sqlite, planned
from stadtherz.store.entities.changing import (
    create,
    delete,
    entity_changed,
    feature_for,
    features_for,
    recognising,
    update,
)
from stadtherz.store.entities.datasets import (
    DatasetInfo,
    adopt,
    create_dataset,
    dataset,
    datasets,
    delete_dataset,
    lists_of,
    sharing_changed,
    update_dataset,
    with_shares,
    within,
)
from stadtherz.store.entities.registration import (
    OrganisationInfo,
    create_organisation,
    organisations,
    register_stream,
    streams,
    streams_by_property,
    streams_observing,
)
from stadtherz.store.entities.tasking import (
    CapabilityInfo,
    TaskInfo,
    task,
    tasking_capability,
    tasks_since,
)
from stadtherz.store.entities.whereabouts import Stand, stand, stood
from stadtherz.store.identities import Identity
from stadtherz.store.models import Dataset
from stadtherz.store.patience import patience
from stadtherz.store.prepared import PreparedQuery, PreparedUpdate
from stadtherz.store.readings.aggregate import buckets, buckets_of
from stadtherz.store.readings.export import as_arrow, as_csv, as_parquet
from stadtherz.store.readings.grouped import streams_of
from stadtherz.store.readings.part_buckets import Part, buckets_of_parts, number_with_parts
from stadtherz.store.readings.reads import (
    by_id,
    count,
    counts_by_feature,
    extents,
    latest,
    scan,
    select,
    spans,
)
from stadtherz.store.readings.sharing import held_in, may_add_readings, readable, streams_visible_to
from stadtherz.store.sealed.columns import together
from stadtherz.store.standpoint import standpoint
from stadtherz.store.supposing import Otherwise, require, supposing
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
    Members,
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
from stadtherz.store.writing.aside import put_rows, renew_rows
from stadtherz.store.writing.changes import (
    correct,
    correct_all,
    delete_readings,
    delete_where,
    reading_at,
    readings_corrected,
)
from stadtherz.store.writing.policies import Policy, policies, set_policy
from stadtherz.store.writing.seal import seal
from stadtherz.store.writing.tend import tend
from stadtherz.store.writing.writer import (
    append,
    append_columns,
    start_writer,
    stop_writer,
    submit,
    submit_at_once,
    submit_offers,
)

__all__ = [
    "NONE",
    "POSTGRESQL_ROW",
    "READING_COLUMNS",
    "SQLITE_ROW",
    "Bucketing",
    "Buckets",
    "CapabilityInfo",
    "Columns",
    "Dataset",
    "DatasetInfo",
    "Entity",
    "Extent",
    "Identity",
    "Kept",
    "LogPlace",
    "LogSlice",
    "Members",
    "NewColumns",
    "NewStream",
    "News",
    "Offer",
    "OrganisationInfo",
    "Otherwise",
    "Part",
    "Policy",
    "PreparedQuery",
    "PreparedUpdate",
    "Problem",
    "Reading",
    "Receipt",
    "Receipts",
    "Result",
    "Selection",
    "Sizes",
    "Spans",
    "Stand",
    "StoreStats",
    "StreamInfo",
    "StreamSizes",
    "TaskInfo",
    "Threads",
    "adopt",
    "append",
    "append_columns",
    "as_arrow",
    "as_csv",
    "as_parquet",
    "buckets",
    "buckets_of",
    "buckets_of_parts",
    "by_id",
    "check",
    "commit_lazily",
    "correct",
    "correct_all",
    "count",
    "counts_by_feature",
    "create",
    "create_dataset",
    "create_organisation",
    "cursor",
    "dataset",
    "datasets",
    "delete",
    "delete_dataset",
    "delete_readings",
    "delete_where",
    "entity_changed",
    "exclusive",
    "extents",
    "feature_for",
    "features_for",
    "held_in",
    "known_by",
    "latest",
    "lists_of",
    "locked_cursor",
    "log_after",
    "log_end",
    "log_place",
    "may_add_readings",
    "move_cursor",
    "move_cursors_to_end",
    "moving",
    "news_after",
    "notify_log",
    "number_with_parts",
    "offer",
    "on_sqlite",
    "organisations",
    "patience",
    "planned",
    "policies",
    "put_rows",
    "readable",
    "reading_at",
    "readings_corrected",
    "recognising",
    "register_stream",
    "renew_rows",
    "require",
    "scan",
    "seal",
    "select",
    "set_policy",
    "sharing_changed",
    "spans",
    "stand",
    "standpoint",
    "start_writer",
    "stats",
    "stood",
    "stop_writer",
    "streams",
    "streams_by_property",
    "streams_observing",
    "streams_of",
    "streams_visible_to",
    "submit",
    "submit_at_once",
    "submit_offers",
    "supposing",
    "task",
    "tasking_capability",
    "tasks_since",
    "tend",
    "together",
    "update",
    "update_dataset",
    "wait_for_log",
    "with_key",
    "with_shares",
    "within",
]
