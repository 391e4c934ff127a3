"""Resource paths resolved against the entity model: which entity, set, property or reference."""

from dataclasses import dataclass

from stadtherz.base.errors import Invalid, NotFound
from stadtherz.sensorthings.language.grammar import way_of
from stadtherz.sensorthings.language.syntax import Resource, Segment
from stadtherz.sensorthings.query.filters import IDS
from stadtherz.sensorthings.standard.faces import V1_1, Face
from stadtherz.sensorthings.standard.model import one
from stadtherz.sensorthings.standard.schema import EntityType, Link, Property, target


@dataclass(frozen=True, slots=True)
class Step:
    """One set or entity on the way. `link` leads here from the step before; `key` picks one."""

    entity: EntityType
    link: Link | None
    key: int | None

    @property
    def single(self) -> bool:
        return self.key is not None or (self.link is not None and not self.link.many)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a path leads. `prop` and `inside` (a way into JSON) are set for property paths.

    `label` is the last step of such a path as it was written, such as `result[0]`.
    """

    steps: tuple[Step, ...]
    prop: Property | None = None
    inside: tuple[str, ...] = ()
    label: str = ""
    is_id: bool = False
    value: bool = False
    reference: bool = False
    count: bool = False

    @property
    def last(self) -> Step:
        return self.steps[-1]

    @property
    def to_property(self) -> bool:
        return self.prop is not None or self.is_id

    @property
    def whole(self) -> bool:
        """Whether it leads to an entity or a set itself, not to a part, a reference or a number."""
        return not (self.to_property or self.reference or self.count)


def resolve_route(resource: Resource, face: Face = V1_1) -> Route:
    """The route of a path with at least one segment, as the face names things.

    Raises:
        NotFound: for a name the model does not know in this place.
        Invalid: for `$value`, `$count` or `$ref` where it makes no sense.
    """
    steps, rest = _steps(resource.segments, face)
    suffix = resource.suffix
    route = Route(tuple(steps), reference=suffix == "$ref", count=suffix == "$count")
    if rest:
        route = _property_route(route.steps, rest, value=suffix == "$value")
        if suffix == "$ref":
            raise Invalid("path", "$ref belongs behind a set or an entity")
    elif suffix == "$value":
        raise Invalid("path", "$value belongs behind a property")
    if suffix == "$count" and (rest or route.last.single):
        raise Invalid("path", "$count belongs behind a set")
    return route


def _steps(segments: tuple[Segment, ...], face: Face) -> tuple[list[Step], tuple[Segment, ...]]:
    first = segments[0]
    entity = face.entity_set(first.name)
    if entity is None:
        raise NotFound(f"the entity set {first.name[:60]!r}")
    steps = [Step(entity, None, first.key)]
    for index, segment in enumerate(segments[1:], start=1):
        link = steps[-1].entity.link(segment.name)
        if link is None:
            return steps, segments[index:]
        if not steps[-1].single:
            raise NotFound(f"{segment.name!r} of a whole set (pick one entity by its id)")
        if segment.key is not None and not link.many:
            raise NotFound(f"{segment.name!r} by id (there is only one)")
        steps.append(Step(target(link), link, segment.key))
    return steps, ()


def _property_route(steps: tuple[Step, ...], rest: tuple[Segment, ...], *, value: bool) -> Route:
    label = rest[-1].name
    name, *within = [step for segment in rest for step in way_of(segment.name)]
    inside = tuple(within)
    last = steps[-1]
    found = last.entity.property(name)
    if not last.single or any(segment.key is not None for segment in rest):
        raise NotFound(f"{name[:60]!r} of {last.entity.plural}")
    if name in IDS and not inside:
        return Route(steps, is_id=True, value=value)
    if found is None:
        raise NotFound(f"{name[:60]!r} of {one(last.entity.name)}")
    if inside and not found.holds(inside):
        raise NotFound(f"anything inside {name!r}")
    return Route(steps, found, inside, label, value=value)
