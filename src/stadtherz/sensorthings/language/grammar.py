"""Filter and order text to a tree: a precedence parser (OData 4.0 part 2 §5.1.1.9).

Binding, strongest first: unary minus; mul div divby mod; add sub; gt ge lt le in; eq ne; not; and; or.
"""

from typing import Literal as OneOf
from typing import cast

from stadtherz.base.errors import QuerySyntaxError
from stadtherz.sensorthings.language.syntax import (
    Constant,
    ConstantKind,
    Function,
    Membership,
    Name,
    Node,
    Operation,
    Operator,
    OrderTerm,
    Quantified,
    Unary,
)
from stadtherz.sensorthings.language.tokens import END, Token, split_outside, tokenize, unquote_text

MAX_LENGTH = 8_000
MAX_DEPTH = 40
MAX_NODES = 200
MAX_HEIGHT = 12  # SQLite's own parser gives up at about 16 divisions inside one another
MAX_ORDER_TERMS = 10

_BINDING: dict[str, int] = {
    "or": 1, "and": 2, "eq": 4, "ne": 4, "gt": 5, "ge": 5, "lt": 5, "le": 5, "in": 5,
    "add": 6, "sub": 6, "mul": 7, "div": 7, "divby": 7, "mod": 7,
}  # fmt: skip
_NOT = 3
_NEG = 8
_PREFIXES: dict[str, ConstantKind] = {
    "geography": "geometry",
    "geometry": "geometry",
    "duration": "duration",
    "datetimeoffset": "time",
    "datetime": "time",
    "date": "date",
    "timeofday": "text",  # what `time()` gives is compared with a text such as '12:30:00'
    "time": "text",
}
_WORDS: dict[str, ConstantKind] = {"true": "boolean", "false": "boolean", "null": "null"}
QUANTIFIERS = frozenset({"any", "all"})
_LITERALS = frozenset({"number", "text", "time", "date", "period", "prefixed", "clock"})


def parse_filter(text: str, *, option: str = "$filter", offset: int = 0) -> Node:
    """The tree of a filter.

    Raises:
        QuerySyntaxError: with the position, also when the text is too long, too deep or has too
            many terms.

    >>> parse_filter("result gt 5").operator
    'gt'
    """
    if len(text) > MAX_LENGTH:
        raise QuerySyntaxError(option, f"longer than {MAX_LENGTH} characters", offset + MAX_LENGTH)
    return _Parser(option, list(tokenize(option, text, offset))).whole()


def parse_orderby(text: str, *, option: str = "$orderby", offset: int = 0) -> tuple[OrderTerm, ...]:
    """The sorting terms: expressions, each with an optional `asc` or `desc`."""
    parts = split_outside(option, text, ",", offset)
    if len(parts) > MAX_ORDER_TERMS:
        raise QuerySyntaxError(option, f"more than {MAX_ORDER_TERMS} terms", parts[-1][1])
    return tuple(_order_term(option, part, position) for part, position in parts)


def _order_term(option: str, text: str, offset: int) -> OrderTerm:
    stripped = text.rstrip()
    head, _, direction = stripped.rpartition(" ")
    direction = direction.lower()  # OData 4.01 part 2 §5.1.1; a stock client shouts
    if direction not in ("asc", "desc") or not head:
        head, direction = stripped, "asc"
    return OrderTerm(parse_filter(head, option=option, offset=offset), direction == "desc")


class _Parser:
    """Walks over the tokens once."""

    def __init__(self, option: str, tokens: list[Token]) -> None:
        self.option = option
        self.tokens = tokens
        self.index = 0
        self.nodes = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def take(self) -> Token:
        token = self.token
        self.index += 1
        return token

    def fail(self, reason: str, token: Token | None = None) -> QuerySyntaxError:
        return QuerySyntaxError(self.option, reason, (token or self.token).position)

    def expect(self, kind: str, what: str) -> None:
        if self.token.kind != kind:
            raise self.fail(f"{what} is missing")
        self.index += 1

    def whole(self) -> Node:
        node = self.expression(0, 0)
        if self.token.kind != END:
            raise self.fail(f"{self.token.text!r} is not expected here")
        self.check_height(node, 1)
        return node

    def check_height(self, node: Node, height: int) -> None:
        """Refuse what is computed in too many steps, each from the one before."""
        if height > MAX_HEIGHT:
            reason = f"more than {MAX_HEIGHT} operations inside one another"
            raise QuerySyntaxError(self.option, reason, node.position)
        for part in parts_of(node):
            self.check_height(part, height + 1)

    def expression(self, binding: int, depth: int) -> Node:
        """What binds at least as strongly as `binding`."""
        if depth > MAX_DEPTH:
            raise self.fail(f"nested more than {MAX_DEPTH} levels deep")
        left = self.operand(depth)
        while (own := self._binding_here()) > binding:
            left = self._operation(left, own, depth)
        return left

    def _binding_here(self) -> int:
        return _BINDING.get(self.token.text, 0) if self.token.kind == "name" else 0

    def _operation(self, left: Node, binding: int, depth: int) -> Node:
        token = self.take()
        self.grow(token)
        if token.text == "in":
            return Membership(left, self._members(depth), token.position)
        right = self.expression(binding, depth + 1)
        return Operation(cast(Operator, token.text), left, right, token.position)

    def _members(self, depth: int) -> tuple[Node, ...] | Name:
        held = self.token
        if held.kind == "name" and held.text not in _BINDING and held.text not in _WORDS:
            self.grow(self.take())
            return Name(way_of(held.text), held.position)
        return self.arguments(depth, "a list in parentheses")

    def grow(self, token: Token) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.fail(f"more than {MAX_NODES} terms", token)

    def operand(self, depth: int) -> Node:
        token = self.take()
        self.grow(token)
        if token.kind == "open":
            return self._group(depth)
        if token.kind == "minus":
            return self._unary("neg", _NEG, token, depth)
        if token.kind == "name":
            return self._named(token, depth)
        if token.kind in _LITERALS:
            return _constant(token)
        if token.kind == END:
            raise self.fail("the text ends where a value is expected", token)
        raise self.fail(f"{token.text!r} stands where a value is expected", token)

    def _group(self, depth: int) -> Node:
        node = self.expression(0, depth + 1)
        self.expect("close", "')'")
        return node

    def _unary(self, operator: OneOf["not", "neg"], binding: int, token: Token, depth: int) -> Node:
        return Unary(operator, self.expression(binding, depth + 1), token.position)

    def _named(self, token: Token, depth: int) -> Node:
        if token.text == "not":
            return self._unary("not", _NOT, token, depth)
        if self.token.kind == "open":
            return self._called(token, depth)
        if token.text in _WORDS:
            return Constant(_WORDS[token.text], token.text, token.position)
        if token.text in _BINDING:
            raise self.fail(f"{token.text!r} stands where a value is expected", token)
        return Name(way_of(token.text), token.position)

    def _called(self, token: Token, depth: int) -> Node:
        *path, name = way_of(token.text)
        if path and name in QUANTIFIERS:
            return self._quantified(token, tuple(path), depth)
        arguments = self.arguments(depth, "'('")
        return Function(token.text.lower(), arguments, token.position)

    def _quantified(self, token: Token, path: tuple[str, ...], depth: int) -> Node:
        quantifier: OneOf["any", "all"] = "any" if token.text.endswith("/any") else "all"
        self.expect("open", "'('")
        variable, condition = "", None
        if self.token.kind != "close" or quantifier == "all":
            variable = self._variable()
            condition = self.expression(0, depth + 1)
        self.expect("close", "')'")
        return Quantified(quantifier, path, variable, condition, token.position)

    def _variable(self) -> str:
        """The variable before a colon, which may have been taken for part of a name: `d:d/name`."""
        token = self.take()
        name, colon, rest = token.text.partition(":")
        if token.kind != "name" or not name.isidentifier():
            raise self.fail(
                "a variable and a colon are missing, as in any(d: d/name eq 'x')", token
            )
        if not colon:
            self.expect("colon", "':'")
        elif rest:
            behind = token.position + len(name) + 1
            self.tokens[self.index : self.index] = list(tokenize(self.option, rest, behind))[:-1]
        return name

    def arguments(self, depth: int, what: str) -> tuple[Node, ...]:
        self.expect("open", what)
        found: list[Node] = []
        if self.token.kind != "close":
            found.append(self.expression(0, depth + 1))
            while self.token.kind == "comma":
                self.index += 1
                found.append(self.expression(0, depth + 1))
        self.expect("close", "')'")
        return tuple(found)


def way_of(text: str) -> tuple[str, ...]:
    """The steps of a path; an index is one, too.

    >>> way_of("result[0]/value")
    ('result', '0', 'value')
    """
    return tuple(text.replace("[", "/").replace("]", "").split("/"))


def parts_of(node: Node) -> list[Node]:
    """What a node is made of; a chain `a and b and c` has three parts, however it was grouped."""
    match node:
        case Operation(operator="and" | "or"):
            return flattened(node)
        case Operation(left=left, right=right):
            return [left, right]
        case Unary(operand=operand):
            return [operand]
        case Function(arguments=arguments):
            return list(arguments)
        case Membership(value=value, members=members):
            return [value, members] if isinstance(members, Name) else [value, *members]
        case Quantified(condition=condition) if condition is not None:
            return [condition]
        case _:
            return []


def flattened(node: Operation) -> list[Node]:
    """The parts of a chain of the same operator, from left to right."""
    parts: list[Node] = []
    queue: list[Node] = [node]
    while queue:
        part = queue.pop()
        if isinstance(part, Operation) and part.operator == node.operator:
            queue += [part.right, part.left]
        else:
            parts.append(part)
    return parts


def _constant(token: Token) -> Constant:
    if token.kind == "prefixed":
        kind = _PREFIXES[token.text[: token.text.index("'")].lower()]
        return Constant(kind, unquote_text(token.text), token.position)
    text = unquote_text(token.text) if token.kind == "text" else token.text
    kind = cast(ConstantKind, "text" if token.kind == "clock" else token.kind)
    return Constant(kind, text, token.position)
