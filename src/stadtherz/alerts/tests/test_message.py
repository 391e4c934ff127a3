"""What an e-mail looks like: readable without its HTML, in the reader's language, and safe."""

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from stadtherz.alerts.channels.mail import ascii_address, compose
from stadtherz.alerts.channels.post import PostOffice
from stadtherz.alerts.models import AlertEvent
from stadtherz.alerts.outbox.readers import Reader
from stadtherz.base.mailserver import MailServer

POST = PostOffice(
    server=MailServer("mail.example", 25),
    sender="warnung@stadt.example",
    city="Kaiserslautern",
    public_url="https://stadt.example",
)
TEXTS = {
    "de": {
        "subject": "Vorwarnung: Pegel Lauterstraße bei 94 cm",
        "sentence": "Die Lauter steht bei 94 cm & steigt.",
        "facts": [["Wasserstand", "94 cm"], ["Zeit", "14:20 Uhr"]],
        "link": "/pegel/lauterstrasse/",
    },
    "en": {
        "subject": "Early warning: gauge at 94 cm",
        "sentence": "The Lauter stands at 94 cm.",
        "facts": [],
        "link": "/en/pegel/lauterstrasse/",
    },
}


def mail(
    language: str = "de", *, name: str = "Wehr", contact: int = 3, **texts: Any
) -> EmailMessage:
    known = {**TEXTS, language: {**TEXTS[language], **texts}}
    return compose(
        AlertEvent(alert_id=1, cause="observation:77", texts=known),
        Reader(str(contact), name, language, "wehr@stadt.example"),
        POST,
        date=datetime(2026, 11, 26, 7, tzinfo=UTC),
    )


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_the_plain_sentence_comes_first() -> None:
    assert text_of(mail(), "plain").startswith("Die Lauter steht bei 94 cm & steigt.\n")


def test_the_details_and_the_address_of_the_page_follow() -> None:
    text = text_of(mail(), "plain")
    assert "Wasserstand: 94 cm\nZeit: 14:20 Uhr" in text
    assert "https://stadt.example/pegel/lauterstrasse/" in text


def test_it_says_why_it_came_and_how_to_be_removed() -> None:
    assert "Kaiserslautern" in text_of(mail("en"), "plain").rpartition("-- \n")[2]
    assert "To be removed" in text_of(mail("en"), "plain")


def test_the_html_escapes_what_staff_wrote() -> None:
    page = text_of(mail(sentence="<script>alert(1)</script>"), "html")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_each_reader_gets_their_language() -> None:
    assert "The Lauter stands at 94 cm." in text_of(mail("en"), "plain")
    assert mail("en")["Content-Language"] == "en"


def test_the_message_id_depends_on_event_and_contact_alone() -> None:
    assert mail()["Message-ID"] == mail("en")["Message-ID"]
    assert mail()["Message-ID"] != mail(contact=4)["Message-ID"]


def test_machines_are_asked_not_to_answer() -> None:
    assert mail()["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("evil", ["Wehr\r\nBcc: all@stadt.example", "Wehr\nX: y"])
def test_a_name_with_line_ends_adds_no_header(evil: str) -> None:
    message = mail(name=evil, subject=evil)
    assert "Bcc" not in message
    assert "X" not in message


def test_an_umlaut_domain_is_written_as_the_dns_has_it() -> None:
    assert ascii_address("wehr@müller.example") == "wehr@xn--mller-kva.example"
