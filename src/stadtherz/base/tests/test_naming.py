"""A datastream beside its place is called by what the place does not say already."""

import pytest

from stadtherz.base.naming import at, beside


@pytest.mark.parametrize(
    ("name", "place", "own", "both"),
    [
        ("Steg: Wasserstand", "Steg", "Wasserstand", "Steg: Wasserstand"),
        ("Steg – Wasserstand", "Steg", "Wasserstand", "Steg: Wasserstand"),
        ("Wasserstand", "Steg", "Wasserstand", "Steg: Wasserstand"),
        ("Stegmühle", "Steg", "Stegmühle", "Steg: Stegmühle"),
        ("Steg", "Steg", "Steg", "Steg"),
    ],
)
def test_no_name_is_said_twice(name: str, place: str, own: str, both: str) -> None:
    assert (beside(name, place), at(place, name)) == (own, both)
