"""What has to be looked at again and again: devices that do not report, and batteries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from stadtherz.alerts.public import Alert, Transition, change, current, withdraw
from stadtherz.base.time import DAY, MINUTE, Micros, now_us
from stadtherz.ingest.public import (
    Condition,
    Device,
    DeviceField,
    KnownDevice,
    has_never_sent,
    is_silent,
    known_devices,
)
from stadtherz.services.devices import rules, wording
from stadtherz.services.devices.models import Ear, Silence, Watch
from stadtherz.services.devices.rules import Watched
from stadtherz.services.devices.wording import BATTERY, SILENT, Story

_DEAF_AFTER = 10 * MINUTE  # without a look: then this city did not run
_LOOKS_APART = MINUTE
_FINE_AGAIN_PERCENT = 30.0
_FINE_AGAIN: Micros = 90 * DAY

_UNHEARD = "unheard"  # in the subject of the alert about many new devices

Pause = tuple[Micros, Micros]


def look_at_devices() -> None:
    """Open and close the alerts about devices of each organisation that watches them. Safe to run twice."""
    now = now_us()
    pause = _listen(now)
    watches = list(Watch.objects.order_by("pk"))
    for watch in watches:
        _Round(watch, now, pause).run()
    _withdraw_strangers({watch.owner_id for watch in watches})


def _listen(now: Micros) -> Pause:
    """Note that this city listens; says when it last did not."""
    with transaction.atomic():
        Ear.objects.get_or_create(pk=1, defaults={"heard_until": now})
        ear = Ear.objects.select_for_update().get(pk=1)
        if now - ear.heard_until > _DEAF_AFTER:
            ear.deaf_from, ear.deaf_until = ear.heard_until, now
        if now - ear.heard_until > _LOOKS_APART:
            ear.heard_until = now
            ear.save()
    return ear.deaf_from, ear.deaf_until


@dataclass(slots=True)
class _Round:
    """One look at the devices of one organisation."""

    watch: Watch
    now: Micros
    pause: Pause
    devices: list[KnownDevice] = field(default_factory=list)
    streams: dict[int, int] = field(default_factory=dict)
    open: set[tuple[str, str]] = field(default_factory=set)
    silences: dict[str, Silence] = field(
        default_factory=dict
    )  # the last of each network and gateway

    def run(self) -> None:
        owned = Device.objects.filter(owner=self.watch.owner_id, active=True)
        fields = DeviceField.objects.filter(device__in=owned).order_by("-pk")
        self.streams = dict(fields.values_list("device", "datastream"))
        self.devices = [each for each in known_devices(owned) if each.device.pk in self.streams]
        self.open = _open_alerts()
        self.silences = {
            each.key: each for each in Silence.objects.filter(owner=self.watch.owner_id)
        }
        covered = self._look_at_groups() if self.watch.silent else set()
        covered |= self._look_at_unheard()
        for device in self.devices:
            self._look_at_silence(device, covered)
            self._look_at_battery(device)

    # --- networks and gateways -------------------------------------------------------------------

    def _look_at_groups(self) -> set[int]:
        """Devices of which nothing needs to be told by itself."""
        covered: set[int] = set()
        for key, members in self._groups():
            rest = [each for each in members if each.device.pk not in covered]
            covered |= self._look_at_group(key, rest)
        return covered

    def _groups(self) -> Iterable[tuple[str, list[KnownDevice]]]:
        """Networks first: a gateway cannot be heard through a network that has gone."""
        found: dict[str, list[KnownDevice]] = {}
        for each in self.devices:
            if each.facts.last_seen is None or each.facts.interval is None:
                continue
            found.setdefault(each.device.network, []).append(each)
            if each.gateway:
                found.setdefault(f"{each.device.network}/{each.gateway}", []).append(each)
        return sorted(found.items(), key=lambda item: ("/" in item[0], item[0]))

    def _look_at_group(self, key: str, members: Sequence[KnownDevice]) -> set[int]:
        known = self.silences.get(key)
        watched = [self._watched(each) for each in members]
        if known is not None and known.until is None:
            if not rules.is_over(watched, known.since):
                return {each.id for each in watched}
            self._end(known)
            return {each.id for each in watched}
        found = rules.outage(watched, self.now)
        if found is None:
            return set()
        self._begin(key, found)
        return {each.id for each in watched}

    def _begin(self, key: str, found: rules.Outage) -> None:
        stream = self.streams[min(found.devices)]
        story = wording.group_silent(key, found.since, len(found.devices))
        with transaction.atomic():
            self.silences[key], _made = Silence.objects.update_or_create(
                owner_id=self.watch.owner_id,
                key=key,
                defaults={"since": found.since, "until": None, "datastream": stream},
            )
            self._tell(SILENT, self._subject(key), stream, story, observation=found.since)

    def _end(self, known: Silence) -> None:
        with transaction.atomic():
            Silence.objects.filter(pk=known.pk, until=None).update(until=self.now)
            known.until = self.now
            story = wording.group_heard(known.key)
            self._tell(SILENT, self._subject(known.key), known.datastream, story, over=True)

    def _subject(self, key: str) -> str:
        return f"{self.watch.owner_id}:{key}"

    def _watched(self, each: KnownDevice) -> Watched:
        seen, interval = each.facts.last_seen, each.facts.interval
        assert seen is not None
        assert interval is not None
        pauses = [self.pause, *self._silences(each)]
        return Watched(each.device.pk, seen, interval, rules.excused(seen, pauses))

    def _silences(self, each: KnownDevice) -> list[Pause]:
        keys = (each.device.network, f"{each.device.network}/{each.gateway}")
        known = [self.silences[key] for key in keys if key in self.silences]
        return [(past.since, past.until) for past in known if past.until is not None]

    def _look_at_unheard(self) -> set[int]:
        """Many new devices that have never sent, such as those of a list, are one alert."""
        subject = self._subject(_UNHEARD)
        found = [e for e in self.devices if self.watch.silent and self._never_sent(e)]
        alone = [e for e in found if (SILENT, str(e.device.pk)) not in self.open]
        is_open = (SILENT, subject) in self.open
        if is_open and not found:
            self._end_unheard(subject)
        if not is_open and len(alone) < rules.FEWEST:
            return set()
        if not is_open:
            stream = self.streams[min(each.device.pk for each in alone)]
            self._tell(SILENT, subject, stream, wording.many_never_sent(len(alone)))
        return {each.device.pk for each in alone}

    def _end_unheard(self, subject: str) -> None:
        if self.watch.silent and self.streams:
            stream = min(self.streams.values())
            self._tell(SILENT, subject, stream, wording.all_have_sent(), over=True)
        else:
            withdraw(SILENT, subject)

    def _never_sent(self, each: KnownDevice) -> bool:
        """Whether it should have been heard by now; while this city did not run nobody could."""
        if each.facts.registered is None:
            return False
        pause = rules.excused(each.facts.registered, [self.pause])
        return has_never_sent(each.facts, self.now - pause)

    # --- devices ---------------------------------------------------------------------------------

    def _look_at_silence(self, each: KnownDevice, covered: set[int]) -> None:
        """An alert ends when the device is heard, not when it is excused."""
        facts, pk = each.facts, each.device.pk
        is_open = (SILENT, str(pk)) in self.open
        if facts.last_seen is None:
            self._look_at_first(each, covered)
            return
        quiet = self.watch.silent and is_silent(facts.last_seen, facts.interval, self.now)
        if is_open and not quiet:
            self._tell(SILENT, str(pk), self.streams[pk], wording.device_heard(each), over=True)
        elif quiet and not is_open and pk not in covered and self._watched(each).silent(self.now):
            story = wording.device_silent(each, self.now)
            self._tell(SILENT, str(pk), self.streams[pk], story, observation=facts.last_seen)

    def _look_at_first(self, each: KnownDevice, covered: set[int]) -> None:
        """A device that has not been heard yet; its alert ends when it is, or when nobody watches."""
        pk = each.device.pk
        is_open = (SILENT, str(pk)) in self.open
        if is_open and not self.watch.silent:
            withdraw(SILENT, str(pk))
        elif self.watch.silent and not is_open and pk not in covered and self._never_sent(each):
            story = wording.device_never_sent(each, self.now)
            self._tell(SILENT, str(pk), self.streams[pk], story)

    def _look_at_battery(self, each: KnownDevice) -> None:
        pk = each.device.pk
        is_open = (BATTERY, str(pk)) in self.open
        if is_open and (not self.watch.battery or _battery_fine(each, self.now)):
            self._tell(BATTERY, str(pk), self.streams[pk], wording.battery_fine(each), over=True)
        elif self.watch.battery and not is_open and _battery(each) is not None:
            story = wording.battery(each, _battery(each), self.now)
            self._tell(BATTERY, str(pk), self.streams[pk], story)

    def _tell(
        self,
        kind: str,
        subject: str,
        stream: int,
        story: Story,
        *,
        over: bool = False,
        observation: int | None = None,
    ) -> None:
        """Through the one locked path of alerts: what another process has told is not told again."""
        try:
            with transaction.atomic():
                if (current(kind, subject) is not None) is over:
                    change(
                        Transition(
                            kind=kind,
                            subject=subject,
                            datastream=stream,
                            before=1 if over else 0,
                            after=0 if over else 1,
                            step="",
                            severity=story.severity,
                            title=story.title,
                            texts=story.texts,
                            observation=self.now if observation is None else observation,
                            at=self.now,
                            recipients=self.watch.recipients_id,
                        )
                    )
        except IntegrityError:  # another process opened it in this moment
            return


def _battery(each: KnownDevice) -> Condition | None:
    wanted = (Condition.BATTERY_LOW, Condition.BATTERY_SOON)
    return next((condition for condition in each.conditions if condition in wanted), None)


def _battery_fine(each: KnownDevice, now: Micros) -> bool:
    """A little more than not low: a battery at the mark would be told of every day."""
    facts = each.facts
    charged = facts.battery is None or facts.battery >= _FINE_AGAIN_PERCENT
    lasts = facts.empty_at is None or facts.empty_at - now > _FINE_AGAIN
    return _battery(each) is None and charged and lasts


def _open_alerts() -> set[tuple[str, str]]:
    found = Alert.objects.filter(kind__in=[SILENT, BATTERY], cleared_at=None)
    return set(found.values_list("kind", "subject"))


def _withdraw_strangers(owners: set[int]) -> None:
    """Of a device that is gone or switched off, or is watched no more, nothing can end the alert."""
    watched = Device.objects.filter(owner__in=owners, active=True)
    known = {str(pk) for pk in watched.values_list("pk", flat=True)}
    for kind, subject in _open_alerts():
        owner, _colon, key = subject.partition(":")
        if (not key and subject not in known) or (key and int(owner) not in owners):
            withdraw(kind, subject)
