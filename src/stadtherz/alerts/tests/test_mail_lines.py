"""Lines to real mail servers: TLS, names and passwords, lines that are used again, servers that misbehave."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.channels.smtp import Lines, check, hand_over
from stadtherz.alerts.tests.test_mail import message
from stadtherz.base.mailserver import MailServer
from stadtherz.base.time import now

Signed = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(name: str, signer: Signed | None = None) -> Signed:
    """For a host, signed by an authority; without one it is an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    host = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer[0].subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
    )
    return made.sign(signer[1] if signer else key, hashes.SHA256()), key


def pem(made: Signed) -> bytes:
    return made[0].public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> "Town":
    return Town(tmp_path_factory.mktemp("ca"))


class Town:
    """The town's own authority, and contexts for servers with its certificates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = certificate("Stadt CA")
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(pem(self.authority))

    def context(self, name: str = "127.0.0.1") -> ssl.SSLContext:
        made = certificate(name, self.authority)
        file = self.folder / f"{name}.pem"
        key = made[1].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file.write_bytes(key + pem(made))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


class Post:
    """Takes what comes; counts lines and notes the way each message came."""

    def __init__(self) -> None:
        self.lines: list[object] = []
        self.came: list[tuple[bool, bool]] = []  # encrypted, logged in
        self.refuse: Callable[[str], str | None] = lambda _recipient: None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if (reply := self.refuse(address)) is not None:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, _envelope: Envelope) -> str:  # noqa: N802
        if session not in self.lines:
            self.lines.append(session)
        self.came.append((session.ssl is not None, session.authenticated))
        return "250 OK"


def knows(
    _server: SMTP, _session: Session, _envelope: Envelope, _way: str, given: Any
) -> AuthResult:
    right = isinstance(given, LoginPassword) and given == LoginPassword(b"stadt", b"geheim")
    return AuthResult(success=right, handled=False)


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Post, int]]]:
    """Starts servers with aiosmtpd's options; gives what they take and the port."""
    running: list[Controller] = []

    def start(**options: Any) -> tuple[Post, int]:
        post = Post()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = Controller(post, hostname="127.0.0.1", port=port, **options)
        server.start()
        running.append(server)
        return post, port

    yield start
    for server in running:
        server.stop()


def send(server: MailServer, lines: Lines | None = None, to: str = "b@stadt.example") -> None:
    give = hand_over if lines is None else lines.hand_over
    give(
        server,
        message(),
        sender="a@stadt.example",
        recipient=to,
        before_text=lambda: None,
        before_dot=lambda: None,
    )


def refused(server: MailServer, lines: Lines | None = None) -> NotHandedOver:
    with pytest.raises(NotHandedOver) as problem:
        send(server, lines)
    return problem.value


# --- TLS and passwords ---------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_a_server_with_the_towns_own_certificate_is_believed(
    town: Town, serve: Any, way: str
) -> None:
    options = {"tls_context" if way == "starttls" else "ssl_context": town.context()}
    post, port = serve(**options)
    send(MailServer("127.0.0.1", port, ca=str(town.ca), **{way: True}))  # type: ignore[arg-type]
    # aiosmtpd notes encryption only after STARTTLS; the other server hears nobody without it.
    assert [encrypted for encrypted, _known in post.came] == [way == "starttls"]


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_a_certificate_of_a_stranger_ends_it(town: Town, serve: Any, way: str) -> None:
    options = {"tls_context" if way == "starttls" else "ssl_context": town.context()}
    post, port = serve(**options)
    problem = refused(MailServer("127.0.0.1", port, **{way: True}))  # type: ignore[arg-type]
    assert (problem.unreached, problem.permanent, post.came) == (True, False, [])
    assert "CERTIFICATE_VERIFY_FAILED" in str(problem)


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_a_certificate_of_another_name_ends_it(town: Town, serve: Any, way: str) -> None:
    name = "mail.other.example"
    options = {"tls_context" if way == "starttls" else "ssl_context": town.context(name)}
    post, port = serve(**options)
    refused(MailServer("127.0.0.1", port, ca=str(town.ca), **{way: True}))  # type: ignore[arg-type]
    assert post.came == []


def test_without_the_starttls_that_was_asked_for_nothing_is_said(serve: Any) -> None:
    post, port = serve()
    problem = refused(MailServer("127.0.0.1", port, user="stadt", password="geheim", starttls=True))
    assert "STARTTLS" in str(problem)
    assert post.came == []


@pytest.mark.parametrize("kept", [["LOGIN"], ["PLAIN"]])
def test_the_right_password_is_taken_either_way(town: Town, serve: Any, kept: list[str]) -> None:
    others = [way for way in ("LOGIN", "PLAIN") if way not in kept]
    options = {"authenticator": knows, "auth_required": True, "auth_exclude_mechanism": others}
    post, port = serve(tls_context=town.context(), **options)
    server = MailServer("127.0.0.1", port, "stadt", "geheim", starttls=True, ca=str(town.ca))
    check(server)
    send(server)
    assert post.came == [(True, True)]


def test_a_wrong_password_is_the_accounts_fault_and_no_message_is_to_blame(
    town: Town, serve: Any
) -> None:
    post, port = serve(tls_context=town.context(), authenticator=knows, auth_required=True)
    server = MailServer("127.0.0.1", port, "stadt", "falsch", starttls=True, ca=str(town.ca))
    problem = refused(server)
    assert (problem.account, problem.alone, post.came) == (True, False, [])
    assert "535" in str(problem)


def test_a_file_of_the_authority_that_is_missing_is_named(serve: Any, tmp_path: Path) -> None:
    _post, port = serve()
    missing = MailServer("127.0.0.1", port, starttls=True, ca=str(tmp_path / "none.pem"))
    assert refused(missing).unreached


# --- lines that are used again -------------------------------------------------------------------


def test_many_messages_go_over_one_line(serve: Any) -> None:
    post, port = serve()
    lines = Lines()
    for _number in range(5):
        send(MailServer("127.0.0.1", port), lines)
    lines.close()
    assert (len(post.came), len(post.lines)) == (5, 1)


def test_a_refused_recipient_leaves_the_line_for_the_next(serve: Any) -> None:
    post, port = serve()
    post.refuse = lambda to: "550 unknown" if to.startswith("x") else None
    lines, server = Lines(), MailServer("127.0.0.1", port)
    send(server, lines)
    with pytest.raises(NotHandedOver, match="550 unknown") as problem:
        send(server, lines, "x@stadt.example")
    send(server, lines)
    lines.close()
    assert problem.value.permanent
    assert (len(post.came), len(post.lines)) == (2, 1)


def test_a_stranger_is_asked_to_come_again_and_comes(serve: Any) -> None:
    post, port = serve()
    asked = iter(["451 4.7.1 greylisted", None])
    post.refuse = lambda _to: next(asked)
    lines, server = Lines(), MailServer("127.0.0.1", port)
    problem = refused(server, lines)
    assert (problem.permanent, problem.alone) == (False, True)
    send(server, lines)
    lines.close()
    assert len(post.came) == 1


# --- servers that misbehave ----------------------------------------------------------------------


class Actor:
    """A server that says its lines one after the other, one script for each connection.

    None ends the connection; a text is said; after "354" everything up to the dot is read.
    """

    def __init__(self, *scripts: list[str | None]) -> None:
        self.heard: list[bytes] = []
        self.calls = 0
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.close()
        self._thread.join(timeout=10)

    def _play(self) -> None:
        for script in self._scripts:
            try:
                caller, _address = self._listener.accept()
            except OSError:
                return
            self.calls += 1
            with caller, caller.makefile("rb") as told:
                for line in script:
                    if line is None:
                        break
                    caller.sendall(line.encode("latin-1") + b"\r\n")
                    self._hear(told, whole=line.startswith("354"))

    def _hear(self, told: Any, *, whole: bool) -> None:
        while (line := told.readline()) and whole and line != b".\r\n":
            self.heard.append(line)
        self.heard.append(line)


HELLO: list[str | None] = ["220 mail", "250 mail", "250 OK", "250 OK", "354 go on", "250 taken"]


@pytest.fixture
def acting() -> Iterator[Callable[..., Actor]]:
    actors: list[Actor] = []

    def play(*scripts: list[str | None]) -> Actor:
        actors.append(Actor(*scripts))
        return actors[-1]

    yield play
    for actor in actors:
        actor.close()


@pytest.mark.parametrize("steps", range(5))
def test_a_server_that_drops_the_line_before_the_dot_does_not_have_it(
    acting: Callable[..., Actor], steps: int
) -> None:
    actor = acting([*HELLO[:steps], None])
    problem = refused(MailServer("127.0.0.1", actor.port))
    assert not problem.permanent


def test_a_server_that_drops_the_line_after_the_dot_may_have_it(
    acting: Callable[..., Actor],
) -> None:
    actor = acting([*HELLO[:5], None])
    with pytest.raises(PerhapsHandedOver):
        send(MailServer("127.0.0.1", actor.port))


@pytest.mark.parametrize("steps", range(5))
def test_nonsense_before_the_dot_means_not_handed_over(
    acting: Callable[..., Actor], steps: int
) -> None:
    actor = acting([*HELLO[:steps], "HTTP/1.1 400 Bad Request", None])
    assert not refused(MailServer("127.0.0.1", actor.port)).permanent


def test_an_old_line_that_has_died_costs_the_next_message_nothing(
    acting: Callable[..., Actor],
) -> None:
    actor = acting([*HELLO, None], HELLO)
    lines = Lines()
    for _number in range(2):
        send(MailServer("127.0.0.1", actor.port), lines)
    lines.close()
    assert actor.calls == 2
    assert actor.heard.count(b".\r\n") == 2


def test_a_server_that_wants_no_more_on_this_line_gets_a_new_one(
    acting: Callable[..., Actor],
) -> None:
    actor = acting([*HELLO, "421 too many messages"], HELLO)
    lines = Lines()
    for _number in range(2):
        send(MailServer("127.0.0.1", actor.port), lines)
    lines.close()
    assert actor.calls == 2


def test_a_new_line_that_fails_is_not_tried_again_at_once(acting: Callable[..., Actor]) -> None:
    actor = acting([*HELLO, None], ["220 mail", None], HELLO)
    lines, server = Lines(), MailServer("127.0.0.1", actor.port)
    send(server, lines)
    assert refused(server, lines).unreached
    assert actor.calls == 2


def test_a_message_that_may_have_arrived_is_not_given_to_a_new_line(
    acting: Callable[..., Actor],
) -> None:
    actor = acting([*HELLO, "250 OK", "250 OK", "354 go on", None], HELLO)
    lines, server = Lines(), MailServer("127.0.0.1", actor.port)
    send(server, lines)
    with pytest.raises(PerhapsHandedOver):
        send(server, lines)
    assert actor.calls == 1
