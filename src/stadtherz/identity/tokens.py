"""Keys for machines: made once, kept as a digest, checked in constant time.

A token reads `sh_<prefix>_<secret>`. The prefix finds the row through an index; the secret has 256
random bits, so a plain SHA-256 is enough and no slow password hash is paid on every request.
"""

import hmac
import re
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_delete, post_save

from stadtherz.base.errors import Invalid, Unauthenticated
from stadtherz.base.time import now
from stadtherz.base.visibility import Scope
from stadtherz.identity.models import ApiToken

_SHAPE = re.compile(r"sh_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)
_WRONG = "Unknown, expired or revoked token"
_TRIES_A_MINUTE = 30
_COARSE = timedelta(
    hours=1
)  # how exactly `last_used` is kept: a write per request would be too dear


_FRESH_S = 1.0  # how late a token that another process has revoked may still be believed


class _Believed:
    """Tokens that were found valid a moment ago, by the digest of their text.

    Whatever changes tokens in this process empties it at once, and again after the commit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.generation = 0
        self._tokens: dict[str, tuple[float, ApiToken]] = {}

    def get(self, digest: str) -> ApiToken | None:
        until, token = self._tokens.get(digest, (0.0, None))
        return token if time.monotonic() < until and token and _in_force(token) else None

    def add(self, digest: str, token: ApiToken, generation: int) -> None:
        """Believe the token for a moment, unless anything has changed since `generation`."""
        with self._lock:
            if generation != self.generation:
                return
            if len(self._tokens) >= _MOST_BELIEVED:
                self._tokens.clear()
            self._tokens[digest] = (time.monotonic() + _FRESH_S, token)

    def clear(self) -> None:
        with self._lock:
            self.generation += 1
            self._tokens.clear()


_MOST_BELIEVED = 10_000
_believed = _Believed()


def _forget(**_signal: Any) -> None:
    _believed.clear()
    transaction.on_commit(_believed.clear)


for _signal in (post_save, post_delete):
    _signal.connect(_forget, sender=ApiToken, dispatch_uid=f"identity-tokens-{id(_signal)}")


def issue_token(
    name: str,
    organisation: int,
    scopes: Collection[str],
    *,
    network: str = "",
    device: int | None = None,
    expires: datetime | None = None,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[ApiToken, str]:
    """A new token and its text, which exists nowhere else and is never shown again.

    One for a `device` of the organisation delivers its measurements and can do nothing else.
    """
    if device is not None and set(scopes) != {Scope.INGEST}:
        raise Invalid("device", "a token of one device has the scope ingest and no other")
    prefix = randomness(6).hex()
    text = f"sh_{prefix}_{_text(randomness(32))}"
    token = ApiToken.objects.create(
        name=name,
        organisation_id=organisation,
        prefix=prefix,
        digest=_digest(text),
        scopes=sorted(_checked(scopes)),
        network=network,
        device_id=device,
        expires=expires,
    )
    return token, text


def find_token(text: str, *, client: str = "") -> ApiToken:
    """The valid token with this text, else Unauthenticated; `client` is whose tries are counted."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise Unauthenticated(_WRONG)
    digest, generation = _digest(text), _believed.generation
    token = _believed.get(digest)
    if token is None:
        token = _look_up(shape[1], digest, client)
        _believed.add(digest, token, generation)
    _note_use(token)
    return token


def believed_token(text: str) -> ApiToken | None:
    """The token with this text, if it was found valid a moment ago; asks no database."""
    token = _believed.get(_digest(text))
    return None if token is None or _is_stale(token) else token


def _look_up(prefix: str, digest: str, client: str) -> ApiToken:
    _refuse_after_many_tries(client, prefix)
    token = ApiToken.objects.filter(prefix=prefix).first()
    known = hmac.compare_digest(token.digest if token else "", digest)
    if token is None or not known or not _in_force(token):
        _count_bad_try(client, prefix)
        raise Unauthenticated(_WRONG)
    return token


def revoke(token: ApiToken) -> None:
    token.revoked = token.revoked or now()
    token.save(update_fields=["revoked"])


def _in_force(token: ApiToken) -> bool:
    return token.revoked is None and (token.expires is None or token.expires > now())


def _note_use(token: ApiToken) -> None:
    if _is_stale(token):
        stale = Q(last_used=None) | Q(last_used__lt=now() - _COARSE)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used=now())
        token.last_used = now()


def _is_stale(token: ApiToken) -> bool:
    """Whether its use has not been noted for a while."""
    return token.last_used is None or token.last_used < now() - _COARSE


def _checked(scopes: Collection[str]) -> set[str]:
    known = {scope.value for scope in Scope}
    if unknown := set(scopes) - known:
        raise Invalid(
            "scopes", f"{', '.join(sorted(unknown))} is none of {', '.join(sorted(known))}"
        )
    if not scopes:
        raise Invalid("scopes", "a token needs at least one")
    return set(scopes)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _text(random: bytes) -> str:
    return urlsafe_b64encode(random).decode().rstrip("=")


def _tries_key(client: str, prefix: str) -> str:
    return f"bad-token:{sha256(client.encode()).hexdigest()[:16]}:{prefix}"


def _refuse_after_many_tries(client: str, prefix: str) -> None:
    if cache.get(_tries_key(client, prefix), 0) >= _TRIES_A_MINUTE:
        raise Unauthenticated("Too many wrong tokens; try again in a minute")


def _count_bad_try(client: str, prefix: str) -> None:
    key = _tries_key(client, prefix)
    if not cache.add(key, 1, timeout=60):
        cache.incr(key)
