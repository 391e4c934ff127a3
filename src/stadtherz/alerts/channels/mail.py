"""One delivery as an e-mail: plain text and simple HTML, in the contact's language."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as _SMTP
from email.utils import format_datetime, make_msgid
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.channels.post import PostOffice
from stadtherz.alerts.models import AlertEvent
from stadtherz.alerts.outbox.readers import Reader

# Seven bits reach every server, also one without 8BITMIME.
_POLICY = _SMTP.clone(cte_type="7bit")


def compose(event: AlertEvent, reader: Reader, post: PostOffice, *, date: datetime) -> EmailMessage:
    """The message that tells `reader` about `event`; the same input gives the same message id."""
    with override(reader.language):
        wording = event.texts.get(reader.language) or next(iter(event.texts.values()))
        footer = _footer(reader, post)
        answer = f"{post.public_url}{reader.answer}" if reader.answer else ""
        text = _plain(wording, post, answer, footer)
        page = _html(wording, post, answer, footer)
    message = EmailMessage(policy=_POLICY)
    message["Subject"] = _one_line(wording["subject"])
    message["From"] = Address(_one_line(post.city), addr_spec=post.sender)
    message["To"] = Address(_one_line(reader.name), addr_spec=ascii_address(reader.address))
    message["Date"] = format_datetime(date)
    message["Message-ID"] = message_id(event, reader.key, post.sender)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
    message["X-Auto-Response-Suppress"] = "All"
    if reader.leave:  # RFC 8058: one press in the mail program, without a page
        message["List-Unsubscribe"] = f"<{post.public_url}{reader.leave}ende>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text)
    message.add_alternative(page, subtype="html")
    message["Content-Language"] = reader.language
    return message


def trial(post: PostOffice, address: str, text: str, *, date: datetime) -> EmailMessage:
    """A mail that somebody sends to see whether mails arrive."""
    message = EmailMessage(policy=_POLICY)
    message["Subject"] = _("Test message")
    message["From"] = Address(_one_line(post.city), addr_spec=post.sender)
    message["To"] = ascii_address(address)
    message["Date"] = format_datetime(date)
    message["Message-ID"] = make_msgid(domain=post.sender.rpartition("@")[2])
    message.set_content(f"{text}\n")
    return message


def message_id(event: AlertEvent, reader: str, sender: str) -> str:
    """Made from event and reader alone: a mailbox that gets it twice can know it."""
    named = f"{event.alert_id}/{event.cause}/{reader}"
    digest = hashlib.sha256(named.encode()).hexdigest()[:40]
    return f"<{digest}@{sender.rpartition('@')[2]}>"


def ascii_address(address: str) -> str:
    """The address with its domain as it stands in the DNS (IDNA), for servers without SMTPUTF8."""
    local, _at, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


def _plain(wording: Mapping[str, Any], post: PostOffice, answer: str, footer: str) -> str:
    facts = "\n".join(f"{label}: {value}" for label, value in wording["facts"])
    details = _("All details:")
    taken = _("I take this on:") + f" {answer}\n\n" if answer else ""
    return (
        f"{wording['sentence']}\n\n{taken}{facts}\n\n"
        f"{details} {post.public_url}{wording['link']}\n\n"
        f"-- \n{footer}\n"
    )


def _html(wording: Mapping[str, Any], post: PostOffice, answer: str, footer: str) -> str:
    rows = format_html_join(
        "",
        '<tr><th align="left" style="padding:2px 16px 2px 0;font-weight:normal">{}</th>'
        "<td><strong>{}</strong></td></tr>",
        wording["facts"],
    )
    return format_html(
        '<!doctype html><html><body style="font-family:sans-serif;font-size:16px;line-height:1.5">'
        '<p style="font-size:18px"><strong>{}</strong></p>{}<table>{}</table>'
        '<p><a href="{}{}">{}</a></p><hr><p style="color:#555">{}</p></body></html>',
        wording["sentence"],
        _button(answer),
        rows,
        post.public_url,
        wording["link"],
        _("See all details"),
        footer,
    )


def _button(answer: str) -> str:
    if not answer:
        return ""
    return format_html(
        '<p><a href="{}" style="display:inline-block;padding:12px 20px;background:#00527c;color:#ffffff;'
        'text-decoration:none;border-radius:6px">{}</a></p>',
        answer,
        _("I take this on"),
    )


def _footer(reader: Reader, post: PostOffice) -> str:
    if reader.leave:
        return _(
            "You get this message because you have subscribed to warnings of %(city)s. Change or end that: %(url)s"
        ) % {"city": post.city, "url": f"{post.public_url}{reader.leave}"}
    return _(
        "You get this message because %(city)s has put you on a list of people to be warned. "
        "To be removed, reply to this message or tell the person who runs the list."
    ) % {"city": post.city}


def _one_line(text: str) -> str:
    """Header text without line ends, which could smuggle in further headers."""
    return " ".join(text.split())
