"""From a delivered document to readings: read it, find the device, decode its payload, measure, store.

`begin` decides and hands the readings to the store; when its future has resolved they are on disk, and
`answer` tells the network. A payload that the network left as it was is decoded in between, by a worker
process where its codec is a script: `look` before, `measure` afterwards. `measuring` dates, converts and
checks the values.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from stadtherz.base.errors import Invalid, NotFound, Unavailable
from stadtherz.base.time import Micros
from stadtherz.base.visibility import ANONYMOUS, Scope, Visibility
from stadtherz.codecs.public import PASSING, Decoded, Failed, Outcome
from stadtherz.ingest.devices import decoding, finding
from stadtherz.ingest.devices.decoding import Payload
from stadtherz.ingest.devices.finding import KnownDevice
from stadtherz.ingest.devices.remembered import NotKnown
from stadtherz.ingest.devices.seen import Seen
from stadtherz.ingest.documents import document
from stadtherz.ingest.documents.uplink import Other, Uplink
from stadtherz.ingest.downlinks import news
from stadtherz.ingest.downlinks.news import Told
from stadtherz.ingest.forms import known as forms
from stadtherz.ingest.forms import reading
from stadtherz.ingest.forms.reading import KnownForm, Misfit
from stadtherz.ingest.intake import twins
from stadtherz.ingest.intake.measuring import measured, own_time
from stadtherz.ingest.lorawan import actility, chirpstack, helium, loriot, tts
from stadtherz.ingest.quality.reasons import STATUS, Reason, sentence
from stadtherz.ingest.trust import signing
from stadtherz.ingest.trust.address_tokens import only_delivers
from stadtherz.store.public import Reading, Receipt, submit

PATIENCE_S = 8.0  # with the store; The Things Stack gives up after 10 s

T = TypeVar("T")
Read = Callable[..., Uplink | Other]
READERS: dict[str, Read] = {
    each.NETWORK: each.read for each in (tts, chirpstack, actility, loriot, helium)
}
NETWORKS = (*READERS, reading.NETWORK)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came through the door, as it came. `query` tells of a message for a form which one, and
    its topic: `form=KEY&topic=a/b` (`forms.reading.query_of`).
    """

    network: str
    body: bytes
    query: str
    received: Micros
    visibility: Visibility
    in_address: bool = False  # stood the sender's token
    believed: bool = (
        False  # it came from a broker, where networks sign nothing, or was looked at before
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a delivery is not, or not wholly, stored."""

    reason: Reason
    facts: Mapping[str, Any] = field(default_factory=dict)
    device: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with a delivery: store `readings`, keep `refusal`, note who was `seen`, and what
    is `told` of a downlink.

    `at_the_door`: its sender may not deliver, or the document is too large to be looked at. `counted` is
    the key of readings that only the frame counter tells from others (`resets`).
    """

    readings: Sequence[Reading] = ()
    refusal: Refusal | None = None
    seen: Sequence[Seen] = ()
    event: str | None = None
    told: Told | None = None
    at_the_door: bool = False
    counted: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Undecoded:
    """An uplink whose device has a codec, which the network has not run."""

    message: Uplink
    device: KnownDevice


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where devices and message forms are found; may raise NotKnown where nothing is to be asked."""

    device: Callable[[str, str, int | None], KnownDevice | None] = finding.find
    form: Callable[[Visibility, str], KnownForm] = forms.find


ASKING = Lookup()
AT_ONCE = Lookup(finding.known, forms.known)

Begun = tuple[Plan, Future[list[Receipt]]]


def prepare(delivery: Delivery) -> Plan:
    """What a delivery by somebody who may deliver amounts to. Asks the database, waits for a codec."""
    plan = look(delivery)
    if isinstance(plan, Plan):
        return plan
    (decoded,) = decode_payloads([plan])
    return measure(plan, decoding.waited(decoded, PATIENCE_S))


def look(delivery: Delivery, *, lookup: Lookup = ASKING) -> Plan | Undecoded:
    """As `prepare`, without waiting: what needs a codec is left to the caller."""
    if delivery.network == reading.NETWORK:
        return _by_form(delivery, lookup)
    try:
        parsed = document.parse(delivery.body)
        query = dict(parse_qsl(delivery.query))
        message = READERS[delivery.network](parsed, query, received=delivery.received)
    except Invalid as problem:
        return Plan(refusal=unreadable(problem))
    device = _device(delivery, message.dev_eui, lookup)
    if (unsigned := _unsigned(delivery, parsed, device)) is not None:
        return Plan(refusal=unsigned, at_the_door=True)
    if isinstance(message, Other):
        return _event(message, device, delivery.received)
    known = _taken_from(delivery, message, device)
    if isinstance(known, Refusal):
        return Plan(refusal=known)
    if known.codec is not None and not message.decoded:
        return Undecoded(message, known)
    return _measurements(message, known)


def _unsigned(delivery: Delivery, parsed: Any, device: KnownDevice | None) -> Refusal | None:
    """Why it is not believed that the network sent this, where it signs what it sends."""
    if device is None or device.signed_with is None or delivery.believed:
        return None
    fault = signing.fault(device.signed_with, parsed, delivery.query, delivery.received)
    return (
        None if fault is None else Refusal(Reason.BAD_TOKEN, {"signature": fault.value}, device.id)
    )


def _taken_from(
    delivery: Delivery, message: Uplink, device: KnownDevice | None
) -> KnownDevice | Refusal:
    """The device, if measurements of it are taken from whoever delivers."""
    facts = {"dev_eui": message.dev_eui}
    if device is None:
        limited = delivery.visibility.device is not None
        return Refusal(Reason.OTHER_DEVICE if limited else Reason.UNKNOWN_DEVICE, facts)
    if not device.counts_at(message.time):
        return Refusal(Reason.INACTIVE_DEVICE, facts, device.id)
    return device


def _by_form(delivery: Delivery, lookup: Lookup) -> Plan | Undecoded:
    """What a message amounts to that an organisation's own form describes."""
    try:
        told = reading.address(delivery.query)
        form = lookup.form(delivery.visibility, told.form)
        content = reading.content(delivery.body, told)
        found = reading.read(form, told, content, delivery.received)
    except NotFound:
        return Plan(refusal=Refusal(Reason.UNKNOWN_FORM, {"form": told.form}))
    except Misfit as misfit:
        return Plan(refusal=Refusal(Reason.FORM_MISFIT, misfit.facts))
    except Invalid as problem:
        return Plan(refusal=unreadable(problem))
    names = {each.dev_eui for each in found if isinstance(each, Uplink)}
    known = {name: _device(delivery, name, lookup, form.owner) for name in names}
    looked = [_of_form(delivery, each, known) for each in found]
    return looked[0] if len(looked) == 1 else _together(_all_decoded(looked, lookup))


def _all_decoded(looked: Sequence[Plan | Undecoded], lookup: Lookup) -> list[Plan]:
    """Of a message with several payloads all are waited for: together they are one delivery."""
    undecoded = [each for each in looked if isinstance(each, Undecoded)]
    if undecoded and lookup is AT_ONCE:
        raise NotKnown
    outcomes = [decoding.waited(each, PATIENCE_S) for each in decode_payloads(undecoded)]
    known = iter(outcomes)
    return [measure(e, next(known)) if isinstance(e, Undecoded) else e for e in looked]


def _of_form(
    delivery: Delivery, message: Uplink | Misfit, known: Mapping[str, KnownDevice | None]
) -> Plan | Undecoded:
    if isinstance(message, Misfit):
        return Plan(refusal=Refusal(Reason.FORM_MISFIT, message.facts))
    device = _taken_from(delivery, message, known[message.dev_eui])
    if isinstance(device, Refusal):
        return Plan(refusal=device)
    if device.codec is not None and message.payload:
        return Undecoded(message, device)
    return _measurements(message, device)


def _together(plans: Sequence[Plan]) -> Plan:
    """The readings of one message; what is refused of it is told by the first that is."""
    refusals = [
        (place, plan.refusal) for place, plan in enumerate(plans, 1) if plan.refusal is not None
    ]
    refusal = None
    if refusals:
        place, refusal = refusals[0]
        among = {"reading": place, "readings": len(plans), "refused": len(refusals)}
        refusal = replace(refusal, facts={**refusal.facts, **among})
    return Plan(
        readings=[each for plan in plans for each in plan.readings],
        refusal=refusal,
        seen=[each for plan in plans for each in plan.seen],
    )


def decode_payloads(undecoded: Sequence[Undecoded]) -> list[Future[Outcome]]:
    """What the devices' codecs make of the payloads; the futures never raise."""
    return decoding.start([_payload(each.message, each.device) for each in undecoded])


def _payload(message: Uplink, device: KnownDevice) -> Payload:
    assert device.codec is not None
    return Payload(
        codec=device.codec,
        payload=message.payload,
        f_port=message.f_port,
        received=message.time,
        owner=device.id,
        variables=device.variables,
    )


def measure(undecoded: Undecoded, outcome: Outcome) -> Plan:
    """What an uplink amounts to after its payload was decoded, or was not."""
    message, device = undecoded.message, undecoded.device
    if isinstance(outcome, Decoded):
        return _measurements(replace(message, decoded=_both(message, outcome.data)), device)
    return Plan(refusal=_undecodable(device, outcome), seen=(_seen(message, device),))


def _both(message: Uplink, data: dict[str, Any]) -> dict[str, Any]:
    """What a codec read; of a message of JSON with what stands beside the payload."""
    if message.network != reading.NETWORK:
        return data
    return {**(message.decoded or {}), **data}


def _undecodable(device: KnownDevice, failed: Failed) -> Refusal:
    assert device.codec is not None
    reason = Reason.CODEC_BUSY if failed.fault in PASSING else Reason.CODEC_FAILED
    return Refusal(reason, decoding.facts_of(device.codec.name, failed), device.id)


def begin(delivery: Delivery) -> Begun:
    """The plan, and the future of its readings' receipts: they are on disk when it resolves.

    Both this call and the future may raise Invalid (a reading that cannot be kept) and Unavailable.
    """
    plan = prepare(delivery)
    return plan, submit(plan.readings)


def begin_soon(delivery: Delivery) -> Begun | Future[Begun]:
    """As `begin`, without waiting for a codec; nobody can cancel what comes."""
    plan = look(delivery)
    if isinstance(plan, Plan):
        return plan, submit(plan.readings)
    begun: Future[Begun] = Future()
    begun.set_running_or_notify_cancel()

    def go_on(outcome: Future[Outcome]) -> None:
        """In the thread that serves the codec's worker: nothing here asks the database."""
        try:
            plan_now = measure(plan, outcome.result())
            begun.set_result((plan_now, submit(plan_now.readings)))
        except Exception as problem:  # noqa: BLE001 - whoever waits is told
            begun.set_exception(problem)

    decode_payloads([plan])[0].add_done_callback(go_on)
    return begun


def result(future: Future[T]) -> T:
    """What the future holds. Raises Unavailable if the store does not answer in time."""
    try:
        return future.result(PATIENCE_S)
    except TimeoutError as problem:
        raise Unavailable("store", "did not answer in time", retry=True) from problem


def turned_away(refusal: Refusal) -> Begun:
    """As `begin`, for whom nothing is done."""
    return Plan(refusal=refusal, at_the_door=True), submit(())


def refusal_at_the_door(delivery: Delivery) -> Refusal | None:
    """Why the sender may not deliver this, if so."""
    visibility = delivery.visibility
    if visibility == ANONYMOUS:
        return Refusal(Reason.BAD_TOKEN)
    if not visibility.allows(Scope.INGEST) or not (visibility.everything or visibility.home):
        return Refusal(Reason.NO_SCOPE)
    if delivery.in_address and not only_delivers(visibility):
        return Refusal(Reason.STRONG_TOKEN)
    if len(delivery.body) > document.LARGEST:
        return Refusal(Reason.TOO_LARGE, {"limit": f"{document.LARGEST // 1024} kB"})
    return None


def unreadable(problem: Invalid) -> Refusal:
    facts = {"field": problem.field, "problem": problem.reason}
    return Refusal(Reason.BROKEN_DOCUMENT, facts)


def _device(
    delivery: Delivery, dev_eui: str | None, lookup: Lookup, owner: int | None = None
) -> KnownDevice | None:
    """The device, if whoever delivers may speak for it; another's looks like an unknown one."""
    device = lookup.device(delivery.network, dev_eui, owner) if dev_eui else None
    by = delivery.visibility
    if device is None or by.device not in (None, device.id):
        return None
    return device if by.everything or device.owner == by.home else None


def _event(message: Other, device: KnownDevice | None, received: Micros) -> Plan:
    if device is None:
        return Plan(event=message.event)
    sign = Seen(
        device.id, received, event=message.event, battery=message.battery, time=message.time
    )
    return Plan(event=message.event, seen=[sign], told=news.told(message, device.id))


def amount(message: Uplink, device: KnownDevice) -> Plan:
    """What a readable message of a device amounts to, for who only wants to know: whether a value jumps
    is not judged, because the next one would be compared with it.
    """
    unwatched = tuple(replace(each, watch=None) for each in device.fields)
    known = replace(device, fields=unwatched)
    if message.network != reading.NETWORK or known.codec is None or not message.payload:
        return _measurements(message, known)
    (decoded,) = decode_payloads([Undecoded(message, known)])
    return measure(Undecoded(message, known), decoding.waited(decoded, PATIENCE_S))


def _measurements(message: Uplink, device: KnownDevice) -> Plan:
    if message.network != reading.NETWORK:
        message = _known_by(twins.key_of(message), message)
    found = measured(message, device)
    refusal = Refusal(found.reason, found.facts, device.id) if found.reason else None
    by_counter = message.counted and message.time != message.received
    return Plan(
        readings=found.readings,
        refusal=refusal,
        seen=(_seen(message, device),),
        counted=message.key if by_counter else "",
    )


def _known_by(key: str, message: Uplink) -> Uplink:
    return message if key == message.key else replace(message, key=key, counted=False)


def _seen(message: Uplink, device: KnownDevice) -> Seen:
    best = message.radio.best
    return Seen(
        device.id,
        message.received,
        f_cnt=message.f_cnt,
        battery=message.battery,
        rssi=best.rssi if best else None,
        snr=best.snr if best else None,
        time=message.time,
        own=own_time(message, device) if device.time_path else None,
        gateway=best.id if best else "",
    )


def answer(plan: Plan, receipts: Sequence[Receipt]) -> Answer:
    """What the network is told, in the active language."""
    if plan.refusal is not None and plan.at_the_door:
        return refused(plan.refusal)
    stored = [receipt.id for receipt in receipts if not receipt.duplicate]
    body: dict[str, Any] = {
        "stored": len(stored),
        "duplicates": len(receipts) - len(stored),
        "observations": [receipt.id for receipt in receipts],
    }
    if plan.event is not None:
        body["event"] = plan.event
    if plan.refusal is None:
        return Answer(200, body)
    return refused(plan.refusal, body)


def refused(refusal: Refusal, body: Mapping[str, Any] | None = None) -> Answer:
    facts = refusal.facts
    told = {
        "error": refusal.reason.value,
        "detail": sentence(refusal.reason, facts),
        **(body or {}),
    }
    if "problems" in facts:
        told["problems"] = facts["problems"]
    return Answer(STATUS[refusal.reason], told)


def is_news(receipts: Sequence[Receipt]) -> bool:
    """Whether this delivery is the first of its uplink; a repeated one changes nothing."""
    return not receipts or not all(receipt.duplicate for receipt in receipts)
