"""What goes over the line to an SMS centre and comes back, for any text and any octets."""

import struct

import pytest
from aiosmpplib.protocol import SmppMessage, SubmitSm
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.alerts.channels import gsm
from stadtherz.alerts.channels import smpp_pdu as pdus
from stadtherz.alerts.channels.heard import Receipt
from stadtherz.alerts.channels.smpp import smpp_wishes, written
from stadtherz.alerts.channels.smpp_heard import Part, canonical, read
from stadtherz.alerts.channels.sms import parts, split

_LETTERS = [letter for letter in gsm.ALPHABET if letter != "\x1b"] + list(gsm.EXTENSION)
_ANY = st.text(st.sampled_from([*_LETTERS, "ж", "👋", "ê"]), min_size=1, max_size=500)


@given(st.text(st.sampled_from(_LETTERS)))
def test_the_alphabet_of_telephones_loses_nothing(text: str) -> None:
    assert gsm.decode(gsm.encode(text)) == text


@given(st.binary())
def test_any_octets_are_some_text(octets: bytes) -> None:
    assert len(gsm.decode(octets)) <= len(octets)


@given(_ANY, st.booleans())
def test_parts_are_the_text_and_fit(text: str, ucs2: bool) -> None:
    pieces = split(text, ucs2=ucs2)
    assert "".join(pieces) == text
    assert len(pieces) == parts(text) or ucs2
    assert all(pieces)


@given(_ANY, st.sampled_from(["gsm", "ucs2"]), st.integers(0, 255))
def test_another_implementation_reads_what_we_write(
    text: str, alphabet: str, reference: int
) -> None:
    wishes = smpp_wishes({"host": "h", "user": "u", "alphabet": alphabet, "sender": "Stadt"})
    bodies = written("+4915111111111", text, wishes, reference)
    found = []
    for number, body in enumerate(bodies, 1):
        raw = pdus.pdu(pdus.SUBMIT_SM, number, body)
        message = SubmitSm.from_pdu(raw, SmppMessage.parse_header(raw), "gsm0338")
        assert isinstance(message, SubmitSm)
        assert message.destination.number == "4915111111111"
        found.append(message.short_message)
        octets = raw[-(len(raw) - raw.index(b"000000010000000R\0") - 22) :]
        assert len(octets) <= (160 if message.encoding is None else 140)
    assert "".join(found) == text


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    try:
        found = pdus.deliver(octets)
    except pdus.Garbled:
        return
    assert isinstance(read(found, "gsm"), Receipt | Part | None)


@given(st.binary(max_size=254), st.integers(0, 255), st.integers(0, 255))
def test_any_message_is_read(message: bytes, esm_class: int, coding: int) -> None:
    found = read(pdus.Deliver("49151", esm_class, coding, message), "gsm")
    if isinstance(found, Part):
        assert 1 <= found.number <= found.total


@given(st.integers(0, 2**32 - 1))
def test_a_length_that_no_message_has_is_refused(length: int) -> None:
    raw = struct.pack(">4I", length, 5, 0, 1)
    if pdus.HEADER <= length <= pdus.LONGEST:
        assert pdus.head(raw).length == length
    else:
        with pytest.raises(pdus.Garbled):
            pdus.head(raw)


@given(st.integers(0, 2**64))
def test_an_id_is_one_however_it_is_written(number: int) -> None:
    written_as = {canonical(f"{number:X}", hexadecimal=True)}
    written_as |= {canonical(f"{number:020d}", hexadecimal=False)}
    assert written_as == {str(number)}
