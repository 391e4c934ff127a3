"""Warnings straight to an SMS centre by SMPP: each once, whatever the centre does."""

import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.alerts.channels import smpp
from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.channels.smpp import Smpp, smpp_account, smpp_wishes
from stadtherz.alerts.channels.smpp_session import Account, Session
from stadtherz.alerts.channels.sms import Composed
from stadtherz.alerts.models import Address, Alert, AlertNote, Channel, Contact, Delivery, Gateway
from stadtherz.alerts.outbox import lines
from stadtherz.alerts.outbox.listening import listen
from stadtherz.alerts.public import add_gateway, change, remove_gateway, send_due, try_gateway
from stadtherz.alerts.tests import smsc
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.processes import eventually
from stadtherz.alerts.tests.smsc import CLOSES, HALF, NACK, SILENT, Centre
from stadtherz.base.errors import Invalid, Unavailable
from stadtherz.base.time import now, stopped_at

Status = Delivery.Status
Receipt = Delivery.Receipt
NUMBER = "+4915111111111"


@pytest.fixture
def centre() -> Iterator[Centre]:
    with smsc.running() as running:
        yield running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits twenty seconds for a centre that is silent on purpose."""
    whole = smpp.smpp_account

    def hasty(settings: Any, secret: str) -> Account:
        return replace(whole(settings, secret), patience=1.0, first_pause=0.05)

    monkeypatch.setattr("stadtherz.alerts.outbox.by_sms.smpp_account", hasty)
    monkeypatch.setattr(smpp, "_FIRST_PATIENCE", 1.0)
    monkeypatch.setattr(smpp, "_PATIENCE", 2.0)


@pytest.fixture
def ward(transactional_db: None) -> Iterator[Ward]:
    cache.clear()  # which counts what each number answers
    made = make_ward([])
    contact = Contact.objects.create(owner_id=made.organisation, name="Wehr")
    Address.objects.create(contact=contact, channel=Channel.SMS, address=NUMBER, use="always")
    Address.objects.create(
        contact=contact, channel=Channel.EMAIL, address="w@stadt.example", use="instead"
    )
    contact.lists.add(made.recipients)
    yield made
    lines.end_all()  # which gives up the lease: the database must still be there


def settings_for(centre: Centre, **more: Any) -> dict[str, Any]:
    plain = {"host": "127.0.0.1", "port": centre.port, "tls": False, "user": "stadt"}
    return {**plain, "sender": "Stadt", **more}


def gateway(centre: Centre, *, secret: str = "geheim", **more: Any) -> None:
    add_gateway("netz", "smpp", settings_for(centre, **more), secret=secret, per_second=1000)


def carrier(centre: Centre, *, patience: float = 1.0, **more: Any) -> Smpp:
    """Without a database: what is heard is passed over."""
    chosen = settings_for(centre, **more)
    quickly = {"patience": patience, "first_pause": 0.05}
    account = Account("127.0.0.1", centre.port, "stadt", "geheim", tls=False, **quickly)
    session = Session(account, lambda _heard: None)
    return Smpp(account, smpp_wishes(chosen), lambda: session)


def only() -> Delivery:
    return Delivery.objects.get(channel=Channel.SMS)


def warn(ward: Ward, rank: int = 1) -> Delivery:
    change(ward.goes(0, rank, observation=1))
    send_due()
    return only()


# --- out ---------------------------------------------------------------------------------------------


def test_a_warning_reaches_the_centre_once(ward: Ward, centre: Centre) -> None:
    gateway(centre)
    sent = warn(ward)
    assert send_due() == 0
    (message,) = centre.taken
    code = Alert.objects.get().code
    assert message.short_message == (
        f"de Vorwarnung: Pegel Lauterstraße. Antwort OK {code}. Die Lauter: Vorwarnung."
    )
    assert (message.source.number, message.source.ton, message.source.npi) == ("Stadt", 5, 0)
    assert (message.destination.number, message.destination.ton) == (NUMBER[1:], 1)
    assert message.validity_period.total_seconds() == 3600
    assert (message.registered_delivery, message.esm_class) == (1, 0)
    assert (sent.status, sent.gateway, sent.message_id) == (Status.SENT, "netz", "m-6699")
    (bind,) = centre.binds
    assert (bind.system_id, bind.password, bind.interface_version) == ("stadt", "geheim", 0x34)


def test_one_line_serves_all_messages_and_is_closed_with_its_gateway(
    ward: Ward, centre: Centre
) -> None:
    gateway(centre)
    warn(ward)
    change(ward.goes(1, 0, observation=2))
    send_due()
    assert (len(centre.taken), len(centre.binds), len(centre.lines)) == (2, 1, 1)
    remove_gateway("netz")
    listen()
    assert eventually(lambda: not centre.lines)


@pytest.mark.parametrize(
    ("text", "coding", "pieces"),
    [
        ("Größe [5 €]", 0, 1),
        ("ü" * 160, 0, 1),
        ("x" * 152 + "€" + "y" * 100, 0, 2),
        ("жук " * 40, 8, 3),
        ("👋" * 36, 8, 2),
    ],
)
def test_any_text_arrives_whole(centre: Centre, text: str, coding: int, pieces: int) -> None:
    sends = carrier(centre)
    known_as = sends.send(NUMBER, text, "7", goes_next=lambda: None)
    sends.session().end()
    assert "".join(centre.texts) == text
    assert len(centre.taken) == pieces
    assert known_as == f"m-{6699 + pieces - 1}"
    assert {_coding(body) for body in centre.bodies} == {coding}
    if pieces > 1:
        told = [each.get_segmentation_data() for each in centre.taken]
        assert len({reference for reference, _number, _total in told}) == 1
        expected = [(number, pieces) for number in range(1, pieces + 1)]
        assert [(number, total) for _reference, number, total in told] == expected
        # The network tells of the last part; the others would only be counted twice.
        asked = [each.registered_delivery for each in centre.taken]
        assert asked == [0] * (pieces - 1) + [1]


def _coding(body: bytes) -> int:
    """data_coding, three octets before the end of what stands before the text."""
    place = body.index(b"000000010000000R\0") + 17
    return body[place + 2]


@pytest.mark.parametrize(
    ("alphabet", "coding", "coded"),
    [
        ("gsm", 0, b"Gr\x7c\x1ee"),
        ("latin1", 3, "Größe".encode("latin-1")),
        ("latin1-default", 0, "Größe".encode("latin-1")),
        ("ucs2", 8, "Größe".encode("utf-16-be")),
    ],
)
def test_the_alphabet_is_the_one_the_provider_takes(
    centre: Centre, alphabet: str, coding: int, coded: bytes
) -> None:
    centre.alphabet = "latin1" if alphabet == "latin1-default" else "gsm0338"
    sends = carrier(centre, alphabet=alphabet)
    sends.send(NUMBER, "Größe", "7", goes_next=lambda: None)
    sends.session().end()
    (body,) = centre.bodies
    assert centre.texts == ["Größe"]
    assert body.endswith(bytes((len(coded),)) + coded)
    assert _coding(body) == coding


@pytest.mark.parametrize(
    ("sender", "expected"),
    [("+4915100", (1, 1, "4915100")), ("88888", (3, 0, "88888")), ("", (0, 0, ""))],
)
def test_the_sender_is_written_as_what_it_is(
    centre: Centre, sender: str, expected: tuple[int, int, str]
) -> None:
    sends = carrier(centre, sender=sender)
    sends.send(NUMBER, "Test", "7", goes_next=lambda: None)
    sends.session().end()
    source = centre.taken[0].source
    assert (source.ton, source.npi, source.number) == expected


@pytest.mark.parametrize(
    ("says", "status", "taken"),
    [
        ([0x58], Status.SENT, 1),  # too fast, then taken
        ([0x14] * 20, Status.QUEUED, 0),  # its queue stays full
        ([0x0B], Status.QUEUED, 0),  # no such number; believed after five attempts
        ([0x0410], Status.QUEUED, 0),  # something of the provider's own
        ([NACK], Status.QUEUED, 0),
        ([SILENT], Status.UNCERTAIN, 1),
        ([CLOSES], Status.UNCERTAIN, 0),
        ([HALF], Status.UNCERTAIN, 1),
    ],
)
def test_what_the_centre_may_have_taken_is_never_repeated(
    ward: Ward, centre: Centre, says: list[int], status: str, taken: int
) -> None:
    gateway(centre)
    centre.says.extend(says)
    assert warn(ward).status == status
    centre.says.clear()
    send_due()
    assert (only().status, len(centre.taken)) == (status, taken)
    assert NUMBER[1:] not in only().error


def test_a_line_that_broke_is_there_again_for_the_next_message(ward: Ward, centre: Centre) -> None:
    gateway(centre)
    warn(ward)
    time.sleep(0.1)  # it stood for a while
    centre.hang_up()
    assert eventually(lambda: len(centre.binds) == 2)
    change(ward.goes(1, 0, observation=2))
    send_due()
    assert (len(centre.taken), len(centre.binds)) == (2, 2)


def test_before_the_first_octet_nothing_is_handed_over(centre: Centre) -> None:
    """The line breaks between the word that it goes next, and the message."""
    sends = carrier(centre)
    session = sends.session()
    session.ready()

    def breaks() -> None:
        centre.hang_up()
        assert eventually(lambda: not session.bound)

    with pytest.raises(NotHandedOver):
        sends.send(NUMBER, "Test", "7", goes_next=breaks)
    session.end()
    assert centre.asked == 0


def test_it_goes_next_once_and_right_before_the_message(centre: Centre) -> None:
    seen: list[int] = []
    sends = carrier(centre)
    sends.send(NUMBER, "x" * 400, "7", goes_next=lambda: seen.append(centre.asked))
    sends.session().end()
    assert (seen, centre.asked) == ([0], 3)


@pytest.mark.parametrize("says", [[0, 0x0B], [0, SILENT], [0, CLOSES], [0, *[0x58] * 30]])
def test_half_a_message_is_uncertain_and_goes_another_way(
    ward: Ward, centre: Centre, says: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = Composed("x" * 300, whole=True)
    monkeypatch.setattr("stadtherz.alerts.outbox.by_sms.compose", lambda *_given: long)
    gateway(centre)
    centre.says.extend(says)
    half = warn(ward)
    centre.says.clear()
    send_due()
    assert only().status == half.status == Status.UNCERTAIN
    assert centre.texts[0] == "x" * 153
    assert Delivery.objects.get(channel=Channel.EMAIL).instead_of == half


_ODD = st.sampled_from([0, 0, 0, 0x58, 0x14, 0x0B, 0x45, 0x0410, NACK, SILENT, CLOSES, HALF])


@hypothesis.settings(max_examples=25, deadline=None)
@given(st.lists(_ODD, max_size=8), st.lists(st.sampled_from([50, 250, 400]), max_size=4))
def test_whatever_the_centre_does_the_outcome_is_true(says: list[int], sizes: list[int]) -> None:
    """What was sent is there once and whole, what was not is not there at all, the rest is uncertain."""
    with smsc.running() as centre, pytest.MonkeyPatch.context() as patched:
        for name, value in (("_FIRST_PATIENCE", 0.2), ("_PATIENCE", 1.0), ("_PAUSES", (0.02,))):
            patched.setattr(smpp, name, value)
        centre.says.extend(says)
        sends = carrier(centre, patience=0.2)
        for number, size in enumerate(sizes):
            text, before = f"{number}" * size, len(centre.taken)
            try:
                sends.send(NUMBER, text, "7", goes_next=lambda: None)
                expected = {text}
            except NotHandedOver:
                expected = {""}
            except PerhapsHandedOver:
                expected = {text[:length] for length in (0, 153, 306, size)}
            assert "".join(centre.texts[before:]) in expected
        sends.session().end()


def test_the_rest_of_a_message_waits_for_the_line(centre: Centre) -> None:
    sends = carrier(centre)
    session = sends.session()
    first = session.submit

    def breaks_after_the_first(body: bytes) -> Any:
        taken = first(body)
        session.submit = first  # type: ignore[method-assign]
        centre.hang_up()
        assert eventually(lambda: not session.bound)
        return taken

    session.submit = breaks_after_the_first  # type: ignore[method-assign]
    session.ready()
    sends.send(NUMBER, "x" * 300, "7", goes_next=lambda: None)
    session.end()
    assert centre.texts == ["x" * 153, "x" * 147]


# --- the account and the line ------------------------------------------------------------------------


def test_a_wrong_password_is_told_and_the_message_waits(ward: Ward, centre: Centre) -> None:
    gateway(centre, secret="falsch")
    waiting = warn(ward)
    assert (waiting.status, waiting.attempts) == (Status.QUEUED, 1)
    assert "wrong password" in waiting.error
    assert Gateway.objects.get().failing_since is not None
    with pytest.raises(Unavailable, match="wrong password"):
        try_gateway("netz", NUMBER, "Test")


def test_a_refused_account_is_not_tried_with_every_message(centre: Centre) -> None:
    """Providers lock accounts that knock too often."""
    centre.bind_status = 0x0D
    account = Account("127.0.0.1", centre.port, "stadt", "geheim", tls=False, first_pause=30)
    session = Session(account, lambda _heard: None)
    for _ in range(20):
        with pytest.raises(NotHandedOver) as refused:
            session.ready()
        assert refused.value.account
    session.end()
    assert len(centre.binds) == 1


def test_where_only_one_line_is_allowed_the_second_is_refused_and_says_so() -> None:
    with smsc.running(most=1) as centre:
        first = carrier(centre)
        first.session().ready()
        second = carrier(centre)  # it would bind at once, and might be the quicker one
        with pytest.raises(NotHandedOver, match="already bound") as refused:
            second.session().ready()
        assert refused.value.account
        first.session().end()
        assert eventually(lambda: second.session().bound, seconds=30)
        second.session().end()


def test_a_process_that_has_not_the_lines_leaves_the_messages_alone(
    ward: Ward, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway(centre)
    with monkeypatch.context() as other:
        other.setattr(lines, "ours", lambda: False)
        waiting = warn(ward)
    assert (waiting.status, waiting.attempts, waiting.error) == (Status.QUEUED, 0, "")
    send_due()
    assert only().status == Status.SENT


@pytest.mark.parametrize(("bind", "number"), [("pair", 2), ("transmitter", 1)])
def test_a_provider_may_want_other_lines(
    ward: Ward, centre: Centre, bind: str, number: int
) -> None:
    gateway(centre, bind=bind)
    warn(ward)
    listen()
    assert eventually(lambda: len(centre.lines) == number)
    assert only().status == Status.SENT
    expected = {0x02: 1, 0x01: 1} if bind == "pair" else {0x02: 1}
    assert Counter(centre.bound_as) == expected
    if bind == "pair":  # told by the line that is for it
        assert centre.receipt("m-6699") == 0
        assert only().receipt == Receipt.DELIVERED


def test_if_the_process_with_the_lines_is_stuck_danger_goes_another_way(
    ward: Ward, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway(centre)
    monkeypatch.setattr(lines, "ours", lambda: False)
    waiting = warn(ward, rank=2)
    assert Delivery.objects.count() == 1
    with stopped_at(now() + timedelta(minutes=3)):
        send_due()
    assert Delivery.objects.get(channel=Channel.EMAIL).instead_of == waiting


def test_a_trial_keeps_no_second_line(
    transactional_db: None, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that serves the back office may be another one than the one that sends."""
    gateway(centre)
    monkeypatch.setattr(lines, "ours", lambda: False)
    assert try_gateway("netz", NUMBER, "Test") == "m-6699"
    assert eventually(lambda: not centre.lines)


def test_a_silent_line_is_asked_for_a_sign_of_life(centre: Centre) -> None:
    account = Account("127.0.0.1", centre.port, "stadt", "geheim", tls=False, alive=0.1, patience=1)
    session = Session(account, lambda _heard: None)
    session.ready()
    assert eventually(lambda: centre.signs_of_life >= 2)
    assert session.bound
    centre.answers_life = False
    assert eventually(lambda: len(centre.binds) >= 2)
    session.end()


def test_we_give_signs_of_life(centre: Centre) -> None:
    session = carrier(centre).session()
    session.ready()
    centre.raw(smsc._pdu(0x15, 4711))
    assert centre.answer(4711) == 0
    centre.raw(smsc._pdu(0x103, 4712))  # data_sm, which we do not speak
    assert centre.answer(4712) == 3
    session.end()


@pytest.mark.parametrize(
    "nonsense",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        b"\xff" * 64,
        smsc._pdu(0x05, 9, b"\0" * 40)[:30],
    ],
)
def test_nonsense_does_not_end_it(ward: Ward, centre: Centre, nonsense: bytes) -> None:
    gateway(centre)
    warn(ward)
    centre.raw(nonsense)
    centre.hang_up()
    change(ward.goes(1, 0, observation=2))
    assert eventually(lambda: bool(send_due()) or len(centre.taken) == 2)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate of a centre on the loopback, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "centre")])
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    written = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + signed.public_bytes(pem)
    path = tmp_path / "centre.pem"
    path.write_bytes(written)
    return path


@pytest.mark.parametrize("known", [True, False])
def test_an_encrypted_line_goes_only_to_a_centre_that_proves_its_name(
    ward: Ward, certificate: Path, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with smsc.running(context) as centre:
        gateway(centre, tls=True)
        told = warn(ward)
    assert told.status == (Status.SENT if known else Status.QUEUED)
    assert len(centre.binds) == int(known)  # a stranger does not even get the password
    assert known or "CERTIFICATE" in told.error.upper()


def test_nobody_is_there(ward: Ward) -> None:
    with smsc.running() as gone:
        pass
    gateway(gone)
    waiting = warn(ward)
    assert (waiting.status, waiting.attempts) == (Status.QUEUED, 1)
    assert "refused" in waiting.error.lower()


@pytest.mark.parametrize(
    ("given", "secret", "field"),
    [
        ({"user": "stadt"}, "", "host"),
        ({"host": "h", "user": "stadt"}, "pässwort", "secret"),
        ({"host": "h", "user": "stadt", "sender": "Stadt Eppishausen"}, "", "sender"),
        ({"host": "h", "user": "stadt", "alphabet": "morse"}, "", "alphabet"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    transactional_db: None, given: dict[str, Any], secret: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        add_gateway("x", "smpp", given, secret=secret)
    assert refused.value.field == field


def test_the_password_is_not_in_what_is_logged() -> None:
    assert "geheim" not in repr(smpp_account({"host": "h", "user": "u"}, "geheim"))


# --- in ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        ("DELIVRD", Receipt.DELIVERED),
        ("ENROUTE", Receipt.BUFFERED),
        ("ACCEPTD", Receipt.BUFFERED),
        ("UNDELIV", Receipt.UNDELIVERED),
        ("EXPIRED", Receipt.UNDELIVERED),
        ("REJECTD", Receipt.UNDELIVERED),
        ("UNKNOWN", Receipt.NONE),
    ],
)
def test_the_network_tells_what_became_of_it(
    ward: Ward, centre: Centre, stat: str, expected: str
) -> None:
    gateway(centre)
    warn(ward)
    assert centre.receipt("m-6699", stat) == 0
    assert only().receipt == expected
    instead = Delivery.objects.filter(channel=Channel.EMAIL).count()
    assert instead == (1 if expected == Receipt.UNDELIVERED else 0)


@pytest.mark.parametrize(
    ("message", "extras", "esm_class"),
    [
        (b"", {0x1E: b"m-6699\0", 0x427: b"\x02"}, 0x04),
        (b"", {0x1E: b"m-6699", 0x427: b"\x02"}, 0x00),  # by its parameters alone
        (b"id:m-6699 stat:DELIVRD", {}, 0x04),
        (b"ID:m-6699 SUB:001 Stat:delivrd Err:00B Text:id:7 stat:X", {}, 0x04),
        (b"id:m-6699 stat:DELIVERED err:0x1f", {0x1400: b"\xff\xfe"}, 0x44 & 0x3F),
        (b"id:other stat:UNDELIV", {0x1E: b"m-6699\0", 0x427: b"\x02"}, 0x04),
    ],
)
def test_receipts_come_in_many_forms(
    ward: Ward, centre: Centre, message: bytes, extras: dict[int, bytes], esm_class: int
) -> None:
    gateway(centre)
    warn(ward)
    assert centre.deliver(message, extras=extras, esm_class=esm_class) == 0
    assert only().receipt == Receipt.DELIVERED


@pytest.mark.parametrize(
    ("ids", "in_answer", "in_receipt"),
    [("answer-hex", "{:X}", "0000006699"), ("receipt-hex", "{:010d}", "1a2b")],
)
def test_ids_written_in_two_ways_are_one(
    ward: Ward, centre: Centre, ids: str, in_answer: str, in_receipt: str
) -> None:
    centre.id_format = in_answer
    gateway(centre, ids=ids)
    assert warn(ward).message_id == "6699"
    assert centre.receipt(in_receipt) == 0
    assert only().receipt == Receipt.DELIVERED


def test_a_receipt_may_be_faster_than_our_own_note(ward: Ward, centre: Centre) -> None:
    gateway(centre)
    warn(ward)
    Delivery.objects.update(message_id="")
    sequence = centre.deliver(b"id:m-6699 stat:DELIVRD", esm_class=0x04, wait=False)
    assert sequence is not None
    assert centre.answer(sequence, 0.1) is None
    Delivery.objects.filter(channel=Channel.SMS).update(message_id="m-6699")
    assert centre.answer(sequence) == 0
    assert only().receipt == Receipt.DELIVERED


def test_a_receipt_of_nothing_we_know_is_thanked_for(ward: Ward, centre: Centre) -> None:
    gateway(centre)
    warn(ward)
    assert centre.receipt("m-1") == 0
    assert only().receipt == Receipt.NONE


def answering(code: int | None) -> str:
    return f"quittieren {code} müde"


def test_a_person_takes_it_on_by_sms_and_is_told_so(ward: Ward, centre: Centre) -> None:
    gateway(centre)
    warn(ward)
    code = Alert.objects.get().code
    assert centre.deliver(b"ok %d m\x7ede" % code) == 0
    # With the thanks it is on disk.
    assert Alert.objects.get().acknowledged_by == "Wehr"
    assert eventually(lambda: len(centre.taken) == 2)
    said = centre.taken[1]
    assert said.short_message.startswith(f"Sie haben den Alarm {code} übernommen")
    assert (said.destination.number, said.registered_delivery) == (NUMBER[1:], 0)


@pytest.mark.parametrize("coding", [3, 8])
def test_answers_come_in_several_alphabets(ward: Ward, centre: Centre, coding: int) -> None:
    gateway(centre)
    warn(ward)
    text = f"übernehme {Alert.objects.get().code}"
    assert (
        centre.deliver(text.encode("latin-1" if coding == 3 else "utf-16-be"), coding=coding) == 0
    )
    assert Alert.objects.get().acknowledged_by == "Wehr"


def test_an_answer_in_a_parameter_of_its_own(ward: Ward, centre: Centre) -> None:
    gateway(centre)
    warn(ward)
    text = f"ok {Alert.objects.get().code}".encode()
    assert centre.deliver(b"", extras={0x0424: text}) == 0
    assert Alert.objects.get().acknowledged_by == "Wehr"


@pytest.mark.parametrize("by_header", [True, False])
def test_parts_of_an_answer_are_put_together_in_any_order(
    ward: Ward, centre: Centre, by_header: bool
) -> None:
    gateway(centre)
    warn(ward)
    pieces = {1: f"ok {Alert.objects.get().code} bin ", 2: "in zehn ", 3: "Minuten da"}
    asked = []
    for number in (3, 1, 2):
        text = pieces[number].encode()
        header = bytes((6, 8, 4, 1, 99, 3, number)) if by_header else b""
        extras = {0x20C: b"\x01\x63", 0x20E: b"\x03", 0x20F: bytes((number,))}
        asked.append(
            centre.deliver(
                header + text,
                esm_class=0x40 if by_header else 0,
                extras={} if by_header else extras,
                wait=False,
            )
        )
        if number != 2:
            assert centre.answer(asked[-1] or 0, 0.1) is None
    assert [centre.answer(sequence or 0) for sequence in asked] == [0, 0, 0]
    note = AlertNote.objects.get(act=AlertNote.Act.ACKNOWLEDGED)
    assert note.why == "bin in zehn Minuten da"


def test_a_centre_that_sends_part_by_part_is_not_waited_for(ward: Ward, centre: Centre) -> None:
    gateway(centre)
    warn(ward)
    text = f"ok {Alert.objects.get().code} ".encode()
    assert centre.deliver(bytes((5, 0, 3, 9, 2, 1)) + text, esm_class=0x40) == 0
    assert Alert.objects.get().acknowledged_by == "Wehr"
    assert centre.deliver(bytes((5, 0, 3, 9, 2, 2)) + b"ok", esm_class=0x40) == 0
    assert len(centre.taken) == 2  # the warning, and one confirmation


def test_what_cannot_be_kept_stays_with_the_centre(
    ward: Ward, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway(centre)
    warn(ward)
    text = b"ok %d" % Alert.objects.get().code
    with monkeypatch.context() as broken:
        broken.setattr("stadtherz.alerts.outbox.hearing.by_sms", _full)
        assert centre.deliver(text) == 0x64
    assert Alert.objects.get().acknowledged_at is None
    assert centre.deliver(text) == 0
    assert Alert.objects.get().acknowledged_by == "Wehr"


def _full(_sender: str, _text: str) -> str | None:
    raise OSError("No space left on device")


@pytest.mark.parametrize(
    ("message", "esm_class", "coding"),
    [
        (b"\x00\xff\x00", 0, 4),  # binary
        (b"\xff", 0x40, 0),  # a header longer than the message
        (b"", 0x40, 0),
        (b"\xd8\x00", 0, 8),  # half a letter
        (b"\xff\xfe\xfd", 0, 0),
        (b"anything", 0x08, 0),  # a telephone's own acknowledgement
        (b"no receipt at all", 0x04, 0),
    ],
)
def test_odd_messages_are_thanked_for_and_do_nothing(
    ward: Ward, centre: Centre, message: bytes, esm_class: int, coding: int
) -> None:
    gateway(centre)
    warn(ward)
    assert centre.deliver(message, esm_class=esm_class, coding=coding) == 0
    assert Alert.objects.get().acknowledged_at is None


def test_a_broken_deliver_sm_is_refused_and_the_line_lives(ward: Ward, centre: Centre) -> None:
    gateway(centre)
    warn(ward)
    centre.raw(smsc._pdu(0x05, 77, b"\0\x01\x01no end"))
    assert centre.answer(77) == 2
    assert centre.receipt("m-6699") == 0
    assert len(centre.binds) == 1


def test_the_line_is_there_to_hear_also_when_nothing_is_sent(ward: Ward, centre: Centre) -> None:
    gateway(centre)
    change(ward.goes(0, 1, observation=1))
    listen()
    assert eventually(lambda: len(centre.lines) == 1)
    assert centre.deliver(b"ok %d" % Alert.objects.get().code) == 0
    assert Alert.objects.get().acknowledged_by == "Wehr"


def test_sending_goes_on_while_something_is_heard(centre: Centre) -> None:
    """A receipt that takes long to keep holds up no warning."""
    goes_on = threading.Event()
    account = Account("127.0.0.1", centre.port, "stadt", "geheim", tls=False)

    def slowly(_heard: object) -> None:
        goes_on.wait(30)

    session = Session(account, slowly)
    sends = Smpp(account, smpp_wishes(settings_for(centre)), lambda: session)
    session.ready()
    sequence = centre.deliver(b"ok 1", wait=False)
    sends.send(NUMBER, "Test", "7", goes_next=lambda: None)
    assert centre.texts == ["Test"]
    assert not centre.answered(sequence or 0)
    goes_on.set()
    assert centre.answer(sequence or 0) == 0
    session.end()


def test_silence_is_perhaps() -> None:
    with smsc.running() as centre:
        centre.says.append(SILENT)
        sends = carrier(centre)
        with pytest.raises(PerhapsHandedOver):
            sends.send(NUMBER, "Test", "7", goes_next=lambda: None)
        sends.session().end()
