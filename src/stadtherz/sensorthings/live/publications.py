"""What arrives by MQTT to be created (18-088 §14.1, 23-019 simple create): the same as by POST.

Plain Observations go to the store as offers, which wait for no database; everything else, and whatever
is declined, takes the way of a POST and hears there what is the matter.
"""

from dataclasses import dataclass
from typing import Any

from stadtherz.base.errors import Forbidden, Invalid, Unauthenticated
from stadtherz.base.time import Micros
from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.base.visibility import Scope as TokenScope
from stadtherz.sensorthings.answers.addresses import within
from stadtherz.sensorthings.live.topics import Address, address
from stadtherz.sensorthings.writing import changes, posts
from stadtherz.store.public import Offer, with_key

_CREATE = "/create"
_SCOPE: dict[str, Any] = {
    "method": "POST",
    "query_string": b"",
    "headers": [(b"authorization", b"MQTT"), (b"prefer", b"return=minimal")],
}
"""What an HTTP request would say besides its body: who it is has been settled, and no answer is read."""


@dataclass(frozen=True, slots=True)
class Publication:
    """`key` recognises what is sent again."""

    topic: str
    body: bytes
    visibility: Visibility
    received: Micros
    key: str | None = None


def offered(publication: Publication, root: str) -> Offer | None:
    """The Observation as an offer for the store; None if it is something else, or not right."""
    where = _set(publication.topic, root)
    if where.urls.dataset:  # whether it is of this one the database knows
        return None
    post = posts.read(
        where.path,
        _SCOPE,
        publication.body,
        publication.visibility,
        where.urls,
        now=publication.received,
    )
    if post is None or publication.key is None:
        return None if post is None else post.offer
    return with_key(post.offer, publication.key)


def create(publication: Publication, root: str) -> None:
    """Create what was published, as a POST would. Asks the database.

    Raises what a POST raises.
    """
    where = _set(publication.topic, root)
    check_may_publish(publication.visibility)
    changes.change(
        "POST",
        where.path,
        _SCOPE,
        publication.body,
        within(publication.visibility, where.urls),
        where.urls,
        now=publication.received,
    )


def check_may_publish(visibility: Visibility) -> None:
    """Raise Unauthenticated or Forbidden for whom may change nothing."""
    if TokenScope.WRITE in visibility.scopes:
        return
    if visibility == ANONYMOUS:
        raise Unauthenticated("publishing needs a token as the password")
    raise Forbidden("this token may not write")


def _set(topic: str, root: str) -> Address:
    """The set that is published to; version 2.0 says so at the topic's end."""
    where = address(topic, root)
    if where.query:
        raise Invalid("topic", "takes no options for what is published")
    if not where.urls.face.odata:
        return where
    if not where.path.endswith(_CREATE):
        raise Invalid("topic", f"must end with {_CREATE}")
    return Address(where.urls, where.path.removesuffix(_CREATE))
