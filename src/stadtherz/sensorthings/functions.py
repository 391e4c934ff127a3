"""The functions a filter may call: those of `base.functions`, and four that the plan itself resolves."""

from stadtherz.base.expressions import Kind
from stadtherz.base.functions import FUNCTIONS, Signature

INTERVAL = "interval"
"""Makes a time of two; the plan computes it."""

SIGNATURES: dict[str, Signature] = {
    **FUNCTIONS,
    "substringof": Signature(Kind.BOOLEAN, (Kind.TEXT, Kind.TEXT)),  # `contains`, the part first
    "now": Signature(Kind.TIME, ()),
    "mindatetime": Signature(Kind.TIME, ()),
    "maxdatetime": Signature(Kind.TIME, ()),
}
