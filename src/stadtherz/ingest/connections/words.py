"""How a connection is doing, in sentences for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

WAITING, CONNECTED, FAILED = "waiting", "connected", "failed"
STATES = [
    (WAITING, _("is connecting")),
    (CONNECTED, _("connected")),
    (FAILED, _("not connected")),
]


class Problem(StrEnum):
    """Why a client cannot do its work."""

    NO_NAME = "no_name"
    NOBODY_LISTENS = "nobody_listens"
    NO_ANSWER = "no_answer"
    CERTIFICATE = "certificate"
    NO_TLS = "no_tls"
    CREDENTIALS = "credentials"
    REFUSED = "refused"
    SUBSCRIPTION = "subscription"
    HUNG_UP = "hung_up"
    CLOSED = "closed"
    TAKEN_OVER = "taken_over"
    STORE = "store"
    SECRET = "secret"  # noqa: S105 - a problem's name
    UNEXPECTED = "unexpected"


_SENTENCES = {
    Problem.NO_NAME: _("There is no broker named {host}. Check the name for typing mistakes."),
    Problem.NOBODY_LISTENS: _(
        "Nobody answers at {host}:{port}. Check the port, or whether the broker is switched on."
    ),
    Problem.NO_ANSWER: _(
        "{host}:{port} cannot be reached. Perhaps a firewall is in between, or the network is down."
    ),
    Problem.CERTIFICATE: _(
        "The broker’s certificate cannot be trusted: {told}. For a broker of your own, paste the"
        " certificate of its authority."
    ),
    Problem.NO_TLS: _(
        "The broker does not answer encrypted at {host}:{port}. Check the port: usually 8883."
    ),
    Problem.CREDENTIALS: _(
        "The broker does not let us in. Check the user name and the password, and whether this user may"
        " use the client id."
    ),
    Problem.REFUSED: _("The broker refused the connection: {told}."),
    Problem.SUBSCRIPTION: _(
        "The broker does not let this user read {topic}. Check the topics, or the user’s rights there."
    ),
    Problem.HUNG_UP: _(
        "The broker at {host}:{port} hung up without a word. Check whether it expects encryption (TLS)."
    ),
    Problem.CLOSED: _("The broker ended the connection: {told}."),
    Problem.TAKEN_OVER: _("Another program uses the client id of this connection."),
    Problem.STORE: _(
        "Messages cannot be stored at the moment. They are tried again; none is acknowledged before."
    ),
    Problem.SECRET: _(
        "The password cannot be read any more, because the city’s secret key has changed."
        " Enter the password again."
    ),
    Problem.UNEXPECTED: _("Something went wrong ({told}). The server’s log has more."),
}


def sentence(problem: str, facts: Mapping[str, Any]) -> str:
    """In the active language; empty for no problem."""
    if not problem:
        return ""
    if problem not in _SENTENCES:
        return gettext("Something went wrong ({told}). The server’s log has more.").format(
            told=problem
        )
    shown = {"host": "", "port": "", "topic": "", "told": "", **facts}
    return str(_SENTENCES[Problem(problem)]).format(**shown)


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """How a client is doing: `level` is ok, info, warning or danger, `text` a few words for it."""

    level: str
    text: str


def connection_state(state: str, problem: str, *, active: bool, held: bool) -> ConnectionState:
    """`held`: a running process is this client. In the active language."""
    if not active:
        return ConnectionState("info", gettext("switched off"))
    if not held:
        return ConnectionState("info", gettext("starts as soon as the city is running"))
    if problem == Problem.STORE:
        return ConnectionState("danger", gettext("messages are waiting"))
    level = {CONNECTED: "ok", FAILED: "danger"}.get(state, "info")
    return ConnectionState(level, str(dict(STATES).get(state, state)))
