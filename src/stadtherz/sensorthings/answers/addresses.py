"""Under which addresses the faces are reached: their own, and those below each data set.

/sta/v1.1/Things                      everything that the caller may see
/datasets/rivers/sta/v1.1/Things      of this what belongs to the data set `rivers`
"""

import re

from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.standard.faces import face_at
from stadtherz.store import public as store

DATASETS = "/datasets"
_BELOW = re.compile(rf"{DATASETS}/([^/]+)(?=/)")


def asked(path: str, host: str) -> tuple[Urls, str] | None:
    """The face that a path of this host leads to, and the path below its root."""
    below = _BELOW.match(path)
    slug, rest = ("", path) if below is None else (below[1], path[below.end() :])
    face = face_at(rest)
    if face is None:
        return None
    return Urls(f"{host}{prefix(slug)}{face.prefix}", face, slug), rest.removeprefix(face.prefix)


def prefix(slug: str) -> str:
    """What stands before the path of a face, below a data set."""
    return f"{DATASETS}/{slug}" if slug else ""


def within(visibility: Visibility, urls: Urls) -> Visibility:
    """What the caller sees at these addresses. Asks the database where they are of a data set.

    Raises NotFound if there is no such data set that the caller may read.
    """
    return store.within(visibility, urls.dataset) if urls.dataset else visibility
