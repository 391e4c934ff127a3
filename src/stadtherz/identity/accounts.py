"""Setting up organisations, people and tokens; for the command line, the demo and tests."""

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from stadtherz.base.errors import Conflict, Invalid, NotFound
from stadtherz.base.visibility import SYSTEM, Visibility
from stadtherz.identity.audit import record
from stadtherz.identity.models import Membership, User
from stadtherz.identity.organisations import organisation_id
from stadtherz.identity.roles import Role
from stadtherz.identity.tokens import issue_token
from stadtherz.store import public as store


def create_organisation(slug: str, name: str, email: str = "") -> int:
    """The id of a new organisation; an existing one with this short name is a Conflict."""
    made = store.create_organisation(slug, name, email)
    record(SYSTEM, "create", "store.organisation", made, {"name": name}, organisation=made)
    return made


def create_user(
    email: str,
    password: str,
    name: str = "",
    organisation: str | int | None = None,
    role: str = Role.VIEWER,
    *,
    superuser: bool = False,
) -> int:
    """The id of a new account, a member of `organisation` (id or short name) with `role`.

    Raises Invalid for a weak password or an unknown role, Conflict for a known e-mail address.
    """
    _check_password(password)
    if role not in Role.values:
        raise Invalid("role", f"{role} is none of {', '.join(Role.values)}")
    owner = None if organisation is None else organisation_id(organisation)
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name, is_superuser=superuser)
            if owner is not None:
                Membership.objects.create(user=user, organisation_id=owner, role=role)
    except IntegrityError as error:
        raise Conflict(f"an account with {email} exists already") from error
    record(SYSTEM, "create", "identity.user", user.pk, {"role": role}, organisation=owner)
    return int(user.pk)


def add_member(
    organisation: int, email: str, role: str, *, name: str = "", password: str = ""
) -> Membership:
    """Make somebody a member, with a new account if the address has none.

    An existing account keeps its name and password: they are its owner's, not the administrator's.
    Without a password the new account waits until its owner resets it by e-mail.
    """
    user = User.objects.filter(email=email.strip().lower()).first()
    with transaction.atomic():
        if user is None:
            user = User.objects.create_user(email, password or None, name=name)
        elif Membership.objects.filter(user=user, organisation_id=organisation).exists():
            raise Conflict(f"{email} is a member already")
        return Membership.objects.create(user=user, organisation_id=organisation, role=role)


def set_password(email: str, password: str) -> None:
    """Give an account a new password, which also ends its sessions."""
    _check_password(password)
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise NotFound(f"account {email}")
    user.set_password(password)
    user.save(update_fields=["password"])
    record(SYSTEM, "password", "identity.user", user.pk)


def create_token(
    name: str,
    organisation: str | int,
    scopes: Collection[str],
    network: str = "",
    *,
    device: int | None = None,
    expires: datetime | None = None,
    by: Visibility = SYSTEM,
) -> str:
    """The text of a new token for `organisation` (id or short name): shown once, kept as a digest."""
    owner = organisation_id(organisation)
    token, text = issue_token(name, owner, scopes, network=network, device=device, expires=expires)
    record(
        by,
        "create",
        "identity.apitoken",
        token.pk,
        {"name": name, "scopes": token.scopes, **({"device": device} if device else {})},
        organisation=owner,
    )
    return text


def _check_password(password: str) -> None:
    try:
        validate_password(password)
    except ValidationError as error:
        raise Invalid("password", " ".join(error.messages)) from error
