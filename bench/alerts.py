"""How far behind rules are, and how long a public warning takes to be queued for everybody.

    python -m bench.alerts [--quick]

Readings come at an even rate, whether or not those before were judged. One in a thousand crosses a limit, as on
an ordinary day; in the last row one in five, as when every river rises at once. The rest only moves. The
baseline is the same load without any rule.
STADTHERZ_ENGINE chooses an (empty) PostgreSQL database.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import click

from bench import timing, town
from bench.town import Town
from stadtherz.alerts.citizens.telling import spread
from stadtherz.alerts.models import Broadcast, Delivery, Rule, RuleStep, Subscriber, Topic
from stadtherz.alerts.public import Alert, AlertEvent, Channel, rules_consumer
from stadtherz.alerts.rules.known import change_version, rules
from stadtherz.base.time import Period, now, now_us
from stadtherz.identity.public import organisation_id
from stadtherz.store.public import Reading, append, cursor, log_end
from stadtherz.stream.public import register, start_dispatcher, stop_dispatcher

_BATCHES = 20  # a second
_LIMIT = 90.0


@dataclass(frozen=True, slots=True)
class Load:
    """So many rules, readings a second, and of how many readings one crosses a limit."""

    rules: int
    rate: int
    one_in: int


@dataclass(frozen=True, slots=True)
class Size:
    """Datastreams, the loads, seconds of each, subscribers."""

    streams: int
    loads: tuple[Load, ...]
    seconds: int
    subscribers: int


FULL = Size(
    streams=5_000,  # each has a rule in the first load
    loads=(Load(5_000, 500, 1_000), Load(100_000, 1_000, 1_000), Load(100_000, 1_000, 5)),
    seconds=20,
    subscribers=10_000,
)
QUICK = Size(
    streams=20,
    loads=(Load(10, 40, 20), Load(40, 40, 20), Load(40, 40, 5)),
    seconds=1,
    subscribers=20,
)


@dataclass(frozen=True, slots=True)
class Lag:
    """How long readings waited to be judged (None: none was within a minute), and what a reading cost."""

    p50_ms: float | None
    p99_ms: float | None
    left: int
    cpu_ms: float


@click.command()
@click.option("--quick", is_flag=True, help="Only show that it runs.")
def main(*, quick: bool) -> None:
    """Print the tables of alerts."""
    size = QUICK if quick else FULL
    place = town.build(size.streams)
    owner = organisation_id("bench")
    register(rules_consumer())
    plain = _loaded(place, size.loads[0], size.seconds)
    rows = []
    made = 0
    for load in size.loads:
        if load.rules > made:
            _make_rules(place, owner, made, load.rules)
            made = load.rules
        before = AlertEvent.objects.count()
        lag = _loaded(place, load, size.seconds)
        rows.append(_row(load, lag, plain, AlertEvent.objects.count() - before))
    rows.append(_told(size.subscribers))
    head = ("", "a second", "p50 ms", "p99 ms", "left behind", "CPU ms each", "ratio", "changes")
    timing.show(f"Rules over {size.streams:,} datastreams", head, rows)


def _row(load: Load, lag: Lag, plain: Lag, changes: int) -> tuple[str, ...]:
    return (
        f"readings, {load.rules:,} rules, 1 in {load.one_in:,} crosses",
        f"{load.rate:,}",
        _ms(lag.p50_ms),
        _ms(lag.p99_ms),
        str(lag.left),
        f"{lag.cpu_ms:.2f}",
        timing.ratio(lag.cpu_ms / max(plain.cpu_ms, 1e-9)),
        str(changes),
    )


def _ms(wait: float | None) -> str:
    return "never" if wait is None else f"{wait:.0f}"


def _make_rules(place: Town, owner: int, first: int, behind: int) -> None:
    made = Rule.objects.bulk_create(
        [
            Rule(
                owner_id=owner,
                name_de=f"Regel {number}",
                datastream_id=place.streams[number % len(place.streams)],
                active=True,
                changed_at=now(),
            )
            for number in range(first, behind)
        ],
        batch_size=2000,
    )
    RuleStep.objects.bulk_create(
        [RuleStep(rule=rule, name_de="Stufe", limit=_LIMIT, hysteresis=5) for rule in made],
        batch_size=2000,
    )
    change_version()
    took = timing.seconds(rules)
    click.echo(f"{behind:,} rules are read in {took:.1f} s")


def _loaded(place: Town, load: Load, seconds: int) -> Lag:
    """Send at the rate, and note when the cursor passes each batch."""
    start_dispatcher()
    marks: list[tuple[int, float]] = []
    waits: list[float] = []
    values, rate = _values(place, load.one_in), load.rate
    began, cpu = time.perf_counter(), time.process_time()
    for number in range(seconds * _BATCHES):
        due = began + number / _BATCHES
        while time.perf_counter() < due:
            _pass(marks, waits)
            time.sleep(0.002)
        moment = now_us()
        portion = max(rate // _BATCHES, 1)
        append([Reading(*next(values), result_time=moment) for _ in range(portion)])
        marks.append((log_end(), time.perf_counter()))
    left = len(marks) * max(rate // _BATCHES, 1)
    deadline = time.perf_counter() + 60
    while marks and time.perf_counter() < deadline:
        _pass(marks, waits)
        time.sleep(0.002)
    used = time.process_time() - cpu
    stop_dispatcher()
    waits.sort()
    total = rate * seconds
    return Lag(
        1000 * waits[len(waits) // 2] if waits else None,
        1000 * waits[int(len(waits) * 0.99)] if waits else None,
        left,
        1000 * used / total,
    )


def _values(place: Town, one_in: int) -> Iterator[tuple[int, Period, float]]:
    """Each datastream in turn; one of so many crosses the limit, and comes back when its turn comes next."""
    for turn in count():
        for number, stream in enumerate(place.streams):
            high = (turn + number) % one_in == 0
            yield stream, Period(now_us()), 95.0 if high else 80.0


def _pass(marks: list[tuple[int, float]], waits: list[float]) -> None:
    """Whatever the cursor has passed has been judged; without a rule for it nothing moves the cursor."""
    if not rules().streams:
        marks.clear()
        return
    done, moment = cursor("alerts.rules") or 0, time.perf_counter()
    while marks and marks[0][0] <= done:
        waits.append(moment - marks.pop(0)[1])


def _told(number: int) -> tuple[str, ...]:
    """A public event for so many subscribers."""
    made = Subscriber.objects.bulk_create(
        [
            Subscriber(
                channel="email",
                address=f"b{n}@web.example",
                key=str(n),
                confirmed_at=now(),
            )
            for n in range(number)
        ],
        batch_size=2000,
    )
    Topic.objects.bulk_create([Topic(subscriber=each) for each in made], batch_size=2000)
    alert = Alert.objects.order_by("pk").first()
    event = alert.events.first() if alert else None
    if event is None:
        raise SystemExit("no rule has warned")
    Broadcast.objects.create(event=event)
    took = timing.seconds(lambda: spread(Channel.EMAIL))
    queued = Delivery.objects.exclude(subscriber=None).count()
    if queued != number:
        raise SystemExit(f"{queued} of {number} subscribers were told")
    each = f"{1000 * took / number:.2f}"
    return (f"one warning queued for {number:,}", f"{number / took:,.0f}", "", "", "", each, "", "")


if __name__ == "__main__":
    main()
