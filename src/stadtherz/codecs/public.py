"""The door of `codecs`.

`submit(Job(...))` decodes a payload with a maker's JavaScript in a worker process, `submit_all` several; a future
gives `Decoded` or `Failed` and never raises; `stop` ends the workers. `parse_bytemap` and `decode_cayenne`
need none.
"""

from stadtherz.codecs.bytemap import BadMap, ByteMap
from stadtherz.codecs.bytemap import parse as parse_bytemap
from stadtherz.codecs.cayenne import decode as decode_cayenne
from stadtherz.codecs.cayenne import unit_of as cayenne_unit
from stadtherz.codecs.limits import LARGEST_TEXT
from stadtherz.codecs.outcomes import PASSING, Decoded, Failed, Fault, Outcome
from stadtherz.codecs.pool import stop, submit, submit_all
from stadtherz.codecs.process import Job

__all__ = [
    "LARGEST_TEXT",
    "PASSING",
    "BadMap",
    "ByteMap",
    "Decoded",
    "Failed",
    "Fault",
    "Job",
    "Outcome",
    "cayenne_unit",
    "decode_cayenne",
    "parse_bytemap",
    "stop",
    "submit",
    "submit_all",
]
