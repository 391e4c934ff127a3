"""The door of the kit for those who run services; those who write one import `declaration`.

`numbers` and `since` give readings as plain numbers over time, `with_doubts` also what is doubtful about some. `in_words` says standard names in the reader's language,
`series_in_words` those of series that are made of them, and `spellings` finds them in any.
"""

from stadtherz.kit.reactors import consumers
from stadtherz.kit.registry import installed_service_apps, service, services
from stadtherz.kit.retention import also_keep, personal_tables, sweep
from stadtherz.kit.series import Pair, numbers, since, with_doubts
from stadtherz.kit.vocabulary import in_words, series_in_words, spellings

__all__ = [
    "Pair",
    "also_keep",
    "consumers",
    "in_words",
    "installed_service_apps",
    "numbers",
    "personal_tables",
    "series_in_words",
    "service",
    "services",
    "since",
    "spellings",
    "sweep",
    "with_doubts",
]
