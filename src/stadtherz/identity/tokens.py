"""Keys for machines: made once, kept as a digest, checked in constant time.

A token reads `sh_<prefix>_<secret>`. The prefix finds the row through an index; the secret has 256
random bits, so a plain SHA-256 is enough and no slow password hash is paid on every request.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from hashlib import sha256

from django.core.cache import cache
from django.db.models import Q

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


def issue_token(
    name: str,
    organisation: int,
    scopes: Collection[str],
    *,
    network: str = "",
    expires: datetime | None = None,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[ApiToken, str]:
    """A new token and its text, which exists nowhere else and is never shown again."""
    prefix = randomness(6).hex()
    text = f"sh_{prefix}_{_text(randomness(32))}"
    token = ApiToken.objects.create(
        name=name,
        organisation_id=organisation,
        prefix=prefix,
        digest=_digest(text),
        scopes=sorted(_checked(scopes)),
        network=network,
        expires=expires,
    )
    return token, text


def find_token(text: str, *, client: str = "") -> ApiToken:
    """The valid token with this text, else Unauthenticated; `client` is whose tries are counted."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise Unauthenticated(_WRONG)
    prefix = shape[1]
    _refuse_after_many_tries(client, prefix)
    token = ApiToken.objects.filter(prefix=prefix).first()
    known = hmac.compare_digest(token.digest if token else "", _digest(text))
    if token is None or not known or not _in_force(token):
        _count_bad_try(client, prefix)
        raise Unauthenticated(_WRONG)
    _note_use(token)
    return token


def revoke(token: ApiToken) -> None:
    token.revoked = token.revoked or now()
    token.save(update_fields=["revoked"])


def _in_force(token: ApiToken) -> bool:
    return token.revoked is None and (token.expires is None or token.expires > now())


def _note_use(token: ApiToken) -> None:
    stale = Q(last_used=None) | Q(last_used__lt=now() - _COARSE)
    if token.last_used is None or token.last_used < now() - _COARSE:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used=now())


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
