"""Packets to bytes and back, and bytes that are no packets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.mqtt.wire import packets
from stadtherz.mqtt.wire.decode import decode
from stadtherz.mqtt.wire.encode import encode, puback
from stadtherz.mqtt.wire.fields import LARGEST_VARINT, Frames, ProtocolError, Reader, varint
from stadtherz.mqtt.wire.packets import V3, V5
from stadtherz.mqtt.wire.properties import _ALLOWED, Kind, Property, is_list
from stadtherz.mqtt.wire.reasons import Reason

LARGEST = 1_000_000
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
binaries = st.binary(max_size=60)
packet_ids = st.integers(1, 0xFFFF)
reasons = st.sampled_from(Reason)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "byte": st.integers(0, 1),
    "two": st.integers(1, 0xFFFF),
    "four": st.integers(1, 0xFFFF_FFFF),
    "varint": st.integers(1, LARGEST_VARINT),
    "binary": binaries,
    "text": texts,
    "pair": st.tuples(texts, texts),
}


def values_of(prop: Property) -> st.SearchStrategy[Any]:
    from stadtherz.mqtt.wire import properties as p

    names = {
        "byte": p._BYTES,
        "two": p._TWO,
        "four": p._FOUR,
        "binary": p._BINARY,
        "varint": {Property.SUBSCRIPTION_ID},
        "pair": {Property.USER},
    }
    return _VALUES[next((name for name, held in names.items() if prop in held), "text")]


def properties_of(kind: Kind) -> st.SearchStrategy[dict[int, Any]]:
    optional = {
        prop: st.lists(values_of(prop), min_size=1, max_size=3)
        if is_list(prop, kind)
        else values_of(prop)
        for prop in _ALLOWED[kind]
    }
    return st.fixed_dictionaries({}, optional=optional)  # type: ignore[arg-type]


def connects(version: int) -> st.SearchStrategy[packets.Connect]:
    held = properties_of(Kind.CONNECT) if version == V5 else st.just({})
    about = properties_of(Kind.WILL) if version == V5 else st.just({})
    wills = st.builds(packets.Will, texts, binaries, st.integers(0, 2), st.booleans(), about)
    login = st.tuples(texts, st.none() | binaries) | st.just((None, None))
    return st.builds(
        lambda name, clean, alive, who, will, props: packets.Connect(
            version, name, clean, alive, *who, will, props
        ),
        texts, st.booleans(), st.integers(0, 0xFFFF), login, st.none() | wills, held,
    )  # fmt: skip


def publishes(version: int) -> st.SearchStrategy[packets.Publish]:
    held = properties_of(Kind.PUBLISH) if version == V5 else st.just({})
    topics = texts.filter(bool)
    none, flag = st.just(0), st.booleans()
    plain = st.builds(packets.Publish, topics, binaries, none, flag, st.just(False), none, held)
    kept = st.builds(
        packets.Publish,
        topics,
        binaries,
        st.integers(1, 2),
        st.booleans(),
        st.booleans(),
        packet_ids,
        held,
    )
    return plain | kept


def any_packet(version: int) -> st.SearchStrategy[packets.Packet]:
    def held(kind: Kind) -> st.SearchStrategy[dict[int, Any]]:
        return properties_of(kind) if version == V5 else st.just({})

    def acks(kind: Kind) -> st.SearchStrategy[packets.Ack]:
        said = reasons if version == V5 else st.just(Reason.SUCCESS)
        return st.builds(packets.Ack, st.just(kind), packet_ids, said, held(kind))

    flag = st.booleans() if version == V5 else st.just(False)
    handling = st.integers(0, 2 if version == V5 else 0)
    wish = st.builds(packets.Wish, texts, st.integers(0, 2), flag, flag, handling)
    wishes = st.lists(wish, min_size=1, max_size=3).map(tuple)
    granted = reasons if version == V5 else st.sampled_from([Reason.SUCCESS, Reason.UNSPECIFIED])
    listed = st.lists(granted, max_size=4).map(tuple)
    topics = st.lists(texts, min_size=1, max_size=3).map(tuple)
    common = [
        connects(version),
        publishes(version),
        *(acks(k) for k in (Kind.PUBACK, Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP)),
        st.builds(packets.Subscribe, packet_ids, wishes, held(Kind.SUBSCRIBE)),
        st.builds(packets.Unsubscribe, packet_ids, topics, held(Kind.UNSUBSCRIBE)),
        st.builds(packets.Suback, st.just(Kind.SUBACK), packet_ids, listed, held(Kind.SUBACK)),
        st.builds(packets.Ping, st.sampled_from([Kind.PINGREQ, Kind.PINGRESP])),
    ]
    if version == V3:
        codes = st.sampled_from([Reason.SUCCESS, Reason.BAD_CREDENTIALS, Reason.NOT_AUTHORIZED])
        return st.one_of(*common, st.builds(packets.Connack, st.booleans(), codes, st.just({})))
    return st.one_of(
        *common,
        st.builds(packets.Connack, st.booleans(), reasons, held(Kind.CONNACK)),
        st.builds(packets.Disconnect, reasons, held(Kind.DISCONNECT)),
        st.builds(packets.Auth, reasons, held(Kind.AUTH)),
    )


def decoded(data: bytes, version: int) -> list[packets.Packet]:
    return [decode(first, body, version) for first, body in Frames(LARGEST).feed(data)]


def is_packets_or_failure(data: bytes, version: int) -> bool:
    try:
        return all(isinstance(packet, packets.Packet) for packet in decoded(data, version))
    except ProtocolError as error:
        return error.reason.failed


@pytest.mark.parametrize("version", [V3, V5])
@given(data=st.data())
def test_what_is_written_reads_back_the_same(version: int, data: st.DataObject) -> None:
    packet = data.draw(any_packet(version))
    assert decoded(encode(packet, version), version) == [packet]


@given(st.lists(publishes(V5), max_size=5), st.lists(st.integers(1, 40), min_size=1))
def test_packets_are_found_however_the_network_cuts_them(
    sent: list[packets.Publish], sizes: list[int]
) -> None:
    stream = b"".join(encode(packet, V5) for packet in sent)
    frames, found, place, turn = Frames(LARGEST), [], 0, 0
    while place < len(stream):
        size = sizes[turn % len(sizes)]
        found += [decode(*frame, V5) for frame in frames.feed(stream[place : place + size])]
        place, turn = place + size, turn + 1
    assert found == sent


@given(st.binary(max_size=200), st.sampled_from([V3, V5]))
def test_random_bytes_are_packets_or_a_protocol_error(data: bytes, version: int) -> None:
    assert is_packets_or_failure(data, version)


@pytest.mark.parametrize("version", [V3, V5])
@given(data=st.data(), place=st.integers(0, 5_000), flip=st.integers(1, 255))
def test_a_damaged_packet_is_a_packet_or_a_protocol_error(
    version: int, data: st.DataObject, place: int, flip: int
) -> None:
    raw = bytearray(encode(data.draw(any_packet(version)), version))
    raw[place % len(raw)] ^= flip
    assert is_packets_or_failure(bytes(raw), version)


@given(st.integers(0, LARGEST_VARINT))
def test_numbers_of_variable_length_read_back(value: int) -> None:
    raw = varint(value)
    assert len(raw) <= 4
    assert Reader(raw).varint() == value


CONNECT = b"\x10\x0c\0\x04MQTT"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\x00\x00", Reason.MALFORMED),  # no type
        (b"\xc1\x00", Reason.MALFORMED),  # PINGREQ with a flag
        (b"\x36\x04\0\x01a\0", Reason.MALFORMED),  # QoS 3
        (b"\x38\x04\0\x01a\0", Reason.MALFORMED),  # DUP with QoS 0
        (b"\x32\x05\0\x01a\0\0", Reason.PROTOCOL_ERROR),  # packet identifier 0
        (b"\x30\x05\0\x09a\0\0", Reason.MALFORMED),  # the topic is longer than the packet
        (b"\x30\x05\0\x02\xc3\x28\0", Reason.MALFORMED),  # not UTF-8
        (b"\x30\x04\0\x01\0\0", Reason.MALFORMED),  # NUL in the topic
        (b"\x30\x03\0\0\0", Reason.PROTOCOL_ERROR),  # neither topic nor alias
        (b"\x30\x06\0\x01a\x02\x25\x01", Reason.PROTOCOL_ERROR),  # a property of CONNACK
        (b"\x30\x06\0\x01a\x02\x7e\x01", Reason.MALFORMED),  # a property that does not exist
        (b"\x30\x08\0\x01a\x04\x01\x00\x01\x00", Reason.PROTOCOL_ERROR),  # a property twice
        (b"\x30\x06\0\x01a\x02\x01\x02", Reason.PROTOCOL_ERROR),  # a flag of 2
        (b"\x82\x03\0\x01\0", Reason.PROTOCOL_ERROR),  # SUBSCRIBE without a filter
        (b"\x82\x07\0\x01\0\0\x01a\x03", Reason.MALFORMED),  # QoS 3 wanted
        (b"\x80\x07\0\x01\0\0\x01a\x00", Reason.MALFORMED),  # SUBSCRIBE without its flag
        (b"\x10\x0c\0\x06MQIsdp\x03\x02\0\0", Reason.UNSUPPORTED_VERSION),  # version 3.1
        (CONNECT + b"\x04\x01\0\0\0\0", Reason.MALFORMED),  # the reserved flag
        (CONNECT + b"\x04\x40\0\0\0\0", Reason.MALFORMED),  # 3.1.1: a password without a user
        (CONNECT + b"\x04\x18\0\0\0\0", Reason.MALFORMED),  # the QoS of no will
        (b"\x30\xff\xff\xff\xff\x01", Reason.MALFORMED),  # a length of five bytes
        (b"\x30\xff\xff\xff\x7f", Reason.PACKET_TOO_LARGE),
        (b"\xd0\x01\x00", Reason.MALFORMED),  # more than PINGRESP has
    ],
)
def test_what_is_wrong_has_the_right_reason(raw: bytes, reason: Reason) -> None:
    with pytest.raises(ProtocolError) as caught:
        decoded(raw, V5)
    assert caught.value.reason is reason


def test_a_bare_puback_is_the_same_in_both_versions() -> None:
    for version in (V3, V5):
        assert puback(258) == encode(packets.Ack(Kind.PUBACK, 258), version)


def test_version_3_1_1_hears_of_any_failure_as_128() -> None:
    answer = packets.Suback(Kind.SUBACK, 1, (Reason.GRANTED_1, Reason.WILDCARDS_NOT_SUPPORTED))
    assert encode(answer, V3) == b"\x90\x04\0\x01\x01\x80"
    assert encode(answer, V5) == b"\x90\x05\0\x01\0\x01\xa2"


def test_a_bridge_of_mosquitto_speaks_version_3_1_1() -> None:
    raw = bytearray(encode(packets.Connect(V3, "bridge"), V3))
    raw[8] |= 0x80
    assert decoded(bytes(raw), V3) == [packets.Connect(V3, "bridge")]
