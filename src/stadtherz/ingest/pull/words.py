"""What can go wrong with another server, in sentences for people."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Problem(StrEnum):
    """Why a source gives nothing, or not all."""

    NO_NAME = "no_name"
    PRIVATE = "private"
    NO_ANSWER = "no_answer"
    CERTIFICATE = "certificate"
    CREDENTIALS = "credentials"
    NOTHING_THERE = "nothing_there"
    FILTER = "filter"
    ELSEWHERE = "elsewhere"
    BUSY = "busy"
    STATUS = "status"
    NOT_JSON = "not_json"
    NOT_SENSORTHINGS = "not_sensorthings"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    TOO_SLOW = "too_slow"
    LOOP = "loop"
    VANISHED = "vanished"
    ENTITY = "entity"
    READINGS = "readings"
    SECRET = "secret"  # noqa: S105 - a problem's name
    STORE = "store"
    UNEXPECTED = "unexpected"


_SENTENCES = {
    Problem.NO_NAME: _("There is no server named {host}. Check the address for typing mistakes."),
    Problem.PRIVATE: _(
        "{host} is an address within a private network. Whoever runs the city must allow that first"
        " (STADTHERZ_PULL_PRIVATE=1)."
    ),
    Problem.NO_ANSWER: _("{host} does not answer: {told}. It is tried again."),
    Problem.CERTIFICATE: _("The certificate of {host} cannot be trusted: {told}"),
    Problem.CREDENTIALS: _("{host} does not let us in. Check the token, and what it may read."),
    Problem.NOTHING_THERE: _(
        "There is no SensorThings at this address. It usually ends with /v1.1."
    ),
    Problem.FILTER: _("{host} does not understand the question. Check the filters: {told}"),
    Problem.ELSEWHERE: _(
        "{host} sends on to another address, {told}. It is not followed; enter that address if it is"
        " right."
    ),
    Problem.BUSY: _("{host} cannot answer just now ({told}). It is tried again."),
    Problem.STATUS: _("{host} answers with an error: {told}"),
    Problem.NOT_JSON: _("{host} answers with something else than JSON, perhaps with a web page."),
    Problem.NOT_SENSORTHINGS: _("{host} answers, but not as SensorThings 1.1 does: {told}"),
    Problem.TOO_LARGE: _("An answer of {host} is larger than {told} and was not read."),
    Problem.TOO_MANY: _(
        "{host} has more than {count} datastreams. Choose among them with the filters."
    ),
    Problem.TOO_SLOW: _("An answer of {host} took longer than {told} seconds. It is tried again."),
    Problem.LOOP: _("{host} gives the same page again and again. The rest was not read."),
    Problem.VANISHED: _(
        "{host} no longer has {count} of the measurements that were copied from there, more than half. Nothing was"
        " deleted; look there whether something is wrong."
    ),
    Problem.ENTITY: _("{what} could not be copied: {told}"),
    Problem.READINGS: _(
        "{count} measurements could not be kept, since their values or times are impossible."
    ),
    Problem.SECRET: _(
        "The token cannot be read any more, because the city’s secret key has changed. Enter the"
        " token again."
    ),
    Problem.STORE: _("Nothing can be stored at the moment. It is tried again."),
    Problem.UNEXPECTED: _("Something went wrong ({told}). The server’s log has more."),
}

_PASSING = frozenset({Problem.NO_ANSWER, Problem.BUSY, Problem.TOO_SLOW, Problem.STORE})


class PullProblem(Exception):
    """What ends a run; `passing` if it may be otherwise in a moment."""

    def __init__(self, problem: Problem, **facts: Any) -> None:
        super().__init__(f"{problem}: {facts}")
        self.problem, self.facts = problem, facts

    @property
    def passing(self) -> bool:
        return self.problem in _PASSING


def sentence(problem: str, facts: Mapping[str, Any]) -> str:
    """In the active language; empty for no problem."""
    if not problem:
        return ""
    known = problem if problem in set(Problem) else Problem.UNEXPECTED
    shown = {"host": "", "told": problem, "what": "", "count": "", **facts}
    return str(_SENTENCES[Problem(known)]).format(**shown)
