"""From a session or a token to the `Visibility` that travels with a request."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from stadtherz.base.errors import Unauthenticated
from stadtherz.base.visibility import ANONYMOUS, Scope, Visibility
from stadtherz.identity.models import ApiToken, GroupMembership, Membership, User
from stadtherz.identity.roles import ADMINISTRATORS, WRITERS
from stadtherz.identity.tokens import believed_token, find_token
from stadtherz.store.public import with_shares

AsgiScope = Mapping[str, Any]
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def visibility_of_user(user: User | AnonymousUser) -> Visibility:
    """What a signed-in person may see; everybody else, also the deactivated, is anonymous.

    Every role reads its organisation; editors, data stewards, operators and administrators change
    it. A superuser sees and changes everything. The first organisation by name is home.
    """
    if not isinstance(user, User) or not user.is_active:
        return ANONYMOUS
    memberships = list(Membership.objects.filter(user=user).order_by("organisation__name"))
    home = memberships[0].organisation_id if memberships else None
    actor = f"user:{user.pk}"
    if user.is_superuser:
        return Visibility(actor=actor, home=home, everything=True, scopes=frozenset(Scope))
    writes = [member for member in memberships if member.role in WRITERS]
    return with_shares(
        Visibility(
            actor=actor,
            organisations=frozenset(member.organisation_id for member in memberships),
            groups=frozenset(
                GroupMembership.objects.filter(user=user).values_list("group_id", flat=True)
            ),
            writes=frozenset(member.organisation_id for member in writes),
            scopes=frozenset({Scope.READ, Scope.WRITE} if writes else {Scope.READ}),
            home=writes[0].organisation_id if writes else home,
        )
    )


def administered_by(user: User | AnonymousUser) -> frozenset[int]:
    """The organisations whose members and tokens this person looks after."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    rows = Membership.objects.filter(user=user, role__in=ADMINISTRATORS)
    return frozenset(rows.values_list("organisation_id", flat=True))


def visibility_of_token(token: ApiToken) -> Visibility:
    """What a token's bearer may do: never more than its organisation.

    `read` reads the organisation, `write` also changes it, `admin` does all; `ingest` alone
    delivers readings and sees what everybody sees. What others share is for `with_shares` to add.
    """
    return _of_token(token.prefix, token.organisation_id, tuple(token.scopes), token.device_id)


@lru_cache(maxsize=1_000)  # a network shows the same token a thousand times a second
def _of_token(
    prefix: str, organisation: int, scopes: Iterable[str], device: int | None
) -> Visibility:
    granted = {Scope(scope) for scope in scopes}
    if Scope.ADMIN in granted:
        granted = set(Scope)
    own = frozenset({organisation})
    return Visibility(
        actor=f"token:{prefix}",
        organisations=own if granted & {Scope.READ, Scope.WRITE} else frozenset(),
        writes=own if Scope.WRITE in granted else frozenset(),
        scopes=frozenset(granted | {Scope.READ}),
        home=organisation,
        device=device,
    )


def visibility_of_scope(scope: AsgiScope) -> Visibility:
    """Who sends this ASGI request: a token (Bearer, or Basic with it as the password) or a session.

    No credentials at all are anonymous; wrong ones raise Unauthenticated. It asks the database and
    so belongs into a worker thread, never onto the event loop.
    """
    headers = {name.decode("latin-1"): value for name, value in reversed(scope["headers"])}
    authorization = headers.get("authorization")
    if authorization is not None:
        token = find_token(_token_text(authorization.decode("latin-1")), client=_client(scope))
        return with_shares(visibility_of_token(token))
    cookies = parse_cookie(headers.get("cookie", b"").decode("latin-1"))
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    if not key or not _came_from_our_pages(scope, headers):
        return ANONYMOUS
    return visibility_of_user(_session_user(key))


def visibility_at_once(scope: AsgiScope) -> Visibility | None:
    """As `visibility_of_scope` for a token that was looked up a moment ago, on the event loop, too.

    It asks no database and so leaves out what others share. None for everything else: whoever gets it asks in a thread.
    """
    for name, value in scope["headers"]:
        if name == b"authorization":
            try:
                text = _token_text(value.decode("latin-1"))
            except Unauthenticated:
                return None
            token = believed_token(text)
            return None if token is None else visibility_of_token(token)
    return None


def _token_text(authorization: str) -> str:
    kind, _, rest = authorization.strip().partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        return _basic_password(rest.strip())
    raise Unauthenticated("Authorization must be Bearer, or Basic with the token as the password")


def _basic_password(encoded: str) -> str:
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unauthenticated("The Authorization header cannot be read") from error
    return pair.partition(":")[2]


def _client(scope: AsgiScope) -> str:
    client: Iterable[Any] | None = scope.get("client")
    return str(next(iter(client))) if client else ""


def _came_from_our_pages(scope: AsgiScope, headers: Mapping[str, bytes]) -> bool:
    """Whether a cookie may count: a changing request must come from our own pages (CSRF)."""
    if scope.get("method", "GET") in _SAFE_METHODS:
        return True
    origin = headers.get("origin", b"").decode("latin-1")
    host = headers.get("host", b"").decode("latin-1")
    return origin in {f"{scope.get('scheme', 'http')}://{host}", settings.STADTHERZ["public_url"]}


def _session_user(key: str) -> User | AnonymousUser:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)  # checks that the account is active and the password unchanged
    return user if isinstance(user, User) else AnonymousUser()
