"""The faces of the store: each version of the standard with its names, addresses and habits.

Parser, planner, reader and renderer ask a face where versions differ, and are the same otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stadtherz.sensorthings.standard.schema import MODELS, EntityType


@dataclass(frozen=True, slots=True)
class Face:
    """One version of the standard.

    `control` stands before the names of control information; `id` and `address` are what an entity's
    key and address are called. `reference` is an example of how clients name an entity that exists,
    `by_address` tells that they may do so by its address alone.

    `odata`: answers say in a context what they are and follow OData 4.01 in what version 1.1 does its
    own way (a property by itself, a link that leads nowhere, errors).
    """

    version: str
    prefix: str
    control: str
    id: str
    address: str
    reference: str = '{"@iot.id": 1}'
    by_address: bool = False
    odata: bool = False

    @property
    def types(self) -> Mapping[str, EntityType]:
        return MODELS[self.version]

    def entity_set(self, name: str) -> EntityType | None:
        """The type whose set has this name."""
        return next((e for e in self.types.values() if e.plural == name), None)

    def navigation_link(self, link: str) -> str:
        """What the address of a link is called."""
        return f"{link}@{self.control}navigationLink"


V1_1 = Face("1.1", "/sta/v1.1", control="iot.", id="@iot.id", address="@iot.selfLink")
V2_0 = Face(
    "2.0",
    "/sta/v2.0",
    control="",
    id="id",
    address="@id",
    reference='{"@id": "Things(1)"}',
    by_address=True,
    odata=True,
)
FACES = (V1_1, V2_0)


def face_at(path: str) -> Face | None:
    """The face whose address the path begins with."""
    for face in FACES:
        if path == face.prefix or path.startswith(f"{face.prefix}/"):
            return face
    return None
