"""The lane of e-mail: how one delivery becomes a mail and is handed to the mail server."""

import logging
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from functools import partial

from stadtherz.alerts.channels.mail import ascii_address, compose
from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.channels.post import PostOffice, post_office
from stadtherz.alerts.channels.smtp import hand_over
from stadtherz.alerts.models import AlertEvent, Delivery
from stadtherz.alerts.outbox import deliveries
from stadtherz.alerts.outbox.deliveries import Claim, LeaseLost, nameless
from stadtherz.alerts.outbox.readers import Reader
from stadtherz.alerts.outbox.witness import Witness
from stadtherz.base.time import now

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MailLane:
    """Sends by the mail server of the settings."""

    post: PostOffice

    def send(self, delivery: Delivery, reader: Reader, claimed: Claim, witness: Witness) -> None:
        letter = _written(delivery.event, reader, self.post)
        if letter is None:
            deliveries.mark_failed(claimed, "The message cannot be written; see the log.")
            return
        message, recipient = letter
        try:
            hand_over(
                self.post.server,
                message,
                sender=self.post.sender,
                recipient=recipient,
                before_text=partial(deliveries.mark_handing_over, claimed, message["Message-ID"]),
                before_dot=partial(witness.dot_goes_next, claimed.delivery),
            )
        except NotHandedOver as reason:
            deliveries.put_back(claimed, nameless(reason, recipient), permanent=reason.permanent)
        except PerhapsHandedOver as reason:
            deliveries.mark_uncertain(claimed, nameless(reason, recipient))
        except LeaseLost:
            logger.info("delivery %s was taken over by another process", claimed.delivery)
        else:
            deliveries.mark_sent(claimed)


def mail_lane() -> MailLane | None:
    """None if no mail server is set."""
    post = post_office()
    return None if post is None else MailLane(post)


def _written(
    event: AlertEvent, reader: Reader, post: PostOffice
) -> tuple[EmailMessage, str] | None:
    """The message and its recipient; None if that fails, which trying again would not change."""
    try:
        return compose(event, reader, post, date=now()), ascii_address(reader.address)
    except (ValueError, LookupError, MessageError):  # UnicodeError is a ValueError
        logger.exception("the message of event %s to reader %s is broken", event.pk, reader.key)
        return None
