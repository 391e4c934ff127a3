"""What each kind of SMS gateway wants to be told, for the form of the back office and the command line.

A kind's settings become `Gateway.settings` under their names; the one that is `secret` is sealed beside
them. Whether the values fit together is asked of `outbox.by_sms.carrier_of`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from stadtherz.base.errors import Invalid

Text = Any  # a text, or one that is translated when it is shown


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing to fill in. `type` is str, int or bool; `choices` are all that may be chosen."""

    name: str
    label: Text
    help: Text = ""
    type: type = str
    default: str | int | bool = ""
    required: bool = False
    secret: bool = False
    choices: tuple[tuple[str, Text], ...] = ()
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class GatewayKind:
    """A kind of gateway; `door` if it passes answers to an address of ours below /alarm/sms/."""

    name: str
    settings: tuple[Setting, ...]
    receipts: bool = False
    door: bool = False

    def read(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """The settings with their types and defaults, and the secret. Raises Invalid, naming one."""
        if unknown := set(given) - {each.name for each in self.settings}:
            raise Invalid(min(unknown), "is no setting of this kind of gateway")
        values = {each.name: _read(each, given.get(each.name)) for each in self.settings}
        secrets = [each.name for each in self.settings if each.secret]
        secret = str(values.pop(secrets[0])) if secrets else ""
        return values, secret


def _read(setting: Setting, given: Any) -> Any:
    if given is None or given == "":
        if setting.required:
            raise Invalid(setting.name, "is missing")
        return setting.default
    value = _typed(setting, given)
    if setting.choices and value not in [choice for choice, _label in setting.choices]:
        known = ", ".join(choice for choice, _label in setting.choices)
        raise Invalid(setting.name, f"is none of {known}")
    return value


def _typed(setting: Setting, given: Any) -> Any:
    if setting.type is bool:
        return (
            given if isinstance(given, bool) else str(given).lower() in ("1", "true", "yes", "on")
        )
    if setting.type is int:
        return _whole(setting, given)
    return given if setting.name == "form" else str(given).strip()


def _whole(setting: Setting, given: Any) -> int:
    try:
        value = int(given)
    except (TypeError, ValueError):
        raise Invalid(setting.name, "is no whole number") from None
    if setting.least is not None and value < setting.least:
        raise Invalid(setting.name, f"must be at least {setting.least}")
    if setting.most is not None and value > setting.most:
        raise Invalid(setting.name, f"must be at most {setting.most}")
    return value


_SENDER = Setting(
    "sender",
    _("Sender"),
    _("What the message comes from: a number, or up to 11 letters. Only a number can be answered."),
)
_TTL = Setting(
    "ttl",
    _("Lifetime in minutes"),
    _("After it the network gives up: a flood warning of yesterday helps nobody."),
    type=int,
    default=60,
    least=1,
    most=7 * 24 * 60,
)
_PASSWORD = Setting("secret", _("Password or key"), secret=True)

MAIL = GatewayKind(
    "smtp",
    (
        Setting("host", _("Host"), _("Such as mail.provider.example."), required=True),
        Setting(
            "security",
            _("Encryption"),
            _("What the provider asks for. Without it everybody on the way can read along."),
            default="starttls",
            choices=(
                ("starttls", _("after the greeting (STARTTLS)")),
                ("tls", _("from the first byte (TLS)")),
                ("none", _("none, only within a network of your own")),
            ),
        ),
        Setting(
            "port",
            _("Port"),
            _("Empty: the usual one, 587, 465 or 25."),
            type=int,
            default=0,
            least=0,
            most=65535,
        ),
        Setting("user", _("User name"), _("Where the provider has one.")),
        _PASSWORD,
    ),
)

MQTT = GatewayKind(
    "mqtt",
    (
        Setting("host", _("Host"), _("Such as broker.city.example."), required=True),
        Setting(
            "port",
            _("Port"),
            _("Empty: the usual one, 8883 with encryption, 1883 without."),
            type=int,
            default=0,
            least=0,
            most=65535,
        ),
        Setting(
            "tls",
            _("Encrypted line (TLS)"),
            _("Without it everybody on the way can read along."),
            type=bool,
            default=True,
        ),
        Setting(
            "ca",
            _("Certificate of the authority"),
            _("Only for a broker of your own whose certificate no known authority signed."),
        ),
        Setting("user", _("User name"), _("Let this user write the topics of your contacts only.")),
        _PASSWORD,
        Setting(
            "insecure",
            _("Allow unencrypted lines"),
            _("Everybody on the way can read along. Only within a network of your own."),
            type=bool,
            default=False,
        ),
    ),
)

KINDS: Mapping[str, GatewayKind] = {
    kind.name: kind
    for kind in (
        GatewayKind(
            "http",
            (
                Setting(
                    "form",
                    _("Form"),
                    _("How the provider is asked: kannel, seven, sipgate, or a form as JSON."),
                    required=True,
                ),
                Setting("url", _("Address"), _("Such as https://gateway.seven.io."), required=True),
                Setting("user", _("User name"), _("Where the provider has one.")),
                _PASSWORD,
                _SENDER,
                _TTL,
                Setting(
                    "insecure",
                    _("Allow unencrypted lines"),
                    _("Everybody on the way can read along. Only within a network of your own."),
                    type=bool,
                    default=False,
                ),
            ),
            door=True,
        ),
        GatewayKind(
            "smpp",
            (
                Setting("host", _("Host"), _("Such as smpp.provider.example."), required=True),
                Setting("port", _("Port"), type=int, default=2775, least=1, most=65535),
                Setting(
                    "tls",
                    _("Encrypted line (TLS)"),
                    _(
                        "Without it everybody on the way can read along. Ask the provider for its port."
                    ),
                    type=bool,
                    default=True,
                ),
                Setting("user", _("System id"), _("The account's name."), required=True),
                _PASSWORD,
                Setting(
                    "bind",
                    _("Lines"),
                    _("How the provider lets us in."),
                    default="transceiver",
                    choices=(
                        ("transceiver", _("One line for both ways (transceiver)")),
                        ("pair", _("One line for each way (transmitter and receiver)")),
                        ("transmitter", _("Only sending: no answers, no receipts (transmitter)")),
                    ),
                ),
                Setting("system_type", _("System type"), _("Only if the provider names one.")),
                _SENDER,
                _TTL,
                Setting(
                    "alphabet",
                    _("Alphabet"),
                    _("What the provider takes for its default. What is not in it goes as UCS-2."),
                    default="gsm",
                    choices=(
                        ("gsm", _("GSM 7-bit (default)")),
                        ("latin1", _("Latin-1, named as such")),
                        ("latin1-default", _("Latin-1 as the provider's default")),
                        ("ucs2", _("Always UCS-2")),
                    ),
                ),
                Setting(
                    "receipts",
                    _("Ask for receipts"),
                    _("The network tells whether a message has arrived."),
                    type=bool,
                    default=True,
                ),
                Setting(
                    "ids",
                    _("Message ids in receipts"),
                    _("Some providers write the id of a message otherwise in its receipt."),
                    default="same",
                    choices=(
                        ("same", _("The same")),
                        ("answer-hex", _("Hexadecimal at first, decimal in the receipt")),
                        ("receipt-hex", _("Decimal at first, hexadecimal in the receipt")),
                    ),
                ),
                Setting(
                    "sender_ton",
                    _("Sender's type of number (TON)"),
                    _("-1 finds it out: 5 for letters, 1 for +49…, 3 for a short number."),
                    type=int,
                    default=-1,
                    least=-1,
                    most=255,
                ),
                Setting(
                    "sender_npi",
                    _("Sender's numbering plan (NPI)"),
                    _("-1 finds it out."),
                    type=int,
                    default=-1,
                    least=-1,
                    most=255,
                ),
                Setting(
                    "receiver_ton",
                    _("Receiver's type of number (TON)"),
                    type=int,
                    default=1,
                    least=0,
                    most=255,
                ),
                Setting(
                    "receiver_npi",
                    _("Receiver's numbering plan (NPI)"),
                    type=int,
                    default=1,
                    least=0,
                    most=255,
                ),
                Setting(
                    "alive",
                    _("Seconds between signs of life"),
                    _("How long the line may be silent before we ask whether anybody is there."),
                    type=int,
                    default=30,
                    least=1,
                    most=600,
                ),
            ),
            receipts=True,
        ),
        GatewayKind(
            "gammu",
            (
                Setting(
                    "folder",
                    _("Outgoing folder"),
                    _("OutboxPath of gammu-smsd."),
                    required=True,
                ),
                Setting(
                    "inbox",
                    _("Incoming folder"),
                    _("InboxPath of gammu-smsd; without it nobody can answer."),
                ),
                Setting(
                    "sent",
                    _("Folder of sent messages"),
                    _("SentSMSPath of gammu-smsd; with it we see that the modem has sent."),
                ),
                Setting(
                    "failed",
                    _("Folder of failed messages"),
                    _("ErrorSMSPath of gammu-smsd; with it we see what the modem could not send."),
                ),
                _TTL,
            ),
            receipts=True,
        ),
        GatewayKind(
            "smstools",
            (
                Setting(
                    "folder",
                    _("Outgoing folder"),
                    _("“outgoing” of smstools, such as /var/spool/sms/outgoing."),
                    required=True,
                ),
                Setting(
                    "inbox",
                    _("Incoming folder"),
                    _("“incoming” of smstools; without it nobody can answer."),
                ),
                Setting(
                    "sent",
                    _("Folder of sent messages"),
                    _("“sent” of smstools; with it we see that the modem has sent."),
                ),
                Setting(
                    "failed",
                    _("Folder of failed messages"),
                    _("“failed” of smstools; with it we see what the modem could not send."),
                ),
                _TTL,
            ),
            receipts=True,
        ),
    )
}
