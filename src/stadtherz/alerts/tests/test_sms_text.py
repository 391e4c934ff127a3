"""What an SMS says and how many parts it takes."""

from typing import Any

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.alerts.channels.sms import MOST_PARTS, compose, parts, plain, shortened, units

WORDING = {
    "subject": "Vorwarnung: Pegel Lauterstraße bei 94 cm",
    "sentence": "Die Lauter steht bei 94 cm und steigt. Die Stufe „Vorwarnung“ wurde um 14:20 Uhr erreicht.",
}


def test_what_matters_stands_in_the_first_hundred_characters() -> None:
    with override("de"):
        text = compose(WORDING, 17).text
    assert text.startswith(
        "Vorwarnung: Pegel Lauterstraße bei 94 cm. Antwort OK 17. Die Lauter steht"
    )
    assert text.index("OK 17") < 100
    assert '"Vorwarnung" wurde um 14:20' in text
    assert parts(text) == 1


def test_without_a_code_nothing_is_asked() -> None:
    assert "OK" not in compose(WORDING, None).text


@pytest.mark.parametrize(
    ("subject", "sentence", "whole"),
    [
        ("Hochwasser", "Das Wasser steigt …", True),
        ("Hochwasser", "Das Wasser steigt. " * 30, False),
        ("Hochwasser an der " + "Lauter" * 15, "Das Wasser steigt.", False),
    ],
)
def test_an_sms_knows_whether_it_says_all(subject: str, sentence: str, whole: bool) -> None:
    assert compose({"subject": subject, "sentence": sentence}, 17).whole is whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [("äöüßÄÖÜ§à", 9), ("€", 2), ("[x]", 5), ("ж", None), ("👋", None), ("", 0)],
)
def test_the_gsm_alphabet(text: str, expected: int | None) -> None:
    assert units(text) == expected


def test_an_emoji_takes_two_places_of_ucs_2() -> None:
    assert (parts("👋" * 35), parts("👋" * 36)) == (1, 2)


_WORDS = st.text(st.sampled_from("aä €„жx👋-…"), max_size=900)


@given(_WORDS, st.integers(1, MOST_PARTS))
def test_what_is_too_long_is_cut_to_fit(text: str, most: int) -> None:
    cut = shortened(text, most)
    assert parts(cut) <= most
    assert cut == text or cut.endswith(" ...")


@given(_WORDS)
def test_plain_text_is_never_longer_in_parts(text: str) -> None:
    assert parts(plain(text)) <= parts(text) + 1  # ° becomes a word, … three points
    assert plain(plain(text)) == plain(text)


@given(
    st.fixed_dictionaries({"subject": _WORDS, "sentence": _WORDS}),
    st.none() | st.integers(1, 99999),
)
def test_any_wording_fits(wording: Any, code: int | None) -> None:
    text = compose(wording, code).text
    assert parts(text) <= MOST_PARTS
    if code is not None and units(plain(wording["subject"])) is not None:
        assert str(code) in text
