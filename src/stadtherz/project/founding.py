"""The first organisation, administrator and tokens of an instance."""

import re
import secrets

from stadtherz.base.errors import Conflict
from stadtherz.base.visibility import Scope
from stadtherz.identity.public import (
    create_organisation,
    create_token,
    create_user,
    organisation_id,
    set_password,
)
from stadtherz.project.credentials import Account, Credentials

ADMINISTRATOR = "administrator"
_TRANSLITERATION = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"}


def new_password() -> str:
    """A password for people to type once: about 80 bits, no look-alike signs."""
    alphabet = "abcdefghkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


def slug_of(name: str) -> str:
    """A short name for addresses, from a municipality's name."""
    plain = name.lower().translate(_TRANSLITERATION)
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "stadt"


def found(*, city: str, email: str) -> Credentials:
    """Create the city's organisation, an operator, and one token for each kind of use.

    Safe to repeat: what an interrupted set-up has made already is used.
    """
    organisation = _organisation(slug_of(city), city)
    credentials = Credentials()
    credentials.accounts["admin"] = new_account(
        email, "Administration", organisation, city, ADMINISTRATOR, superuser=True
    )
    credentials.tokens["admin"] = create_token("admin", organisation, frozenset(Scope))
    credentials.tokens["city"] = create_token("LoRaWAN", organisation, frozenset({Scope.INGEST}))
    return credentials


def _organisation(slug: str, name: str) -> int:
    try:
        return create_organisation(slug, name)
    except Conflict:
        return organisation_id(slug)


def new_account(
    email: str,
    name: str,
    organisation: int,
    organisation_name: str,
    role: str,
    *,
    superuser: bool = False,
) -> Account:
    """Somebody who can sign in, with a fresh password that only the returned value knows."""
    password = new_password()
    try:
        create_user(email, password, name, organisation, role, superuser=superuser)
    except Conflict:  # an earlier set-up was interrupted before it could note the password
        set_password(email, password)
    return Account(email, password, role, organisation_name)
