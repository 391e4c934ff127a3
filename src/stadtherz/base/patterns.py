"""Patterns of whole texts, matched in a time that only grows with pattern times text.

Python's `re` can be kept busy for hours by a few characters such as `(a+)+b`; whoever may describe a
parameter must not be able to stop the server. So a pattern becomes an automaton whose states are all
followed at once (K. Thompson, Regular expression search algorithm, 1968). What it knows is what XML Schema
and `re` have in common: classes, groups, alternatives and quantifiers, but nothing that looks around or back.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

MAX_PATTERN = 500
MAX_TEXT = 1_000
MAX_STATES = 2_000

_Test = Callable[[str], bool]
_KINDS: dict[str, _Test] = {
    "d": str.isdecimal,
    "w": lambda char: char.isalnum() or char == "_",
    "s": str.isspace,
}
_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}
_MEANING = frozenset("\\^$.|?*+()[]{}")


@dataclass(frozen=True, slots=True)
class _One:
    """A single character."""

    test: _Test


@dataclass(frozen=True, slots=True)
class _Row:
    parts: tuple["_Node", ...]


@dataclass(frozen=True, slots=True)
class _Either:
    parts: tuple["_Node", ...]


@dataclass(frozen=True, slots=True)
class _Times:
    part: "_Node"
    low: int
    high: int | None


_Node = _One | _Row | _Either | _Times


@dataclass(slots=True)
class Pattern:
    """`matches` tells whether a whole text is such a one; a text beyond MAX_TEXT is not.

    >>> Pattern("#([A-F0-9]{6}|[A-F0-9]{3})").matches("#FF11A0")
    True

    Raises:
        ValueError: for what is no pattern, or one with more than it may have.
    """

    text: str
    _states: list[tuple[_Test | None, tuple[int, ...]]] = field(init=False, default_factory=list)
    _start: int = field(init=False)

    def __post_init__(self) -> None:
        if len(self.text) > MAX_PATTERN:
            raise ValueError(f"a pattern may have {MAX_PATTERN} characters")
        node = _Parser(self.text).whole()
        self._start = self._build(node, self._add(None))

    def matches(self, text: str) -> bool:
        if len(text) > MAX_TEXT:
            return False
        current = self._reached([self._start])
        for char in text:
            steps = (self._states[state] for state in current)
            current = self._reached(
                target for test, (*targets,) in steps if test and test(char) for target in targets
            )
            if not current:
                return False
        return 0 in current  # the first state that was made is the end

    def _reached(self, states: Iterable[int]) -> set[int]:
        """These states, and where one gets from them without a character."""
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state not in found:
                found.add(state)
                test, targets = self._states[state]
                waiting += targets if test is None else ()
        return found

    def _add(self, test: _Test | None, *targets: int) -> int:
        if len(self._states) >= MAX_STATES:
            raise ValueError("the pattern repeats too much")
        self._states.append((test, targets))
        return len(self._states) - 1

    def _build(self, node: _Node, then: int) -> int:
        """The state in which the node begins that goes on with `then`."""
        match node:
            case _One(test):
                return self._add(test, then)
            case _Row(parts):
                for part in reversed(parts):
                    then = self._build(part, then)
                return then
            case _Either(parts):
                return self._add(None, *[self._build(part, then) for part in parts])
            case _Times(part, low, high):
                begin = self._any_number(part, then) if high is None else then
                for _ in range((high or low) - low):
                    begin = self._add(None, self._build(part, begin), then)
                for _ in range(low):
                    begin = self._build(part, begin)
                return begin

    def _any_number(self, part: _Node, then: int) -> int:
        loop = self._add(None)
        self._states[loop] = (None, (self._build(part, loop), then))
        return loop


@dataclass(slots=True)
class _Parser:
    text: str
    at: int = 0

    def whole(self) -> _Node:
        found = self._either()
        if self.at < len(self.text):
            raise ValueError("a bracket is closed that was not opened")
        return found

    @property
    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self) -> str:
        char = self._next
        if not char:
            raise ValueError("the pattern ends early")
        self.at += 1
        return char

    def _took(self, text: str) -> bool:
        found = self.text.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def _either(self) -> _Node:
        parts = [self._row()]
        while self._took("|"):
            parts.append(self._row())
        return parts[0] if len(parts) == 1 else _Either(tuple(parts))

    def _row(self) -> _Node:
        """`^` and `$` at the edges say what holds anyway: the whole text is meant."""
        self._took("^")
        parts: list[_Node] = []
        while self._next not in ("", "|", ")"):
            if self._took("$"):
                if self._next not in ("", "|", ")"):
                    raise ValueError("$ belongs at the end")
                break
            parts.append(self._repeated(self._atom()))
        return _Row(tuple(parts))

    def _atom(self) -> _Node:
        char = self._take()
        if char == "(":
            self._took("?:")
            found = self._either()
            if not self._took(")"):
                raise ValueError("a bracket is not closed")
            return found
        if char == "[":
            return _One(self._class())
        if char == ".":
            return _One(lambda char: char not in "\r\n")
        if char == "\\":
            return _One(self._escaped())
        if char in _MEANING - {"]", "}"}:
            raise ValueError(f"{char} has nothing to stand for here")
        return _One(char.__eq__)

    def _repeated(self, atom: _Node) -> _Node:
        bounds = {"?": (0, 1), "*": (0, None), "+": (1, None)}.get(self._next)
        if bounds is not None:
            self.at += 1
        elif self._took("{"):
            bounds = self._bounds()
        if bounds is None:
            return atom
        self._took("?")  # how eager it is does not matter to a whole text
        return _Times(atom, *bounds)

    def _bounds(self) -> tuple[int, int | None]:
        inside, closed, _ = self.text[self.at :].partition("}")
        low, comma, high = inside.partition(",")
        digits = (
            low.isascii() and low.isdigit() and (not high or (high.isascii() and high.isdigit()))
        )
        if not (closed and digits) or len(inside) > 9:
            raise ValueError("braces hold one number or two")
        self.at += len(inside) + 1
        most = int(high) if high else None if comma else int(low)
        if most is not None and most < int(low):
            raise ValueError("braces hold the smaller number first")
        return int(low), most

    # --- characters ------------------------------------------------------------------------------

    def _escaped(self) -> _Test:
        char = self._take()
        if char.lower() in _KINDS:
            kind = _KINDS[char.lower()]
            return kind if char.islower() else lambda one: not kind(one)
        return self._literal(char).__eq__

    @staticmethod
    def _literal(char: str) -> str:
        if char.isalnum() and char not in _CONTROL:
            raise ValueError(f"\\{char} is not known")
        return _CONTROL.get(char, char)

    def _class(self) -> _Test:
        unlike = self._took("^")
        tests: list[_Test] = [self._member()]
        while not self._took("]"):
            tests.append(self._member())
        return lambda char: any(test(char) for test in tests) != unlike

    def _member(self) -> _Test:
        """One character of a class, a kind of them, or all from one to another."""
        if self._next == "\\" and self.text[self.at + 1 : self.at + 2].lower() in _KINDS:
            self.at += 1
            return self._escaped()
        low = self._plain()
        if self._next != "-" or self.text[self.at + 1 : self.at + 2] in ("", "]"):
            return low.__eq__
        self.at += 1
        high = self._plain()
        if high < low:
            raise ValueError(f"{low}-{high} is no range")
        return lambda char: low <= char <= high

    def _plain(self) -> str:
        char = self._take()
        if char == "[":
            raise ValueError("a class cannot hold another; write \\[")
        return self._literal(self._take()) if char == "\\" else char
