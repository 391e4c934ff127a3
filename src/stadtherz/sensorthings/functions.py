"""The functions of filters (18-088 tables 24 and 25): what they take and what they give."""

from dataclasses import dataclass

from stadtherz.base.expressions import Kind

_N, _T, _B, _G, _I = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN, Kind.GEOMETRY, Kind.TIME


@dataclass(frozen=True, slots=True)
class Signature:
    """`optional` counts the arguments at the end that may be missing."""

    arguments: tuple[Kind, ...]
    result: Kind
    optional: int = 0

    def accepts(self, count: int) -> bool:
        return len(self.arguments) - self.optional <= count <= len(self.arguments)


SIGNATURES: dict[str, Signature] = {
    # text
    "substringof": Signature((_T, _T), _B),  # the part first: the plan turns it into contains
    "contains": Signature((_T, _T), _B),
    "endswith": Signature((_T, _T), _B),
    "startswith": Signature((_T, _T), _B),
    "length": Signature((_T,), _N),
    "indexof": Signature((_T, _T), _N),
    "substring": Signature((_T, _N, _N), _T, optional=1),
    "tolower": Signature((_T,), _T),
    "toupper": Signature((_T,), _T),
    "trim": Signature((_T,), _T),
    "concat": Signature((_T, _T), _T),
    # time
    "year": Signature((_I,), _N),
    "month": Signature((_I,), _N),
    "day": Signature((_I,), _N),
    "hour": Signature((_I,), _N),
    "minute": Signature((_I,), _N),
    "second": Signature((_I,), _N),
    "fractionalseconds": Signature((_I,), _N),
    "totaloffsetminutes": Signature((_I,), _N),
    "date": Signature((_I,), _I),
    "time": Signature((_I,), Kind.DURATION),
    "now": Signature((), _I),
    "mindatetime": Signature((), _I),
    "maxdatetime": Signature((), _I),
    # numbers
    "round": Signature((_N,), _N),
    "floor": Signature((_N,), _N),
    "ceiling": Signature((_N,), _N),
    # places
    "geo.distance": Signature((_G, _G), _N),
    "geo.length": Signature((_G,), _N),
    "geo.intersects": Signature((_G, _G), _B),
    "st_equals": Signature((_G, _G), _B),
    "st_disjoint": Signature((_G, _G), _B),
    "st_touches": Signature((_G, _G), _B),
    "st_within": Signature((_G, _G), _B),
    "st_overlaps": Signature((_G, _G), _B),
    "st_crosses": Signature((_G, _G), _B),
    "st_intersects": Signature((_G, _G), _B),
    "st_contains": Signature((_G, _G), _B),
    "st_relate": Signature((_G, _G, _T), _B),
}
