"""What is sealed opens with the same secret for the same purpose, also what was sealed long ago."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import new as hmac

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.vault import Vault, derived

SECRET = "the secret of the city"
GATEWAYS = Vault(lambda: SECRET, "stadtherz: passwords of gateways", "secret", plain_key=True)
CONNECTIONS = Vault(lambda: SECRET, "stadtherz: passwords of connections")
ENCODABLE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(ENCODABLE)
def test_it_comes_out_as_it_went_in_and_is_not_to_be_seen(password: str) -> None:
    sealed = GATEWAYS.sealed(password)
    assert GATEWAYS.opened(sealed) == password
    assert len(password) < 4 or password not in sealed


@given(st.binary(), st.binary())
def test_keys_are_those_of_another_implementation(secret: bytes, purpose: bytes) -> None:
    assert derived(secret, purpose) == HKDF(SHA256(), length=32, salt=None, info=purpose).derive(
        secret
    )


def test_what_gateways_had_sealed_before_still_opens() -> None:
    key = hmac(SECRET.encode(), b"stadtherz: passwords of gateways", sha256).digest()
    old = Fernet(urlsafe_b64encode(key)).encrypt(b"geheim").decode()
    assert GATEWAYS.opened(old) == "geheim"
    with pytest.raises(Invalid, match="password"):
        CONNECTIONS.opened(old)


def test_what_connections_had_sealed_before_still_opens() -> None:
    key = HKDF(SHA256(), length=32, salt=None, info=CONNECTIONS.purpose.encode())
    old = Fernet(urlsafe_b64encode(key.derive(SECRET.encode()))).encrypt(b"geheim").decode()
    assert CONNECTIONS.opened(old) == "geheim"


def test_neither_another_purpose_nor_another_secret_opens_it() -> None:
    sealed = GATEWAYS.sealed("geheim")
    with pytest.raises(Invalid, match="password"):
        CONNECTIONS.opened(sealed)
    with pytest.raises(Invalid, match="secret"):
        Vault(lambda: "another", GATEWAYS.purpose, "secret", plain_key=True).opened(sealed)


def test_nothing_is_not_sealed() -> None:
    assert (GATEWAYS.sealed(""), GATEWAYS.opened("")) == ("", "")
