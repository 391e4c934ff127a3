"""MQTT topics (18-088 §14) as addresses below a face: `v1.1/Datastreams(1)/Observations`."""

from dataclasses import dataclass

from stadtherz.base.errors import NotFound
from stadtherz.sensorthings.faces import FACES
from stadtherz.sensorthings.links import Urls

_FACES = {face.prefix.rpartition("/")[2]: face for face in FACES}
VERSIONS = tuple(_FACES)
"""What topics begin with."""


@dataclass(frozen=True, slots=True)
class Address:
    """`path` below the service root, and the query as it stands behind the question mark."""

    urls: Urls
    path: str
    query: str = ""


def is_topic(topic: str) -> bool:
    """Whether the topic is one of SensorThings, whatever it leads to."""
    return topic.partition("/")[0].partition("?")[0] in _FACES


def address(topic: str, root: str) -> Address:
    """What the topic leads to; `root` is the address of this server without a path."""
    version, _, rest = topic.partition("/")
    face = _FACES.get(version)
    if face is None:
        raise NotFound(f"a topic outside {' and '.join(VERSIONS)}")
    path, _, query = rest.partition("?")
    return Address(Urls(root + face.prefix, face), path, query)
