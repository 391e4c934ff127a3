"""What crosses the door of alerts: states, transitions and their words, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass

from stadtherz.base.time import Micros
from stadtherz.kit.declaration import Severity


@dataclass(frozen=True, slots=True)
class Wording:
    """One transition told in one language, ready to be laid out as a message.

    `subject` names place, state and value; `sentence` says it all once in plain words; `facts` are the
    labelled details; `link` is the address of the page about it, without the host.
    """

    subject: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    link: str


@dataclass(frozen=True, slots=True)
class State:
    """An open alert as others may read it.

    `since` is when the present step was reached, `opened` when things ceased to be normal; both are
    times of observations. `step` is the service's own name of the step.
    """

    kind: str
    subject: str
    datastream: int | None
    rank: int
    step: str
    severity: Severity
    title: Mapping[str, str]
    opened: Micros
    since: Micros


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state that a service decided on, and the observation it decided by.

    Ranks order the states of a kind, 0 is normal. `texts` holds a Wording for each language that
    contacts may have chosen, `title` the name of the state. `recipients` is the id of a contact list.
    `observation` is None where the clock decided. `public` shows the alert to everybody who may see the
    datastream. `rule` is the id of the rule that staff made, if it was one. `owner` is the organisation
    it concerns; it is needed only where there is no datastream. Without `watched` it ends only because
    nobody looks any more: whether all is well is not known.
    """

    kind: str
    subject: str
    datastream: int | None
    before: int
    after: int
    step: str
    severity: Severity
    title: Mapping[str, str]
    texts: Mapping[str, Wording]
    observation: int | None
    at: Micros
    recipients: int | None
    public: bool = False
    rule: int | None = None
    owner: int | None = None
    watched: bool = True

    @property
    def cause(self) -> str:
        """What makes this transition happen only once."""
        if self.observation is None:
            return f"clock:{self.at}"
        return f"observation:{self.observation}"
