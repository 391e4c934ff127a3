"""Random query texts that fit the entity model."""

from dataclasses import dataclass
from random import Random

from stadtherz.sensorthings.standard.schema import EntityType, Shape, target

TEXTS = ("''", "'a'", "'b'", "'B'", "'ab'", "'10'", "'%'", "'_'", "'ä'")
NUMBERS = ("0", "1", "2", "2.5", "-3", "10")
TIMES = (
    "2026-01-01T00:00:00Z",
    "2026-01-01T01:00:00Z",
    "2026-01-01T02:30:00Z",
    "2025-12-30T00:00:00Z",
)
_LEADING_TO_READINGS = ("Observations", "Subject", "Object")
_MOMENTS = {Shape.TIME, Shape.PERIOD}
OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le")


@dataclass
class Queries:
    """`variable` stands before every path, as inside `any` and `all`."""

    random: Random
    variable: str = ""

    def query(self, kind: EntityType, depth: int = 2, separator: str = "&") -> str:
        options = []
        if self.random.random() < 0.7:
            options.append(f"$filter={self.filter(kind)}")
        if self.random.random() < 0.5:
            terms = [self.order(kind) for _ in range(self.random.randint(1, 2))]
            options.append(f"$orderby={','.join(terms)}")
        for name, most in (("$top", 3), ("$skip", 2)):
            if self.random.random() < 0.3:
                options.append(f"{name}={self.random.randint(0, most)}")
        if self.random.random() < 0.4:
            options.append("$count=true")
        if depth and self.random.random() < 0.6:
            links = self.random.sample(kind.links, self.random.randint(1, len(kind.links)))
            expands = [self.expand(kind, link.name, depth) for link in links]
            options.append(f"$expand={','.join(expands)}")
        return separator.join(options)

    def expand(self, kind: EntityType, name: str, depth: int) -> str:
        link = kind.link(name)
        assert link is not None
        inner = self.query(target(link), depth - 1, ";")
        return f"{name}({inner})" if inner else name

    def order(self, kind: EntityType) -> str:
        path, _ = self.path(kind, many=False, sortable=True)
        if self.random.random() < 0.1:
            path = self.number_behind(kind) or path
        return path + self.random.choice(["", " asc", " desc"])

    def filter(self, kind: EntityType) -> str:
        """On readings at most one condition looks through links to many, and never negated."""
        if kind.name != "Observation":
            return self.condition(kind, 2, many=True)
        own = self.condition(kind, 2, many=False)
        if self.random.random() < 0.3:
            other = self.atom(kind, many=True)
            if not self.variable and self.random.random() < 0.2:
                other = self.quantified(kind, 1)
            return f"{other} {self.random.choice(['and', 'or'])} ({own})"
        return own

    def condition(self, kind: EntityType, depth: int, *, many: bool) -> str:
        choice = self.random.random()
        if depth == 0 or choice < 0.4:
            return self.atom(kind, many=many)
        if choice < 0.48 and many and not self.variable:
            return self.quantified(kind, depth - 1)
        if choice < 0.6:
            return f"not ({self.condition(kind, depth - 1, many=many)})"
        left = self.condition(kind, depth - 1, many=many)
        right = self.condition(kind, depth - 1, many=many)
        return f"({left} {self.random.choice(['and', 'or'])} {right})"

    def quantified(self, kind: EntityType, depth: int) -> str:
        """`any` or `all` behind a link to many, on the way to which others may be passed."""
        way = ""
        while not any(link.many for link in kind.links) or self.random.random() < 0.2:
            link = self.random.choice([link for link in kind.links if not link.many] or kind.links)
            if link.many:
                break
            way, kind = f"{way}{link.name}/", target(link)
        link = self.random.choice([link for link in kind.links if link.many])
        behind = target(link)
        inner = Queries(self.random, "x/")
        condition = inner.condition(behind, depth, many=behind.name != "Observation")
        return self.random.choice(
            [
                f"{way}{link.name}/any(x: {condition})",
                f"{way}{link.name}/all(x: {condition})",
                f"{way}{link.name}/any()",
            ]
        )

    def number_behind(self, kind: EntityType) -> str | None:
        """How many a link leads to, over at most one link to one; None where that is not to be had."""
        way = ""
        ones = [link for link in kind.links if not link.many]
        if ones and self.random.random() < 0.5:
            link = self.random.choice(ones)
            way, kind = f"{link.name}/", target(link)
        counted = [link for link in kind.links if link.many]
        if not counted:
            return None
        return f"{self.variable}{way}{self.random.choice(counted).name}/$count"

    def atom(self, kind: EntityType, *, many: bool) -> str:
        if self.random.random() < 0.08 and (number := self.number_behind(kind)):
            return f"{number} {self.random.choice(OPERATORS)} {self.random.choice(NUMBERS)}"
        path, shape = self.path(kind, many=many)
        operator = self.random.choice(OPERATORS)
        if self.random.random() < 0.08:
            return f"{path} {self.random.choice(['eq', 'ne'])} null"
        if shape in (Shape.TIME, Shape.PERIOD):
            return self.random.choice(
                [f"{path} {operator} {self.random.choice(TIMES)}", f"hour({path}) {operator} 1"]
            )
        if shape is Shape.TEXT:
            return self.text_atom(path, operator)
        if path.endswith("id"):
            return f"{path} {operator} {self.random.choice(NUMBERS)}"
        return self.json_atom(path, operator)

    def comparison(self, kind: EntityType) -> str:
        """Of two values of the same shape, of which at most one is of readings behind other entities."""
        while True:
            (left, one), (right, other) = (self.path(kind, many=True) for _ in range(2))
            alike = one is other if one in (None, Shape.TEXT) else {one, other} <= _MOMENTS
            of_readings = sum(
                f"{name}/" in path for path in (left, right) for name in _LEADING_TO_READINGS
            )
            if alike and of_readings < (1 if kind.name == "Observation" else 2):
                condition = f"{left} {self.random.choice(OPERATORS)} {right}"
                return f"not ({condition})" if self.random.random() < 0.2 else condition

    def text_atom(self, path: str, operator: str) -> str:
        text = self.random.choice(TEXTS)
        return self.random.choice(
            [
                f"{path} {operator} {text}",
                f"startswith({path}, {text})",
                f"substringof({text}, {path})",
                f"length({path}) {operator} {self.random.choice(NUMBERS)}",
                f"concat(tolower({path}), 'b') {operator} {text}",
                f"indexof({path}, {text}) {operator} 0",
                f"{path} in ({text}, 'a')",
            ]
        )

    def json_atom(self, path: str, operator: str) -> str:
        number, text = self.random.choice(NUMBERS), self.random.choice(TEXTS)
        return self.random.choice(
            [
                f"{path} {operator} {number}",
                f"{path} {operator} {text}",
                f"{path} eq true",
                f"{path} {self.random.choice(['add', 'sub', 'mul', 'div', 'mod'])} {number} {operator} 1",
                f"-{path} {operator} {number}",
                f"round({path}) {operator} {number}",
                f"contains({path}, 'a')",
            ]
        )

    def path(
        self, kind: EntityType, *, many: bool, sortable: bool = False
    ) -> tuple[str, Shape | None]:
        """A way over up to two links to a property, and its shape; None for an id."""
        way = ""
        for _ in range(self.random.choice([0, 0, 1, 2])):
            links = [link for link in kind.links if many or not link.many]
            # Readings reached from elsewhere cannot look back through links to many.
            if way.endswith("Observations/"):
                links = [link for link in links if not link.many]
            if not links:
                break
            link = self.random.choice(links)
            way += f"{link.name}/"
            kind = target(link)
        properties = [p for p in kind.properties if p.shape is not Shape.GEOMETRY]
        if sortable or self.random.random() < 0.9:
            prop = self.random.choice(properties)
            inside = ""
            if prop.name in ("properties", "parameters"):
                inside = self.random.choice(["/n", "/deep/m"])
            if prop.name == "unitOfMeasurement":
                inside = "/name"
            return f"{self.variable}{way}{prop.name}{inside}", prop.shape
        return f"{self.variable}{way}id", None
