"""Gateways as the operator sets them up, tries them and takes them away again."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from stadtherz.alerts.channels.document import written
from stadtherz.alerts.channels.kinds import KINDS, MAIL, MQTT
from stadtherz.alerts.channels.mail import ascii_address, trial
from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.channels.places import check_topic
from stadtherz.alerts.channels.post import post_office
from stadtherz.alerts.channels.smtp import hand_over
from stadtherz.alerts.channels.vault import sealed
from stadtherz.alerts.models import Channel, Gateway
from stadtherz.alerts.outbox import health, lines
from stadtherz.alerts.outbox.budget import midnight, spent_since
from stadtherz.alerts.outbox.by_mail import server_of
from stadtherz.alerts.outbox.by_mqtt import broker_of
from stadtherz.alerts.outbox.by_sms import carrier_of
from stadtherz.alerts.outbox.doors import token_of
from stadtherz.alerts.outbox.wake import wake
from stadtherz.alerts.people.phones import e164
from stadtherz.base.errors import Conflict, Invalid, NotFound, Unavailable
from stadtherz.base.time import now, now_us

ALL_KINDS = {**KINDS, MAIL.name: MAIL, MQTT.name: MQTT}


def add_gateway(
    name: str,
    kind: str,
    settings: Mapping[str, Any],
    *,
    secret: str = "",
    position: int = 1,
    per_second: float = 10,
) -> None:
    """Set up a way out. Raises Invalid where the settings do not fit, Conflict for a name in use."""
    if Gateway.objects.filter(name=name).exists():
        raise Conflict(f"there is a gateway named {name} already")
    row = Gateway(
        name=name,
        channel=channel_of(kind),
        kind=kind,
        settings=dict(settings),
        secret=sealed(secret),
        position=position,
        per_second=per_second,
    )
    _check(row)
    row.save()
    wake()


def remove_gateway(name: str) -> None:
    """Messages that wait for it go by the others, or wait. Raises NotFound."""
    if not Gateway.objects.filter(name=name).delete()[0]:
        raise NotFound(f"gateway {name}")


def check_settings(row: Gateway, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of its kind with their types and defaults. Raises Invalid, naming one."""
    values, _secret = ALL_KINDS[row.kind].read(given)
    tried = Gateway(channel=row.channel, kind=row.kind, settings=values, secret=row.secret)
    _check(tried)
    return values


def channel_of(kind: str) -> Channel:
    """By which way a gateway of this kind sends."""
    return {MAIL.name: Channel.EMAIL, MQTT.name: Channel.MQTT}.get(kind, Channel.SMS)


def _check(row: Gateway) -> None:
    """Raise Invalid where the settings do not fit."""
    if row.channel == Channel.EMAIL:
        server_of(row)
    elif row.channel == Channel.MQTT:
        broker_of(row)
    else:
        carrier_of(row)


def keep_secret(row: Gateway, secret: str) -> None:
    """Seal its password into the row."""
    row.secret = sealed(secret)


def spent_today(row: Gateway) -> int:
    """How many parts of SMS have gone by it since midnight."""
    return spent_since(row, midnight(now_us()))


def try_gateway(name: str, address: str, text: str) -> str:
    """Send one message by this gateway now; its id there. What comes of it is noted as of any message.

    Raises Invalid for a wrong number or address, Unavailable with what the gateway said.
    """
    row = _named(name)
    send = _TRIALS.get(row.channel, _sms_of)(row, address, text)
    try:
        known_as = send()
    except NotHandedOver as problem:
        health.note_outcome(row, problem, str(problem))
        raise Unavailable(f"gateway {name}", str(problem), retry=True) from problem
    except PerhapsHandedOver as problem:
        health.note_failure(row, str(problem))
        raise Unavailable(f"gateway {name}", str(problem), retry=True) from problem
    finally:
        lines.let_go()
    health.note_success(row)
    wake()
    return known_as


def _sms_of(row: Gateway, number: str, text: str) -> Callable[[], str]:
    to = e164(number)
    if to is None:
        raise Invalid("number", "is no telephone number such as +4915123456789")
    carrier = carrier_of(row)
    return lambda: carrier.send(to, text, "test", goes_next=lambda: None)


def _mail_of(row: Gateway, address: str, text: str) -> Callable[[], str]:
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid("address", "is no e-mail address such as name@city.example") from None
    post, server = post_office(), server_of(row)

    def send() -> str:
        message = trial(post, address, text, date=now())
        hand_over(
            server,
            message,
            sender=post.sender,
            recipient=ascii_address(address),
            before_text=lambda: None,
            before_dot=lambda: None,
        )
        return str(message["Message-ID"])

    return send


def _publication_of(row: Gateway, topic: str, text: str) -> Callable[[], str]:
    check_topic(topic)
    broker, body = broker_of(row), written({"type": "test", "text": text}).decode()
    return lambda: broker.send(topic, body, "test", goes_next=lambda: None)


_TRIALS: Mapping[str, Callable[[Gateway, str, str], Callable[[], str]]] = {
    Channel.EMAIL: _mail_of,
    Channel.MQTT: _publication_of,
}


def inbound_token(name: str) -> str:
    """What stands in the address to which the gateway passes messages that come in. Raises NotFound."""
    return token_of(_named(name))


def _named(name: str) -> Gateway:
    row = Gateway.objects.filter(name=name).first()
    if row is None:
        raise NotFound(f"gateway {name}")
    return row
