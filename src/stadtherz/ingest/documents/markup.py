"""From XML to the same values that JSON would hold, for senders that know nothing else.

`<station id="7"><level unit="cm">5</level></station>` becomes
`{"station": {"id": "7", "level": {"unit": "cm", "value": "5"}}}`: attributes are fields, elements of one name beside
each other a list, and all values texts. Prefixes of namespaces are left out. A document that declares its own type
or entities is refused: no sender of measurements needs them, and they make a small text a huge one, or read files.
"""

from typing import Any
from xml.parsers import expat

from stadtherz.base.errors import Invalid

MOST_ELEMENTS = 20_000
_NOT_MEASURED = ("xmlns", "xsi")
TOO_MANY = f"is XML with more than {MOST_ELEMENTS} elements"
NO_DECLARATIONS = "is XML that declares its own type or entities, which is not taken"


class _Element:
    __slots__ = ("fields", "name", "repeated", "text")

    def __init__(self, name: str, fields: dict[str, Any]) -> None:
        self.name = name
        self.fields = fields
        self.text = ""
        self.repeated: tuple[str, ...] = ()

    def add(self, name: str, value: Any) -> None:
        """One more field; a second one of the name makes it a list."""
        if name in self.repeated:
            self.fields[name].append(value)
        elif name in self.fields:
            self.repeated += (name,)
            self.fields[name] = [self.fields[name], value]
        else:
            self.fields[name] = value

    def value(self) -> Any:
        text = self.text.strip()
        if not self.fields:
            return text
        if text:
            self.add("value", text)
        return self.fields


class _Reader:
    def __init__(self, deepest: int) -> None:
        self._deepest = deepest
        self._count = 0
        self._open = [_Element("", {})]
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._declared

    @property
    def found(self) -> dict[str, Any]:
        return self._open[0].fields

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise Invalid("document", TOO_MANY)
        if len(self._open) > self._deepest:
            raise Invalid("document", f"is nested more than {self._deepest} levels deep")
        told = {_local(key): text for key, text in attributes.items() if _is_told(key)}
        self._open.append(_Element(_local(name), told))

    def _end(self, _name: str) -> None:
        done = self._open.pop()
        self._open[-1].add(done.name, done.value())

    def _text(self, text: str) -> None:
        self._open[-1].text += text

    def _declared(self, *_told: Any) -> None:
        raise Invalid("document", NO_DECLARATIONS)


def parse(body: bytes, deepest: int) -> dict[str, Any]:
    """The document as an object with its root element as the only field; raises Invalid."""
    reader = _Reader(deepest)
    try:
        reader.parser.Parse(body, True)
    except expat.ExpatError as problem:
        told = f"line {problem.lineno} column {problem.offset + 1}"
        raise Invalid("document", f"is broken XML: {told}") from problem
    except (LookupError, ValueError) as problem:
        raise Invalid("document", "is XML in an encoding that nobody here knows") from problem
    return reader.found


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _is_told(attribute: str) -> bool:
    return attribute.partition(":")[0] not in _NOT_MEASURED
