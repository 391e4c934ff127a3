"""Many devices by a list: looked at first, then connected one after another; again, it changes nothing.

Each device is one transaction, and what became of it stands beside its line: whatever interrupts an
import, it goes on where it was.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext

from stadtherz.base.errors import Conflict, Invalid
from stadtherz.ingest.intake.pipeline import NETWORKS
from stadtherz.ingest.models import Device, DeviceType, Network, normal_eui
from stadtherz.ingest.onboarding.connecting import NewDevice, check_new, connect
from stadtherz.ingest.onboarding.euis import read_eui
from stadtherz.ingest.onboarding.models import DeviceList, ListedDevice
from stadtherz.ingest.onboarding.sheet import Listed, number
from stadtherz.ingest.onboarding.values import proposed_by_type, streams_like
from stadtherz.ingest.values.positions import Place, checked_place
from stadtherz.store.public import OrganisationInfo, exclusive

Outcome = ListedDevice.Outcome
_LONGEST_NAME = 200
_LONGEST_IDENTIFIER = 100
_ALIASES = {
    "ttn": "tts", "thethingsnetwork": "tts", "thethingsstack": "tts", "thethingsindustries": "tts", "tti": "tts",
    "chirpstackv4": "chirpstack", "chirpstackv3": "chirpstack",
    "thingpark": "actility", "actilitythingpark": "actility",
    "http": Network.JSON, "mqtt": Network.JSON, "sonstige": Network.JSON, "andere": Network.JSON, "other": Network.JSON,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Looked:
    """A line that has been looked at: what it amounts to, or in sentences why to nothing."""

    line: int
    outcome: str
    problems: tuple[str, ...] = ()
    new: NewDevice | None = None
    device: int | None = None


@dataclass(slots=True)
class Reader:
    """Reads lines for somebody who may change these organisations; remembers what it has read."""

    organisations: Sequence[OrganisationInfo]
    home: int | None = None
    _likes: dict[tuple[int, str, str], Device | None] = field(default_factory=dict)
    _types: dict[tuple[int, str], DeviceType | None] = field(default_factory=dict)
    _seen: Counter[Any] = field(default_factory=Counter)

    def look(self, row: Listed) -> Looked:
        """What a line amounts to; nothing is changed."""
        problems: list[str] = []
        values = {name: value.strip() for name, value in row.values.items()}
        owner = _told(problems, lambda: self._owner(values))
        network = _told(problems, lambda: _network(values))
        dev_eui = _told(problems, lambda: _identifier(network, values.get("eui", "")))
        known = _known(network, dev_eui, owner)
        if known is not None and known.owner_id == owner and not self._twice(network, dev_eui):
            return Looked(row.line, Outcome.KNOWN, device=known.pk)
        name = _told(problems, lambda: _name(values))
        model = _told(problems, lambda: self._model(owner, network, values))
        station = _told(problems, lambda: _station(owner, values), none_is_fine=True)
        place = _told(problems, lambda: _place(values), none_is_fine=True)
        if problems or owner is None or network is None or dev_eui is None or name is None:
            return Looked(row.line, Outcome.PROBLEM, tuple(problems))
        if model is None:
            return Looked(row.line, Outcome.PROBLEM, tuple(problems))
        like, kind = (model, None) if isinstance(model, Device) else (None, model)
        new = NewDevice(
            owner,
            network,
            dev_eui,
            name,
            streams=proposed_by_type(kind) if kind else streams_like(model),
            description=values.get("description", ""),
            place=place,
            device_type=kind.pk if kind else model.device_type_id,
            codec=like.codec_id if like else None,
            station=station or "",
            like=like.pk if like else None,
        )
        _told(problems, lambda: self._check(new))
        outcome = Outcome.PROBLEM if problems else Outcome.OPEN
        return Looked(row.line, outcome, tuple(problems), None if problems else new)

    def _check(self, new: NewDevice) -> bool:
        if self._seen["device", new.network, new.dev_eui] > 0:
            raise Invalid("eui", gettext("This EUI stands in the list twice."))
        check_new(new.owner, new.network, new.dev_eui, new.name, station=new.station)
        if self._seen["name", new.owner, new.name.lower()] > 0:
            raise Invalid("name", gettext("This name stands in the list twice."))
        self._seen["device", new.network, new.dev_eui] += 1
        self._seen["name", new.owner, new.name.lower()] += 1
        return True

    def _twice(self, network: str | None, dev_eui: str | None) -> bool:
        return self._seen["device", network, dev_eui] > 0

    def _owner(self, values: Mapping[str, str]) -> int:
        told = values.get("organisation", "")
        if not told:
            if self.home is not None:
                return self.home
            if len(self.organisations) == 1:
                return self.organisations[0].id
            raise Invalid("organisation", gettext("The organisation is missing."))
        for each in self.organisations:
            if told.lower() in (each.slug.lower(), each.name.lower()):
                return each.id
        text = gettext("There is no organisation “{name}” for which you may connect devices.")
        raise Invalid("organisation", text.format(name=told))

    def _model(
        self, owner: int | None, network: str | None, values: Mapping[str, str]
    ) -> Device | DeviceType | None:
        """What says what is measured: a device that is connected already, or a type."""
        told = values.get("like", "")
        if not told:
            return self._type(owner, values)
        if owner is None or network is None:
            return None
        key = (owner, network, told)
        if key not in self._likes:
            rows = Device.objects.filter(owner_id=owner, network=network)
            named = Q(dev_eui=normal_eui(told, network)) | Q(name__iexact=told)
            self._likes[key] = rows.filter(named, fields__isnull=False).distinct().first()
        if self._likes[key] is None:
            text = gettext(
                "There is no device “{name}” of this network with values that could be taken over."
            )
            raise Invalid("like", text.format(name=told))
        return self._likes[key]

    def _type(self, owner: int | None, values: Mapping[str, str]) -> DeviceType | None:
        key = values.get("type", "")
        if not key:
            raise Invalid("type", gettext("The device type is missing."))
        if owner is None:
            return None
        if (owner, key) not in self._types:
            found = DeviceType.objects.filter(owner_id=owner, key__iexact=key).first()
            self._types[owner, key] = found
        kind = self._types[owner, key]
        if kind is None:
            text = gettext(
                "There is no device type “{key}”. Its key stands in the list of device types."
            )
            raise Invalid("type", text.format(key=key))
        if not kind.proposals:
            text = gettext("The device type “{key}” does not say what it measures.")
            raise Invalid("type", text.format(key=key))
        return kind


def _told(problems: list[str], read: Callable[[], Any], *, none_is_fine: bool = False) -> Any:
    """What is read, or None with the reason among the problems."""
    try:
        return read()
    except (Conflict, Invalid) as problem:
        problems.append(_reason(problem))
        return None


def _known(network: str | None, dev_eui: str | None, owner: int | None) -> Device | None:
    if network is None or dev_eui is None:
        return None
    rows = Device.objects.filter(network=network, dev_eui=dev_eui)
    return (rows.filter(owner_id=owner) if network == Network.JSON else rows).first()


def _identifier(network: str | None, told: str) -> str:
    """A EUI, or what messages of JSON call the device: as it is written."""
    if network != Network.JSON:
        return read_eui(told).dev_eui
    if not told:
        raise Invalid(
            "eui", gettext("The identifier is missing: what its messages call the device.")
        )
    if len(told) > _LONGEST_IDENTIFIER or not told.isprintable():
        text = gettext("The identifier is longer than {most} characters or cannot be printed.")
        raise Invalid("eui", text.format(most=_LONGEST_IDENTIFIER))
    return told


def _station(owner: int | None, values: Mapping[str, str]) -> str | None:
    """Whether it is there, is for `check_new`."""
    return (values.get("station") or None) if owner is not None else None


def _name(values: Mapping[str, str]) -> str:
    name = values.get("name", "")
    if not name:
        raise Invalid("name", gettext("The name is missing."))
    if len(name) > _LONGEST_NAME:
        text = gettext("The name is longer than {most} characters.")
        raise Invalid("name", text.format(most=_LONGEST_NAME))
    return name


def _network(values: Mapping[str, str]) -> str:
    told = values.get("network", "")
    plain = "".join(c for c in told.lower() if c.isalnum())
    found = _ALIASES.get(plain, plain)
    if found in NETWORKS:
        return str(found)
    if not told:
        raise Invalid("network", gettext("The network is missing."))
    text = gettext("“{network}” is no network that is known here. Known are: {known}.")
    raise Invalid("network", text.format(network=told, known=", ".join(NETWORKS)))


def _place(values: Mapping[str, str]) -> Place | None:
    east, north = values.get("longitude", ""), values.get("latitude", "")
    if not east and not north:
        return None
    numbers = number(east), number(north)
    if numbers[0] is None or numbers[1] is None:
        text = gettext(
            "The place cannot be read: write longitude and latitude in degrees, such as 7,7689 and 49,4447."
        )
        raise Invalid("longitude", text)
    place = checked_place(*numbers)
    if place is None:
        text = gettext(
            "There is no such place: the longitude is −180 to 180, the latitude −90 to 90."
        )
        raise Invalid("longitude", text)
    return place


def connect_rows(
    rows: Iterable[Listed], reader: Reader, *, dry_run: bool = False
) -> Iterator[Looked]:
    """What became of each line, as soon as it has; with `dry_run` only what would."""
    for row in rows:
        looked = reader.look(row)
        if looked.new is None or dry_run:
            yield looked
            continue
        try:
            yield replace(looked, outcome=Outcome.CONNECTED, device=connect(looked.new))
        except (Conflict, Invalid) as problem:
            yield replace(looked, outcome=Outcome.PROBLEM, problems=(_reason(problem),))


def _reason(problem: Conflict | Invalid) -> str:
    return problem.reason if isinstance(problem, Invalid) else str(problem)


# --- a list that is kept ------------------------------------------------------------------------


def keep_list(actor: str, file: str, rows: Sequence[Listed], reader: Reader) -> DeviceList:
    """A list that was handed in, with what each line amounts to now."""
    with exclusive():
        kept = DeviceList.objects.create(actor=actor, file=file[:200])
        ListedDevice.objects.bulk_create(
            [_row(kept, row, reader.look(row)) for row in rows], batch_size=500
        )
    return kept


def _row(kept: DeviceList, row: Listed, looked: Looked) -> ListedDevice:
    return ListedDevice(
        listing=kept,
        line=row.line,
        values=dict(row.values),
        outcome=looked.outcome,
        problems=list(looked.problems),
        device_id=looked.device,
    )


def go_on(kept: DeviceList, reader: Reader, *, seconds: float = 2.0) -> list[ListedDevice]:
    """Connects what waits, for `seconds`; gives the lines whose device is new."""
    until = monotonic() + seconds
    made = []
    for row in kept.rows.filter(outcome=Outcome.OPEN):
        if import_row(row, reader):
            made.append(row)
        if monotonic() > until:
            break
    kept.save()
    return made


def import_row(row: ListedDevice, reader: Reader) -> bool:
    """Whether the line's device is new; what became of it is kept with the line, at once."""
    looked = reader.look(Listed(row.line, row.values))
    row.outcome, row.problems, row.device_id = looked.outcome, list(looked.problems), looked.device
    if looked.new is None:
        row.save()
        return False
    made = False
    try:
        with exclusive():
            row.device_id = connect(looked.new)
            row.outcome = Outcome.CONNECTED
            row.save()
            made = True
    except (Conflict, Invalid) as problem:
        row.device_id, row.outcome = None, Outcome.PROBLEM
        row.problems = [_reason(problem)]
        row.save()
    return made


def counts(rows: Iterable[str]) -> dict[str, int]:
    """How many lines have each outcome."""
    counted = Counter(rows)
    return {str(outcome): counted[outcome] for outcome in Outcome.values}
