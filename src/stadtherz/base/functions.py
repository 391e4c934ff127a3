"""The functions of filters (18-088 tables 24 and 25): what each takes and what it gives.

One table for the ring that checks a filter's types and the ring that turns it into SQL.
"""

from dataclasses import dataclass

from stadtherz.base.expressions import Kind

_N, _T, _B = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN
_I, _D, _G = Kind.TIME, Kind.DURATION, Kind.GEOMETRY


GEOMETRIC = ("geo.", "st_")
"""How the names of functions of places begin."""

COALESCE = "coalesce"
"""Gives the first of its arguments, all of one kind, that is not null."""


@dataclass(frozen=True, slots=True)
class Signature:
    """`takes` in order; the last `optional` of them may be left out."""

    gives: Kind
    takes: tuple[Kind, ...]
    optional: int = 0

    def accepts(self, count: int) -> bool:
        return len(self.takes) - self.optional <= count <= len(self.takes)


FUNCTIONS: dict[str, Signature] = {
    "contains": Signature(_B, (_T, _T)),
    "startswith": Signature(_B, (_T, _T)),
    "endswith": Signature(_B, (_T, _T)),
    "length": Signature(_N, (_T,)),
    "indexof": Signature(_N, (_T, _T)),
    "substring": Signature(_T, (_T, _N, _N), optional=1),
    "tolower": Signature(_T, (_T,)),
    "toupper": Signature(_T, (_T,)),
    "trim": Signature(_T, (_T,)),
    "concat": Signature(_T, (_T, _T)),
    "year": Signature(_N, (_I,)),
    "month": Signature(_N, (_I,)),
    "day": Signature(_N, (_I,)),
    "hour": Signature(_N, (_I,)),
    "minute": Signature(_N, (_I,)),
    "second": Signature(_N, (_I,)),
    "fractionalseconds": Signature(_N, (_I,)),
    "date": Signature(_I, (_I,)),  # the midnight (UTC) before
    "time": Signature(_D, (_I,)),  # since that midnight
    "totaloffsetminutes": Signature(_N, (_I,)),
    "totalseconds": Signature(_N, (_D,)),
    "local": Signature(
        _I, (_I, _T)
    ),  # the time at which a clock in UTC shows what one of the zone shows
    "offset": Signature(_N, (_I, _T)),  # of the zone from UTC at that time, in minutes
    "round": Signature(_N, (_N,)),
    "floor": Signature(_N, (_N,)),
    "ceiling": Signature(_N, (_N,)),
    # What `cast` is made of; what cannot be cast is null.
    "number_text": Signature(_T, (_N,)),
    "boolean_text": Signature(_T, (_B,)),
    "time_text": Signature(_T, (_I,)),
    "text_number": Signature(_N, (_T,)),
    "text_boolean": Signature(_B, (_T,)),
    "text_time": Signature(_I, (_T,)),
    "text_date": Signature(_I, (_T,)),
    "whole": Signature(_N, (_N, _N, _N)),  # rounded, if it lies from the second to the third
    "single": Signature(_N, (_N,)),
    "whole_div": Signature(_N, (_N, _N)),  # the quotient cut towards zero
    # Whether a document is a list that has the value.
    "list_has_text": Signature(_B, (_G, _T)),
    "list_has_number": Signature(_B, (_G, _N)),
    # Whether it is a list with an item as told: by `sql.items` and, the same again, as an SQL/JSON path.
    "list_some": Signature(_B, (_G, _T, _T)),
    "geo.distance": Signature(_N, (_G, _G)),
    "geo.length": Signature(_N, (_G,)),
    "geo.intersects": Signature(_B, (_G, _G)),
    "st_equals": Signature(_B, (_G, _G)),
    "st_disjoint": Signature(_B, (_G, _G)),
    "st_touches": Signature(_B, (_G, _G)),
    "st_within": Signature(_B, (_G, _G)),
    "st_overlaps": Signature(_B, (_G, _G)),
    "st_crosses": Signature(_B, (_G, _G)),
    "st_intersects": Signature(_B, (_G, _G)),
    "st_contains": Signature(_B, (_G, _G)),
    "st_relate": Signature(_B, (_G, _G, _T)),
}
