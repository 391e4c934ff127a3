"""The first organisation, administrator and tokens of an instance."""

import re
import secrets

from stadtherz.base.visibility import Scope
from stadtherz.identity.public import create_organisation, create_token, create_user
from stadtherz.project.credentials import Account, Credentials

ADMINISTRATOR = "administrator"


def new_password() -> str:
    """A password for people to type once: about 80 bits, no look-alike signs."""
    alphabet = "abcdefghkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


def slug_of(name: str) -> str:
    """A short name for addresses, from a municipality's name."""
    plain = name.lower().translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "stadt"


def found(*, city: str, email: str) -> Credentials:
    """Create the city's organisation, an operator, and one token for each kind of use."""
    organisation = create_organisation(slug_of(city), city)
    credentials = Credentials()
    credentials.accounts["admin"] = new_account(
        email, "Administration", organisation, city, ADMINISTRATOR, superuser=True
    )
    credentials.tokens["admin"] = create_token("admin", organisation, frozenset(Scope))
    credentials.tokens["city"] = create_token("LoRaWAN", organisation, frozenset({Scope.INGEST}))
    return credentials


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
    create_user(email, password, name, organisation, role, superuser=superuser)
    return Account(email, password, role, organisation_name)
