"""One table of contents per service, read by everybody else.

A service lists real callables, so an editor jumps and the type checker sees. Nothing here acts: the
registry collects declarations, `checks` finds mistakes, the rings above ask for what they need.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from django.utils.functional import Promise

from stadtherz.base.visibility import Visibility
from stadtherz.base.vocabulary import Observable

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpResponseBase

    from stadtherz.store.public import Columns

Text = str | Promise  # a translatable text
Role = Literal["anonymous", "citizen", "stranger", "viewer", "editor", "administrator"]


class Severity(StrEnum):
    """How serious a state is; decides colour, icon and order, never alone."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    DANGER = "danger"
    UNKNOWN = "unknown"


class Maturity(StrEnum):
    """How much of the contract suite a service must pass."""

    TRIAL = "trial"
    OPERATION = "operation"
    EXEMPLARY = "exemplary"


@dataclass(frozen=True, slots=True)
class Page:
    """A public or staff page. `path` is a Django route below the service's prefix.

    `example` gives the arguments of one existing page for the contract suite, from the demo data.
    `permission` None means public; else staff without it get 403 and strangers 404.
    """

    name: str
    path: str
    view: "Callable[..., HttpResponseBase]"
    permission: str | None = None
    menu: Text | None = None
    queries: int = 20
    example: Callable[[], Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Reactor:
    """Called with every new reading of datastreams that observe `on`, in order, at least once.

    It runs inside the transaction that moves the cursor: what it writes to the database happens
    exactly once. Anything outside the database belongs into an outbox.
    """

    on: Observable
    call: "Callable[[Columns], None]"


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again; running it twice must change nothing."""

    name: str
    every: timedelta
    call: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Permission:
    key: str
    name: Text
    roles: tuple[Role, ...] = ("editor", "administrator")


@dataclass(frozen=True, slots=True)
class AlertKind:
    """A kind of alert a service raises.

    `category` is what CAP 1.2 calls it (Met has floods, too). `watched` gives the datastreams about which
    public alerts of this kind may come: people subscribe to their Things.
    """

    key: str
    name: Text
    category: Literal[
        "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra",
        "CBRNE", "Other",
    ] = "Env"  # fmt: skip
    watched: Callable[[], Iterable[int]] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A named threshold of a quantity, in the unit it is shown in; a line across its chart."""

    name: str
    value: float
    severity: Severity


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure on the start page."""

    key: str
    title: str
    icon: str
    value: str  # formatted for people in the active language
    unit: str
    state: Severity
    state_text: str
    place: str
    url: str
    updated: int | None  # microseconds
    spark: Sequence[float] = ()
    streams: tuple[int, ...] = ()  # datastreams whose news change this tile
    position: tuple[float, float] | None = None  # longitude, latitude: makes a pin on the map
    sentence: str = ""  # what is unusual, for the headline; empty if nothing is
    steps: tuple[Step, ...] = ()  # thresholds of the first stream, for its chart


@dataclass(frozen=True, slots=True)
class Tiles:
    """Where the start page gets a service's tiles from."""

    key: str
    data: Callable[[Visibility], Sequence[Tile]]


@dataclass(frozen=True, slots=True)
class Dataset:
    key: str
    name: Text
    licence: str


@dataclass(frozen=True, slots=True)
class Keep:
    """How long a table with personal data keeps a row, and why.

    `by` names the column with the row's age: a DateTimeField, or an integer of microseconds.
    `months` None means until somebody deletes it, with the reason in `why`.
    """

    model: "Callable[[], type[Model]]"
    months: int | None
    why: Text
    by: str = "changed_at"


@dataclass(frozen=True, slots=True)
class Demo:
    """What the service sets up for the demo city; `call` may run twice."""

    call: Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Service:
    """A city service: one folder, declared in one place."""

    key: str
    name: Text
    summary: Text
    prefix: str  # of its pages, as people read it: "pegel"
    icon: str
    maturity: Maturity
    observes: tuple[Observable, ...] = ()
    publishes: tuple[Observable, ...] = ()
    reactors: tuple[Reactor, ...] = ()
    jobs: tuple[Job, ...] = ()
    pages: tuple[Page, ...] = ()
    permissions: tuple[Permission, ...] = ()
    alerts: tuple[AlertKind, ...] = ()
    tiles: tuple[Tiles, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    retention: tuple[Keep, ...] = ()
    demo: Demo | None = None
    staff: Callable[[], Sequence[Any]] = tuple  # back-office view sets
    personal: "Callable[[], Sequence[type[Model]]]" = tuple  # tables with personal data
