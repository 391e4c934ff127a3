"""The door of `codecs`.

`submit(Job(...))` decodes a payload with a maker's JavaScript in a worker process; the future gives
`Decoded` or `Failed` and never raises. `stop` ends the workers.
"""

from stadtherz.codecs.limits import LARGEST_TEXT
from stadtherz.codecs.outcomes import PASSING, Decoded, Failed, Fault, Outcome
from stadtherz.codecs.pool import stop, submit
from stadtherz.codecs.process import Job

__all__ = [
    "LARGEST_TEXT",
    "PASSING",
    "Decoded",
    "Failed",
    "Fault",
    "Job",
    "Outcome",
    "stop",
    "submit",
]
