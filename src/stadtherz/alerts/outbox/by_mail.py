"""The lane of e-mail: how one delivery becomes a mail and is handed to the first relay that takes it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from email.errors import MessageError
from email.message import EmailMessage
from functools import partial

from django.db.models import QuerySet

from stadtherz.alerts.channels import smtp
from stadtherz.alerts.channels.mail import ascii_address, compose
from stadtherz.alerts.channels.post import PostOffice, post_office, relay_of
from stadtherz.alerts.channels.smtp import Lines
from stadtherz.alerts.channels.vault import opened
from stadtherz.alerts.models import AlertEvent, Channel, Delivery, Gateway
from stadtherz.alerts.outbox import deliveries, ways
from stadtherz.alerts.outbox.curves import Curves
from stadtherz.alerts.outbox.deliveries import Claim
from stadtherz.alerts.outbox.readers import Reader
from stadtherz.alerts.outbox.ways import Way
from stadtherz.alerts.outbox.witness import Witness
from stadtherz.base.errors import Invalid
from stadtherz.base.mailserver import MailServer
from stadtherz.base.time import now

logger = logging.getLogger(__name__)

SETTING = "STADTHERZ_SMTP_URL"
_PER_SECOND = 1000.0


@dataclass(frozen=True, slots=True)
class MailLane:
    """Sends by the relays of the table, in their order, on lines that stay while there is more to send."""

    post: PostOffice
    ways: Sequence[Way[MailServer]]
    lines: Lines = field(default_factory=Lines)
    curves: Curves = field(default_factory=Curves)

    def send(self, delivery: Delivery, reader: Reader, claimed: Claim, witness: Witness) -> None:
        letter = self._written(delivery, reader)
        if letter is None:
            deliveries.mark_failed(claimed, "The message cannot be written; see the log.")
            return
        message, recipient = letter

        def give(way: Way[MailServer]) -> str:
            name = way.gateway.name
            self.lines.hand_over(
                way.carrier,
                message,
                sender=self.post.sender,
                recipient=recipient,
                before_text=partial(
                    deliveries.mark_handing_over, claimed, message["Message-ID"], name
                ),
                before_dot=partial(witness.dot_goes_next, claimed.delivery),
                patience=smtp.PATIENT if way.alone else smtp.BRISK,
            )
            return ""  # it keeps its Message-ID

        ways.hand_on(self.ways, claimed, recipient, give)

    def rests_until(self) -> int | None:
        return ways.rests_until(self.ways)

    def hang_up(self) -> None:
        """All that was due has been tried: no server need wait for more."""
        self.lines.close()

    def _written(self, delivery: Delivery, reader: Reader) -> tuple[EmailMessage, str] | None:
        """The message and its recipient; None if that fails, which trying again would not change."""
        try:
            message = compose(
                delivery.event,
                reader,
                self.post,
                date=now(),
                first=_first_told(delivery),
                curve=self.curves.of(delivery.event, reader.language, public=bool(reader.leave)),
            )
            return message, ascii_address(reader.address)
        except (ValueError, LookupError, MessageError):  # UnicodeError is a ValueError
            logger.exception(
                "the message of event %s to reader %s is broken", delivery.event_id, reader.key
            )
            return None


def mail_lane() -> MailLane | None:
    """None if no mail server is set, neither in the environment nor in the table."""
    rows = relays()
    post = post_office()
    found = ways.opened(rows, server_of)
    return MailLane(post, found) if found else None


def relays() -> list[Gateway]:
    """The relays that are switched on; that of the environment gets its row with the first look."""
    post = post_office()
    rows = ways.active(channel=Channel.EMAIL.value)
    own = [row for row in rows if row.settings.get("from") == SETTING]
    if post.server is None:
        return [row for row in rows if row not in own]
    known = Gateway.objects.filter(channel=Channel.EMAIL, settings={"from": SETTING})
    if not own and not known.exists():
        row, _made = Gateway.objects.get_or_create(
            name=SETTING,
            defaults={
                "channel": Channel.EMAIL,
                "kind": Gateway.Kind.SMTP,
                "settings": {"from": SETTING},
                "position": 0,
                "per_second": _PER_SECOND,
            },
        )
        rows.insert(0, row)
    return rows


def in_use() -> QuerySet[Gateway]:
    """All gateways that are switched on, of all ways; not the row of a setting that is set no more."""
    rows = Gateway.objects.filter(active=True)
    if post_office().server is None:
        rows = rows.exclude(channel=Channel.EMAIL, settings={"from": SETTING})
    return rows


def server_of(row: Gateway) -> MailServer:
    """Where this relay is. Raises Invalid where its settings do not fit."""
    if row.settings.get("from") == SETTING:
        server = post_office().server
        if server is None:
            raise Invalid(SETTING, "is not set")
        return server
    return replace(relay_of(row.settings), password=opened(row.secret))


def _first_told(delivery: Delivery) -> AlertEvent | None:
    """The event of this alert that the same person's first mail told of; None if this is the first."""
    earlier = Delivery.objects.filter(
        event__alert=delivery.event.alert_id, channel=Channel.EMAIL, pk__lt=delivery.pk
    )
    if delivery.subscriber_id is not None:
        earlier = earlier.filter(subscriber=delivery.subscriber_id)
    else:
        earlier = earlier.filter(contact=delivery.contact_id)
    first = earlier.select_related("event").order_by("pk").first()
    return None if first is None or first.event_id == delivery.event_id else first.event
