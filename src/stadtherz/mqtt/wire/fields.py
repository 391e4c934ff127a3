"""The data types that packets are made of (MQTT 5.0 §1.5), and packets cut out of a stream of bytes."""

from collections.abc import Iterator

from stadtherz.mqtt.wire.reasons import Reason

LARGEST_VARINT = 268_435_455


class ProtocolError(Exception):
    """The other side broke the protocol; the connection ends with this reason."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def malformed(text: str) -> ProtocolError:
    return ProtocolError(Reason.MALFORMED, text)


class Reader:
    """Takes values off the front of a packet's body."""

    __slots__ = ("body", "end", "place")

    def __init__(self, body: bytes, place: int = 0, end: int | None = None) -> None:
        self.body = body
        self.place = place
        self.end = len(body) if end is None else end

    @property
    def done(self) -> bool:
        return self.place >= self.end

    def _advance(self, size: int) -> int:
        """The place before the next `size` bytes, which are taken."""
        place = self.place
        if place + size > self.end:
            raise malformed("the packet ends in the middle of a value")
        self.place = place + size
        return place

    def byte(self) -> int:
        return self.body[self._advance(1)]

    def number(self, size: int) -> int:
        place = self._advance(size)
        return int.from_bytes(self.body[place : place + size])

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                if shift and not byte:
                    raise malformed("a number is written longer than needed")
                return value
            shift += 7
            if shift > 21:
                raise malformed("a variable byte integer has more than four bytes")

    def binary(self) -> bytes:
        size = self.number(2)
        place = self._advance(size)
        return self.body[place : place + size]

    def text(self) -> str:
        return text_of(self.binary())

    def rest(self) -> bytes:
        place, self.place = self.place, self.end
        return self.body[place : self.end]

    def part(self, size: int) -> "Reader":
        """A reader of the next `size` bytes."""
        place = self._advance(size)
        return Reader(self.body, place, place + size)


def text_of(raw: bytes) -> str:
    """UTF-8 without NUL; surrogates are refused by the decoder (§1.5.4)."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise malformed("a text is not UTF-8") from error
    if "\0" in text:
        raise malformed("a text holds the character NUL")
    return text


def varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    if value > LARGEST_VARINT:
        raise ValueError(f"{value} does not fit into a variable byte integer")
    parts = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        if not value:
            parts.append(low)
            return bytes(parts)
        parts.append(low | 0x80)


def binary(value: bytes) -> bytes:
    if len(value) > 0xFFFF:
        raise ValueError("more than 65,535 bytes do not fit here")
    return len(value).to_bytes(2) + value


def text(value: str) -> bytes:
    return binary(value.encode())


class Frames:
    """Cuts a stream of bytes into packets: the first byte of each, and its body."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self._held = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The packets that are complete now. The rest is kept for the next call."""
        held = self._held + data if self._held else data
        place, size = 0, len(held)
        try:
            while place < size:
                head = self._head(held, place, size)
                if head is None:
                    break
                begin, end = head
                if end > size:
                    break
                first, place = held[place], end
                yield first, held[begin:end]
        finally:
            self._held = held[place:]

    def _head(self, held: bytes, place: int, size: int) -> tuple[int, int] | None:
        """Where the body of the packet begins and ends; None if that is not known yet."""
        length = shift = 0
        at = place + 1
        while at < size:
            byte = held[at]
            at += 1
            length |= (byte & 0x7F) << shift
            if not byte & 0x80:
                if at - place + length > self.largest:
                    raise ProtocolError(
                        Reason.PACKET_TOO_LARGE, f"a packet has more than {self.largest} bytes"
                    )
                return at, at + length
            shift += 7
            if shift > 21:
                raise malformed("the remaining length has more than four bytes")
        return None
