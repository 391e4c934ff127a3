"""The steps of SMTP against a real server: what each answer means for the message."""

import socket
from email.message import EmailMessage

import pytest

from stadtherz.alerts.channels.smtp import (
    NotHandedOver,
    PerhapsHandedOver,
    body,
    hand_over,
)
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.base.mailserver import MailServer as Server


def message(text: str = "Die Lauter steigt.\n") -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = "Vorwarnung", "a@stadt.example", "b@stadt.example"
    made["Message-ID"] = "<1@stadt.example>"
    made.set_content(text)
    return made


def nothing() -> None:
    return None


def send(
    mails: MailServer, made: EmailMessage | None = None, before: list[str] | None = None
) -> None:
    steps = [] if before is None else before
    hand_over(
        Server.from_url(mails.url),
        made or message(),
        sender="a@stadt.example",
        recipient="b@stadt.example",
        before_text=lambda: steps.append("before text"),
        before_dot=lambda: steps.append("before dot"),
    )


def test_a_message_arrives_once(mails: MailServer) -> None:
    send(mails)
    assert mails.subjects() == ["Vorwarnung"]


def test_lines_that_begin_with_dots_arrive_unchanged(mails: MailServer) -> None:
    send(mails, message(".\n..zwei\n. eins\n"))
    assert mails.received()[0].get_content().split() == [".", "..zwei", ".", "eins"]


def test_the_body_ends_with_a_line_end_and_without_the_dot() -> None:
    assert body(message("Ende")).endswith(b"Ende\r\n")


def test_the_caller_is_asked_before_the_text_and_before_the_dot(mails: MailServer) -> None:
    steps: list[str] = []
    send(mails, before=steps)
    assert steps == ["before text", "before dot"]


def test_a_withdrawn_message_never_reaches_the_server(mails: MailServer) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        hand_over(
            Server.from_url(mails.url), message(), sender="a@b.example", recipient="c@d.example",
            before_text=stop, before_dot=nothing,
        )  # fmt: skip
    send(mails)
    assert len(mails.received()) == 1


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize(("reply", "permanent"), [("451 later", False), ("550 never", True)])
def test_a_refusal_before_the_text_means_not_handed_over(
    mails: MailServer, stage: str, reply: str, permanent: bool
) -> None:
    mails.answer(stage, reply)
    steps: list[str] = []
    with pytest.raises(NotHandedOver, match=reply) as refused:
        send(mails, before=steps)
    assert refused.value.permanent is permanent
    assert (steps, mails.received()) == ([], [])


def test_a_refusal_after_the_dot_means_not_handed_over(mails: MailServer) -> None:
    mails.answer("accepted", "452 disk full")
    with pytest.raises(NotHandedOver, match="452 disk full"):
        send(mails)


def test_a_server_that_falls_silent_after_the_dot_leaves_doubt(mails: MailServer) -> None:
    server = Server.from_url(mails.url)
    with pytest.raises(PerhapsHandedOver):
        hand_over(
            server, message(), sender="a@b.example", recipient="c@d.example",
            before_text=nothing, before_dot=mails.kill_server,
        )  # fmt: skip


def test_nobody_listening_means_not_handed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotHandedOver):
        hand_over(
            Server("127.0.0.1", port), message(), sender="a@b.example", recipient="c@d.example",
            before_text=nothing, before_dot=nothing,
        )  # fmt: skip
