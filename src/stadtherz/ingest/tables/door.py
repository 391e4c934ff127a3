"""What others use of the tables: `ingest.public.tables`.

`take` keeps a file, `set_rules` says what it means, `start_check` and `start_import` let the worker do it (`start`,
`stop`, `wake`), or `claim` and `run` do it here and now. What people see is made by `columns`, `raw_lines`,
`first_rows`, `summary`, `lines` and `report_of` with `read_report` and `as_csv`.
"""

from stadtherz.ingest.tables.fitting import fitted, mapping_named, save_mapping
from stadtherz.ingest.tables.keeping import (
    blocks_of,
    digest_of,
    file_of,
    forget,
    report_of,
    sweep,
    take,
)
from stadtherz.ingest.tables.preview import first_rows, lines, number_text, raw_lines, summary
from stadtherz.ingest.tables.reading import column_names, sheets
from stadtherz.ingest.tables.reasons import BadTable
from stadtherz.ingest.tables.recognise import (
    DELIMITERS,
    ENCODINGS,
    MEZ,
    Column,
    columns,
    doubtful_decimals,
    label_and_unit,
    recognise_rules,
)
from stadtherz.ingest.tables.report import as_csv
from stadtherz.ingest.tables.report import read as read_report
from stadtherz.ingest.tables.rules import (
    Double,
    Form,
    Long,
    New,
    Rules,
    Target,
    TimeFormat,
    Times,
    form_of,
    rules_of,
    told,
)
from stadtherz.ingest.tables.targets import choices, in_units
from stadtherz.ingest.tables.understanding import series_in
from stadtherz.ingest.tables.watching import path_of
from stadtherz.ingest.tables.work import (
    claim,
    name_of_holder,
    run,
    set_rules,
    start_check,
    start_import,
    stop_work,
)
from stadtherz.ingest.tables.worker import start_tables as start
from stadtherz.ingest.tables.worker import stop_tables as stop
from stadtherz.ingest.tables.worker import wake_tables as wake

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "MEZ",
    "BadTable",
    "Column",
    "Double",
    "Form",
    "Long",
    "New",
    "Rules",
    "Target",
    "TimeFormat",
    "Times",
    "as_csv",
    "blocks_of",
    "choices",
    "claim",
    "column_names",
    "columns",
    "digest_of",
    "doubtful_decimals",
    "file_of",
    "first_rows",
    "fitted",
    "forget",
    "form_of",
    "in_units",
    "label_and_unit",
    "lines",
    "mapping_named",
    "name_of_holder",
    "number_text",
    "path_of",
    "raw_lines",
    "read_report",
    "recognise_rules",
    "report_of",
    "rules_of",
    "run",
    "save_mapping",
    "series_in",
    "set_rules",
    "sheets",
    "start",
    "start_check",
    "start_import",
    "stop",
    "stop_work",
    "summary",
    "sweep",
    "take",
    "told",
    "wake",
]
