"""`stadtherz simulate`: play a city of any number of devices, in the documents of their networks."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
import orjson

from stadtherz.base.errors import StadtherzError
from stadtherz.base.time import DAY, HOUR, MINUTE, SECOND, Micros, iso, now_us, parse_instant
from stadtherz.cli import instance
from stadtherz.cli.report import say

if TYPE_CHECKING:
    from stadtherz.simulate.public import Door, Note, Player, Schedule, SimulatedCity, Tally

_UNITS = {"s": SECOND, "m": MINUTE, "min": MINUTE, "h": HOUR, "d": DAY}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d)?", re.ASCII)
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:/\s*(s|m|min|h|d))?", re.ASCII)
_SPEED = re.compile(r"(\d+(?:\.\d+)?)\s*x?", re.ASCII)
_FASTEST = 100_000
_QUIET_S = 10.0  # between two lines where nobody watches


class _Text(click.ParamType[Any]):
    """A value that people write with its unit."""

    def __init__(self, name: str, read: Callable[[str], Any], example: str) -> None:
        self.name, self._read, self._example = name, read, example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value.strip())
        except ValueError:
            self.fail(f"{value!r} cannot be read; write for example {self._example}", param, ctx)


def _duration(text: str) -> Micros:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return int(float(match[1]) * _UNITS[match[2] or "s"])


def _per_second(text: str) -> float:
    match = _RATE.fullmatch(text)
    rate = float(match[1]) * SECOND / _UNITS[match[2] or "s"] if match else 0
    if not 0 < rate <= _FASTEST:
        raise ValueError(text)
    return rate


def _times(text: str) -> float:
    match = _SPEED.fullmatch(text)
    if match is None or not 1 <= float(match[1]) <= _FASTEST:
        raise ValueError(text)
    return float(match[1])


def _centre(text: str) -> tuple[float, float]:
    longitude, latitude = (float(part) for part in text.split(","))
    if not (abs(longitude) <= 180 and abs(latitude) <= 89):
        raise ValueError(text)
    return longitude, latitude


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


_OPTIONS = (
    click.option(
        "--devices",
        "count",
        type=click.IntRange(1, 10_000),
        default=200,
        show_default=True,
        help="How many.",
    ),
    click.option(
        "--rate",
        type=_Text("rate", _per_second, "50/s or 600/min"),
        help="Messages of the whole city, for example 50/s. Without it each device sends as often as its kind does.",
    ),
    click.option(
        "--speed",
        type=_Text("speed", _times, "60x"),
        default=1.0,
        help="The city's time goes so many times as fast, up to now: 60x plays an hour of the past in a minute.",
    ),
    click.option(
        "--network",
        "networks",
        type=_Text("list", _names, "tts,chirpstack"),
        help="Forms of documents, with commas: tts, chirpstack, chirpstack3, actility, loriot, helium. Default: all.",
    ),
    click.option(
        "--door",
        type=click.Choice(["http", "mqtt"]),
        default="http",
        show_default=True,
        help="Webhooks, or MQTT with quality 1.",
    ),
    click.option(
        "--url",
        help="Of the city, for example https://daten.example or mqtts://daten.example:8883. Default: this machine.",
    ),
    click.option(
        "--token", envvar="STADTHERZ_TOKEN", default="", help="A token with the scope ingest."
    ),
    click.option(
        "--user", default="simulator", show_default=True, help="User name for MQTT; empty: none."
    ),
    click.option(
        "--outside",
        is_flag=True,
        help="The MQTT address is of another broker: topics as the networks publish them, not behind ingest/.",
    ),
    click.option(
        "--connections",
        type=click.IntRange(1, 256),
        default=8,
        show_default=True,
        help="So many messages are under way at once (MQTT: times 50).",
    ),
    click.option(
        "--duration",
        type=_Text("duration", _duration, "90s, 10m or 2h"),
        help="For example 90s, 10m or 2h; 0 only sets up. Default: until Ctrl-C.",
    ),
    click.option(
        "--begin",
        type=_Text("time", parse_instant, "2026-11-26T07:00:00Z"),
        help="The city's time at the start, ISO 8601. Default: now; with --speed so much earlier that it ends now.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 65_535),
        default=1,
        show_default=True,
        help="The same seed and begin make the same messages.",
    ),
    click.option(
        "--mishaps",
        type=click.FloatRange(0, 1),
        is_flag=False,
        flag_value=0.02,
        default=0.0,
        help="Share of messages with which something goes wrong; without a number 0.02.",
    ),
    click.option(
        "--mishap",
        "only",
        type=_Text("list", _names, "late,truncated"),
        help="Only these, with commas: late, repeated, reordered, counter-reset, wrong-clock, dead-sensor, error-code, truncated, gateway-outage.",
    ),
    click.option(
        "--diary",
        type=click.File("w", lazy=True),
        help="A file that tells every mishap, a JSON line each: the trainer's answers.",
    ),
    click.option(
        "--centre",
        type=_Text("place", _centre, "7.7689,49.4447"),
        default="7.7689,49.4447",
        show_default=True,
        help="Of the city: longitude,latitude.",
    ),
    click.option(
        "--set-up",
        is_flag=True,
        help="First register the devices with the instance in --data, which must be on this machine.",
    ),
    click.option("--organisation", help="Short name of the owner, for --set-up."),
    click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        default=instance.DEFAULT_DATA,
        envvar="STADTHERZ_DATA",
        show_default=True,
        help="The instance's folder, for --set-up.",
    ),
    click.option("--engine", envvar="STADTHERZ_ENGINE", help="Its database, for --set-up."),
    click.option("--json", "as_json", is_flag=True, help="One line of JSON at the end."),
)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@_with_options
def simulate(**options: Any) -> None:
    """Play a city of devices in the documents of their LoRaWAN networks, for demonstrations, load and training.

    Weather, brooks, bicycles and fine dust behave as one knows them. Devices have to be registered before: with
    --set-up on the server's machine (--duration 0 does nothing else), then with the same --devices, --network and
    --seed from anywhere. Ctrl-C ends it and tells what became of the messages.
    """
    from stadtherz.simulate.public import FORMS, simulated_city

    try:
        city = simulated_city(
            options["count"],
            forms=options["networks"] or tuple(FORMS),
            seed=options["seed"],
            centre=options["centre"],
        )
        with _access(city, options) as token:
            if options["duration"] != 0:
                _play(city, token, options)
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem


@contextmanager
def _access(city: "SimulatedCity", options: dict[str, Any]) -> Iterator[str]:
    """The token to send with, after the devices were registered if that is wanted."""
    if not options["set_up"]:
        yield options["token"]
        return
    if not options["organisation"]:
        raise click.UsageError("--set-up needs --organisation, the short name of the owner")
    instance.choose(options["data"], options["engine"])
    instance.load()
    instance.require_initialised()
    from stadtherz.simulate.set_up import borrowed_token, set_up

    streams = set_up(city, options["organisation"])
    say(f"{len(city.devices)} devices with {streams} datastreams are registered.")
    wanted = not options["token"] and options["duration"] != 0
    with borrowed_token(options["organisation"]) if wanted else nullcontext(options["token"]) as it:
        yield it


def _play(city: "SimulatedCity", token: str, options: dict[str, Any]) -> None:
    from stadtherz.simulate.public import Chance, CityClock, Mishap, Player, Schedule, Tally

    if unknown := set(options["only"] or ()) - set(Mishap):
        raise click.BadParameter(f"{min(unknown)!r} is no mishap", param_hint="--mishap")
    only = frozenset(Mishap(each) for each in options["only"] or Mishap)
    chance = Chance(options["seed"], options["mishaps"] or (0.02 if options["only"] else 0.0), only)
    since = now_us()
    begin = options["begin"] if options["begin"] is not None else _begin(since, options)
    length = options["duration"]
    schedule = Schedule(
        city,
        begin=begin,
        end=None if length is None else begin + int(length * options["speed"]),
        interval=_interval(options),
        chance=chance,
    )
    tally = Tally()
    clock = CityClock(begin, since, options["speed"])
    player = Player(schedule, clock, _door(token, tally, options))
    progress = _Progress(tally, player, schedule, options["diary"])
    try:
        player.play(progress.tell)
    except KeyboardInterrupt:
        say("")
    progress.end()
    _conclude(tally, schedule, as_json=options["as_json"])


def _begin(since: Micros, options: dict[str, Any]) -> Micros:
    """So early that the city's time has caught up with ours at the end; without an end, a day."""
    if options["speed"] == 1:
        return since
    length: Micros | None = options["duration"]
    return since - (DAY if length is None else int(length * (options["speed"] - 1)))


def _interval(options: dict[str, Any]) -> Micros | None:
    """Of each device, in the city's time."""
    if options["rate"] is None:
        return None
    return max(1, int(options["count"] / options["rate"] * SECOND * options["speed"]))


def _door(token: str, tally: "Tally", options: dict[str, Any]) -> "Door":
    from stadtherz.simulate.public import HttpDoor, MqttDoor

    url, connections = options["url"], options["connections"]
    if options["door"] == "http":
        return HttpDoor(url or "http://127.0.0.1:8000", token, tally=tally, connections=connections)
    return MqttDoor(
        url or "mqtt://127.0.0.1:1883",
        options["user"],
        token,
        tally=tally,
        connections=connections,
        outside=options["outside"],
    )


class _Progress:
    """One calm line: rewritten where somebody watches, now and then where a file does."""

    def __init__(
        self, tally: "Tally", player: "Player", schedule: "Schedule", diary: TextIO | None
    ) -> None:
        self._tally, self._player, self._schedule, self._diary = tally, player, schedule, diary
        self._watched = sys.stderr.isatty()
        self._lines = 0
        self._calls = 0
        self._noted = 0

    def tell(self) -> None:
        self._write_diary()
        self._calls += 1
        if self._watched:
            click.echo(f"\r{self._line():<78}", err=True, nl=False)
        elif self._calls % _QUIET_S == 0:
            say(self._line())

    def end(self) -> None:
        self._write_diary()
        if self._watched:
            click.echo("", err=True)

    def _line(self) -> str:
        tally = self._tally
        late = f", {self._player.behind:.0f} s behind" if self._player.behind > 2 else ""
        return (
            f"{tally.sent} sent, {tally.acknowledged} acknowledged, {tally.refused} refused,"
            f" {tally.unanswered} without an answer{late}"
        )

    def _write_diary(self) -> None:
        notes = self._schedule.notes
        if self._diary is not None:
            for note in notes[self._noted :]:
                self._diary.write(_diary_line(note))
            self._diary.flush()
        self._noted = len(notes)


def _diary_line(note: "Note") -> str:
    told = {
        "time": iso(note.at),
        "mishap": note.mishap.value,
        "device": note.device.name,
        "network": note.device.network,
        "dev_eui": note.device.dev_eui,
    }
    return orjson.dumps(told).decode() + "\n"


def _conclude(tally: "Tally", schedule: "Schedule", *, as_json: bool) -> None:
    mishaps: dict[str, int] = {}
    for note in schedule.notes:
        mishaps[note.mishap.value] = mishaps.get(note.mishap.value, 0) + 1
    facts = {**tally.facts(), "mishaps": mishaps}
    if as_json:
        click.echo(orjson.dumps(facts).decode())
        return
    click.echo(
        f"{tally.sent} messages sent: {tally.acknowledged} acknowledged, {tally.refused} refused,"
        f" {tally.unanswered} without an answer."
    )
    for reason, number in tally.reasons.most_common():
        click.echo(f"    {reason}: {number}")
    if mishaps:
        click.echo("Mishaps: " + ", ".join(f"{name} {n}" for name, n in sorted(mishaps.items())))
    if facts["p50_ms"] is not None:
        click.echo(f"Answers: half within {facts['p50_ms']} ms, 99 % within {facts['p99_ms']} ms.")
