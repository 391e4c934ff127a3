"""By what others know an entity: a name or number of theirs that stands in one of its properties."""

import json
from dataclasses import dataclass
from typing import Any

from stadtherz.base.errors import Invalid

LONGEST = 200
"""Characters of a value, and of the path to it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`path` begins with a field of the entity and may lead into a document.

    A datastream is known within its Thing.
    """

    path: tuple[str, ...]
    value: str | int | float
    thing: int | None = None

    @classmethod
    def of(cls, path: tuple[str, ...], value: Any, thing: int | None = None) -> "Identity":
        """Raises Invalid for a value by which nothing can be known."""
        name = "/".join(path)
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
            raise Invalid(name, "must be a text or a number, since entities are known by it")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if len(str(value)) > LONGEST or len(name) > LONGEST:
            raise Invalid(name, f"must not be longer than {LONGEST} characters")
        return cls(path, value, thing)

    @classmethod
    def read(cls, text: str) -> "Identity":
        thing, path, value = json.loads(text)
        return cls(tuple(path.split("/")), value, thing)

    @property
    def text(self) -> str:
        """As it is kept; what is known by the same path begins alike."""
        return f"{self.beginning}{json.dumps(self.value, ensure_ascii=False)}]"

    @property
    def beginning(self) -> str:
        return json.dumps([self.thing, "/".join(self.path)], ensure_ascii=False)[:-1] + ", "

    def fits(self, instance: Any) -> bool:
        """Whether the entity still has it."""
        if self.thing is not None and instance.thing_id != self.thing:
            return False
        held = getattr(instance, self.path[0])
        for name in self.path[1:]:
            held = held.get(name) if isinstance(held, dict) else None
        return not isinstance(held, bool) and held == self.value
