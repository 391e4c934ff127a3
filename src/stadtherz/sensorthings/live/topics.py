"""MQTT topics (18-088 §14) as addresses below a face: `v1.1/Datastreams(1)/Observations`.

Below a data set it is `datasets/rivers/v1.1/Datastreams(1)/Observations`.
"""

from dataclasses import dataclass

from stadtherz.base.errors import NotFound
from stadtherz.sensorthings.answers.addresses import DATASETS, prefix
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.standard.faces import FACES

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
    _, rest = _dataset(topic)
    return rest.partition("/")[0].partition("?")[0] in _FACES


def address(topic: str, root: str) -> Address:
    """What the topic leads to; `root` is the address of this server without a path."""
    dataset, below = _dataset(topic)
    version, _, rest = below.partition("/")
    face = _FACES.get(version)
    if face is None:
        raise NotFound(f"a topic outside {' and '.join(VERSIONS)}")
    path, _, query = rest.partition("?")
    return Address(Urls(root + prefix(dataset) + face.prefix, face, dataset), path, query)


def _dataset(topic: str) -> tuple[str, str]:
    """The data set that the topic names, and what follows."""
    first, _, rest = topic.partition("/")
    if first != DATASETS[1:]:
        return "", topic
    slug, _, below = rest.partition("/")
    return slug, below if slug else topic
