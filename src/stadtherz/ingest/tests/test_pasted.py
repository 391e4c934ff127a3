"""What clerks paste is read as far as it can be, and else told by what is most likely wrong with it."""

import contextlib
from pathlib import Path

import orjson
import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.time import now_us
from stadtherz.ingest.documents.document import parse
from stadtherz.ingest.onboarding.messages import sample_of
from stadtherz.ingest.onboarding.pasted import document_of, is_form
from stadtherz.ingest.onboarding.recognise import recognise
from stadtherz.ingest.quality.reasons import problem_words, sentence

RECORDED = Path(__file__).parent / "recorded"
UPLINKS = {
    "tts3-up": "frm_payload",
    "chirpstack4-up": "data",
    "chirpstack3-own-up": "data",
    "actility-own-up": "payload_hex",
    "loriot-own-gw": "data",
    "helium-own-up": "payload",
}


def text_of(name: str) -> str:
    return orjson.dumps(orjson.loads((RECORDED / f"{name}.json").read_bytes())["body"]).decode()


def with_payload(name: str, value: str) -> str:
    """The document with something else where its payload stands."""
    text = text_of(name)
    begin = text.index(f'"{UPLINKS[name]}":"') + len(UPLINKS[name]) + 3
    return text[:begin] + value + text[text.index('"', begin + 1) + 1 :]


def told(text: str, language: str = "en") -> str:
    """The sentence that whoever pasted it reads."""
    with translation.override(language):
        try:
            recognise(text, received=now_us())
        except Invalid as problem:
            if type(problem) is Invalid:
                return problem.reason
        with pytest.raises(Invalid) as caught:
            sample_of(text)
        return caught.value.reason


@pytest.mark.parametrize("name", UPLINKS)
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "\ufeff{}",
        "  {}\n",
        "2026-11-28 10:00:00 [INFO] received: {}",
        "curl -H 'Content-Type: application/json' -d '{}' https://city.example/ingest",
        "{0}\n{0}",
        "[{0},{0}]",
        "data={}",
    ],
)
def test_a_message_is_found_whatever_was_copied_with_it(name: str, around: str) -> None:
    found = recognise(around.format(text_of(name)), received=now_us())
    assert found.uplink is not None
    assert name.startswith(found.network)


@pytest.mark.parametrize("name", UPLINKS)
def test_a_message_that_was_quoted_as_a_text_is_read(name: str) -> None:
    quoted = orjson.dumps(text_of(name)).decode()
    assert recognise(quoted, received=now_us()).uplink is not None


@pytest.mark.parametrize("name", UPLINKS)
def test_what_is_wrong_with_a_message_is_told(name: str) -> None:
    text = text_of(name)
    assert "not a whole JSON" in told(text[: len(text) * 2 // 3])
    assert "beginning is missing" in told(text[1:])
    assert "typographic" in told(text.replace('"', "“"))
    assert "single quotation marks" in told(text.replace('"', "'"))
    assert "comma too many" in told(text[:-1] + ",}")
    assert "such as NaN" in told(with_payload(name, "NaN"))
    assert "nested more than" in told(with_payload(name, "[" * 40 + "]" * 40))
    assert "a text belongs there" in told(with_payload(name, "5"))


@pytest.mark.parametrize("name", UPLINKS)
def test_a_payload_that_is_none_is_told_in_the_readers_language(name: str) -> None:
    text = with_payload(name, '"%%%"')
    assert "is no Base64" in told(text) or "hexadecimal digits" in told(text)
    assert "kein Base64" in told(text, "de") or "keine Reihe hexadezimaler" in told(text, "de")


def test_a_form_is_one_also_if_it_holds_json_and_base64_is_none() -> None:
    assert sample_of("id=7&temp=21").content == {"id": "7", "temp": "21"}
    assert [is_form(each) for each in ("a[]=1", '"data": "Af8="', "log: x=1")] == [
        True,
        False,
        False,
    ]


def test_a_message_of_another_device_is_taken_out_of_a_log() -> None:
    assert sample_of('10:00 got {"id": 7, "t": 5}').content == {"id": 7, "t": 5}


def test_what_no_reader_knows_stays_as_it_is() -> None:
    assert problem_words("is odd") == "is odd"
    assert problem_words("Expected `odd`, got `int`") == "Expected `odd`, got `int`"


def test_what_is_no_json_is_told_with_its_place_and_without_the_parsers_words() -> None:
    with pytest.raises(Invalid) as found:
        parse(b'{"a":\n  kaputt}')
    facts = {"field": found.value.field, "problem": found.value.reason}
    with translation.override("de"):
        said = sentence("broken_document", facts)
    assert said == "Die Nachricht ist nicht lesbar: ab Zeichen 3 der Zeile 2 ist das kein JSON."


@given(st.text(alphabet="{}[]\"':,ab1 =&.\\N", max_size=60) | st.text(max_size=40))
def test_any_text_is_a_document_or_told(text: str) -> None:
    for read in (document_of, sample_of, lambda told: recognise(told, received=0)):
        with contextlib.suppress(Invalid):
            read(text)
