"""What arithmetic operators give for which kinds (OData 4.01 part 2 §5.1.1.2)."""

from stadtherz.base.expressions import Call, Column, Expression, Kind, Literal
from stadtherz.sensorthings.query.trees import Counted, kind_of

_N, _I, _D = Kind.NUMBER, Kind.TIME, Kind.DURATION
_NUMERIC = ("add", "sub", "mul", "div", "divby", "mod")
_GIVES: dict[tuple[Kind, str, Kind], Kind] = {
    **{(_N, operator, _N): _N for operator in _NUMERIC},
    (_I, "add", _D): _I,
    (_D, "add", _I): _I,
    (_I, "sub", _D): _I,
    (_I, "sub", _I): _D,
    (_D, "add", _D): _D,
    (_D, "sub", _D): _D,
    **{(_D, operator, _N): _D for operator in ("mul", "div", "divby")},
    (_N, "mul", _D): _D,
}
_GIVE_WHOLE = frozenset(
    {"length", "indexof", "year", "month", "day", "hour", "minute", "second", "whole_div"}
    | {"totaloffsetminutes", "offset"}
)
_KEEP_WHOLE = frozenset({"add", "sub", "mul", "mod", "neg"})


def calculated(operator: str, one: Expression, other: Expression) -> Call | None:
    """The operation; None if there is none for values of these kinds.

    Of whole numbers the quotient is whole, too, cut towards zero; `divby` tells the fraction.
    """
    gives = _GIVES.get((_numeric(one), operator, _numeric(other)))
    if gives is None:
        return None
    if operator == "mul" and kind_of(other) is _D:
        one, other = other, one
    name = operator.removesuffix("by")
    if gives is _N and operator == "div" and is_whole(one) and is_whole(other):
        name = "whole_div"
    return Call(name, (one, other), gives)


def is_whole(value: Expression) -> bool:
    """Whether it is a whole number by its type, as JSON's numbers and results are not."""
    match value:
        case Counted():
            return True
        case Column(name=name):
            return name.rpartition("/")[2] == "id"
        case Literal(value=held):
            return isinstance(held, int)
        case Call(name=name, arguments=arguments):
            return name in _GIVE_WHOLE or (
                name in _KEEP_WHOLE and all(is_whole(part) for part in arguments)
            )
    return False


def _numeric(value: Expression) -> Kind:
    """JSON and null take part as numbers; whether they are is known only at run time."""
    kind = kind_of(value)
    return _N if kind in (Kind.JSON, Kind.NULL) else kind
