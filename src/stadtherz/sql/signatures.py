"""What arithmetic operators take and give, the same on every engine.

A function `name` of `base.functions` is the engine's `sh_name`: on SQLite a Python function of
`functions.py`, on PostgreSQL one of `postgresql.py`. So both engines share one compiler and null in
gives null out.
"""

from stadtherz.base.expressions import Kind

_N, _I, _D = Kind.NUMBER, Kind.TIME, Kind.DURATION


def arithmetic(name: str, kinds: tuple[Kind, ...]) -> tuple[tuple[Kind, ...], Kind, str] | None:
    """What the operator takes and gives for operands of these kinds, and the function's name.

    JSON and null operands count as numbers unless the other operand is a time or a duration.
    """
    timely = next((k for k in kinds if k in (_I, _D)), None)
    if timely is None:
        return ((_N,) * len(kinds), _N, name) if all(k in _NUMERIC for k in kinds) else None
    return _TIMELY.get((name, kinds))


_NUMERIC = (_N, Kind.JSON, Kind.NULL)
_TIMELY: dict[tuple[str, tuple[Kind, ...]], tuple[tuple[Kind, ...], Kind, str]] = {
    ("add", (_I, _D)): ((_I, _D), _I, "time_add"),
    ("add", (_D, _I)): ((_D, _I), _I, "time_add"),
    ("add", (_D, _D)): ((_D, _D), _D, "duration_add"),
    ("sub", (_I, _D)): ((_I, _D), _I, "time_sub"),
    ("sub", (_I, _I)): ((_I, _I), _D, "duration_sub"),
    ("sub", (_D, _D)): ((_D, _D), _D, "duration_sub"),
    **{("mul", (_D, k)): ((_D, _N), _D, "duration_mul") for k in _NUMERIC},
    **{("div", (_D, k)): ((_D, _N), _D, "duration_div") for k in _NUMERIC},
    ("neg", (_D,)): ((_D,), _D, "neg"),
}
