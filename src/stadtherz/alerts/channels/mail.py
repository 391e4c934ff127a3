"""One delivery as an e-mail: plain text and simple HTML, in the contact's language."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as _SMTP
from email.utils import format_datetime, make_msgid
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from stadtherz.alerts.channels.curve import Picture
from stadtherz.alerts.channels.post import PostOffice
from stadtherz.alerts.models import AlertEvent
from stadtherz.alerts.outbox.readers import Reader

# Seven bits reach every server, also one without 8BITMIME.
_POLICY = _SMTP.clone(cte_type="7bit")
_CURVE = "curve"


def compose(
    event: AlertEvent,
    reader: Reader,
    post: PostOffice,
    *,
    date: datetime,
    first: AlertEvent | None = None,
    curve: Picture | None = None,
) -> EmailMessage:
    """The message that tells `reader` about `event`; the same input gives the same message id.

    `first` is what this reader was told of the alert before anything else: mail programs lay all later
    messages beside it (RFC 5322 §3.6.4). `curve` stands below the facts, as a picture and as a table.
    """
    with override(reader.language):
        wording = event.wording(reader.language)
        footer = _footer(reader, post)
        answer = f"{post.public_url}{reader.answer}" if reader.answer else ""
        taken = _Taking(answer, reader.code)
        text = _plain(wording, post, taken, curve, footer)
        page = _html(wording, post, taken, curve, footer)
    message = EmailMessage(policy=_POLICY)
    message["Subject"] = _one_line(wording["subject"])
    message["From"] = Address(_one_line(post.city), addr_spec=post.sender)
    message["To"] = Address(_one_line(reader.name), addr_spec=ascii_address(reader.address))
    message["Date"] = format_datetime(date)
    message["Message-ID"] = message_id(event, reader.key, post.sender)
    if first is not None:
        before = message_id(first, reader.key, post.sender)
        message["In-Reply-To"] = message["References"] = before
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
    message["X-Auto-Response-Suppress"] = "All"
    if reader.leave:  # RFC 8058: one press in the mail program, without a page
        message["List-Unsubscribe"] = f"<{post.public_url}{reader.leave}ende>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text)
    message.add_alternative(page, subtype="html")
    if curve is not None and curve.png:
        _inline(message, curve)
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


@dataclass(frozen=True, slots=True)
class _Taking:
    """How the reader can take the alert on: the address of a page, and what is answered by SMS."""

    address: str
    code: int | None

    @property
    def by_sms(self) -> str:
        if self.code is None:
            return ""
        return _(
            "Number of this alert: %(code)s. Who gets it by SMS can also answer “OK %(code)s” there."
        ) % {"code": self.code}


def _inline(message: EmailMessage, curve: Picture) -> None:
    """The picture beside the page that shows it: multipart/related within multipart/alternative."""
    parts: Any = message.get_payload()
    parts[1].add_related(
        curve.png,
        "image",
        "png",
        cid=f"<{_CURVE}>",
        filename=f"{_CURVE}.png",
        disposition="inline",
    )


def _plain(
    wording: Mapping[str, Any],
    post: PostOffice,
    taking: _Taking,
    curve: Picture | None,
    footer: str,
) -> str:
    facts = "\n".join(f"{label}: {value}" for label, value in wording["facts"])
    details = _("All details:")
    taken = f"{_('I take this on:')} {taking.address}\n\n" if taking.address else ""
    number = f"{taking.by_sms}\n\n" if taking.by_sms else ""
    table = f"{_text_table(curve)}\n\n" if curve is not None else ""
    return (
        f"{wording['sentence']}\n\n{taken}{number}{facts}\n\n{table}"
        f"{details} {post.public_url}{wording['link']}\n\n"
        f"-- \n{footer}\n"
    )


def _text_table(curve: Picture) -> str:
    """Times to the left, values to the right, so that the digits stand below one another."""
    wide = max(len(time) for time, _value, _note in curve.rows)
    deep = max(len(value) for _time, value, _note in curve.rows)
    rows = (f"{t:<{wide}}  {value:>{deep}}  {note}".rstrip() for t, value, note in curve.rows)
    return "\n".join([curve.title, curve.sentence, "", *rows])


def _html(
    wording: Mapping[str, Any],
    post: PostOffice,
    taking: _Taking,
    curve: Picture | None,
    footer: str,
) -> str:
    rows = format_html_join(
        "",
        '<tr><th align="left" style="padding:2px 16px 2px 0;font-weight:normal">{}</th>'
        "<td><strong>{}</strong></td></tr>",
        wording["facts"],
    )
    return format_html(
        '<!doctype html><html lang="{}"><body style="font-family:sans-serif;font-size:16px;line-height:1.5">'
        '<p style="font-size:18px"><strong>{}</strong></p>{}<table>{}</table>{}'
        '<p><a href="{}{}">{}</a></p><hr><p style="color:#555">{}</p></body></html>',
        get_language() or "de",
        wording["sentence"],
        _button(taking),
        rows,
        "" if curve is None else _html_curve(curve),
        post.public_url,
        wording["link"],
        _("See all details"),
        footer,
    )


def _html_curve(curve: Picture) -> str:
    rows = format_html_join(
        "",
        '<tr><td style="padding:2px 16px 2px 0">{}</td>'
        '<td align="right" style="padding:2px 16px 2px 0">{}</td><td>{}</td></tr>',
        curve.rows,
    )
    shown = ""
    if curve.png:
        shown = format_html(
            '<p><img src="cid:{}" width="{}" height="{}" alt="{}" '
            'style="max-width:100%;height:auto;border-radius:6px"></p>',
            *(_CURVE, curve.width, curve.height, curve.sentence),
        )
    return format_html(
        '{}<table><caption align="top" style="text-align:left;font-weight:bold">{}</caption>'
        '<thead><tr><th align="left">{}</th><th align="right" style="padding-right:16px">{}</th><th></th></tr>'
        "</thead><tbody>{}</tbody></table>",
        *(shown, curve.title, _("Time"), _("Value"), rows),
    )


def _button(taking: _Taking) -> str:
    if not taking.address:
        return ""
    return format_html(
        '<p><a href="{}" style="display:inline-block;padding:12px 20px;background:#00527c;color:#ffffff;'
        'text-decoration:none;border-radius:6px">{}</a></p>{}',
        taking.address,
        _("I take this on"),
        format_html("<p>{}</p>", taking.by_sms) if taking.by_sms else "",
    )


def _footer(reader: Reader, post: PostOffice) -> str:
    if reader.leave:
        return _(
            "You get this message because you have subscribed to warnings of %(city)s. Change or end that: %(url)s"
        ) % {"city": post.city, "url": f"{post.public_url}{reader.leave}"}
    if reader.staff:
        return _("You get this message because you look after the contact lists in %(city)s.") % {
            "city": post.city
        }
    return _(
        "You get this message because %(city)s has put you on a list of people to be warned. "
        "To be removed, reply to this message or tell the person who runs the list."
    ) % {"city": post.city}


def _one_line(text: str) -> str:
    """Header text without line ends, which could smuggle in further headers."""
    return " ".join(text.split())
