"""Makers' scripts in their four forms, and every way in which one can be bad."""

from collections.abc import Iterator
from typing import Any

import pytest

from stadtherz.base.time import parse_instant
from stadtherz.codecs.limits import Limits
from stadtherz.codecs.outcomes import Decoded, Failed, Fault, Outcome
from stadtherz.codecs.pool import Pool
from stadtherz.codecs.process import Job

AT = parse_instant("2026-11-26T07:00:00.250Z")
GOOD = "function Decoder(bytes, port) { return {n: bytes.length, port: port} }"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Patient with a busy machine, and quick to kill."""
    pool = Pool(Limits(cpu=0.2, patience=4.0, alarm=30.0))
    yield pool
    pool.stop()


def run(pool: Pool, text: str, payload: bytes = b"\x01\x02\xff", **more: Any) -> Outcome:
    job = Job(text=text, payload=payload, f_port=7, received=AT, **more)
    return pool.submit(job).result(60)


def data(outcome: Outcome) -> Any:
    assert isinstance(outcome, Decoded), outcome
    return outcome.data


def failed(outcome: Outcome) -> Failed:
    assert isinstance(outcome, Failed), outcome
    return outcome


@pytest.mark.parametrize(
    "text",
    [
        "function decodeUplink(input) { return {data: {n: input.bytes.length, p: input.fPort}} }",
        "const decodeUplink = ({bytes, fPort}) => ({data: {n: bytes.length, p: fPort}});",
        "function Decoder(bytes, port) { return {n: bytes.length, p: port} }",
        "function Decode(fPort, bytes, variables) { return {n: bytes.length, p: fPort} }",
        "module.exports = {decodeUplink: (i) => ({data: {n: i.bytes.length, p: i.fPort}})}",
        "exports.decodeUplink = (i) => ({data: {n: i.bytes.length, p: i.fPort}})",
        "'use strict'; function Decoder(b, p) { return {n: b.length, p: p} }",
        "function Decoder(b, p) { undeclared = b.length; return {n: undeclared, p: 07} }",
        "function Decoder(b, p) { return {n: b.length, p: p} }\n\x00\x00",
        "\ufefffunction Decoder(b, p) {\r\n  return {n: b.length, p: p}\r\n}\r\n",
        "#!/usr/bin/env node\nfunction Decoder(b, p) { return {n: b.length, p: p} }",
        "exports.default = {decodeUplink(i) { return {data: {n: i.bytes.length, p: i.fPort}} }}",
        "module.exports = function (i) { return {data: {n: i.bytes.length, p: i.fPort}} }",
        "export function decodeUplink(i) { return {data: {n: i.bytes.length, p: i.fPort}} }",
        "export const decodeUplink = (i) => ({data: {n: i.bytes.length, p: i.fPort}})",
        "export default function decodeUplink(i) { return {data: {n: i.bytes.length, p: i.fPort}} }",
        "export default {decodeUplink(i) { return {data: {n: i.bytes.length, p: i.fPort}} }}",
        "function up(i) { return {data: {n: i.bytes.length, p: i.fPort}} }\nexport {\n  up as decodeUplink,\n};",
        "let driver; (() => { driver = {decodeUplink: (i) => ({data: {n: i.bytes.length, p: i.fPort}})} })()",
        "const module = {}; function decodeUplink(i) { return {data: {n: i.bytes.length, p: i.fPort}} }",
        "function Decoder(b, p) { var d = []; d.n = b.length; d.p = p; return d }",
        "class Payload { #at = 0; constructor(b) { this.b = b } get rest() { return this.b.length - this.#at } }"
        " const decodeUplink = (i) => ({data: {n: new Payload(i.bytes).rest, p: i.fPort}})",
        "function Decoder(b, p) { var n = 0; with (Math) n = max(b.length, 1);"
        " all: for (;;) { for (;;) break all } return {n: n, p: p} }",
        "function decodeUplink(i) { this.calls = (this.calls || 0) + 1; return {data: {n: i.bytes.length * this.calls, p: i.fPort}} }",
        "function Decoder(b, p, told) { return {n: b.length, p: told.port, name: told.name} }",
    ],
)
def test_every_form_that_makers_publish_is_called(pool: Pool, text: str) -> None:
    assert data(run(pool, text)) == {"n": 3, "p": 7}


def test_the_standards_form_comes_first(pool: Pool) -> None:
    text = GOOD + "function decodeUplink() { return {data: {it: 'is'}} }"
    assert data(run(pool, text)) == {"it": "is"}


def test_a_codec_knows_when_the_payload_came_and_its_variables(pool: Pool) -> None:
    text = """function decodeUplink(input) {
        return {data: {at: input.recvTime, zero: input.variables.zero}}
    }"""
    told = data(run(pool, text, variables={"zero": "4.5"}))
    assert told == {"at": "2026-11-26T07:00:00.250Z", "zero": "4.5"}
    old = "function Decode(fPort, bytes, variables) { return variables }"
    assert data(run(pool, old, variables={"zero": "4.5"})) == {"zero": "4.5"}


def test_bytes_are_a_plain_list_of_numbers(pool: Pool) -> None:
    text = "function Decoder(b) { return {list: Array.isArray(b), last: b.pop(), rest: b} }"
    assert data(run(pool, text)) == {"list": True, "last": 255, "rest": [1, 2]}


def test_warnings_and_what_was_logged_are_told(pool: Pool) -> None:
    text = """function decodeUplink() {
        console.log("port", 7); console.warn({}); console.error();
        return {data: {}, warnings: ["low battery"], errors: []}
    }"""
    outcome = run(pool, text)
    assert isinstance(outcome, Decoded)
    assert outcome.warnings == ("low battery",)
    assert outcome.log == ("port 7", "[object Object]", "")


def test_node_and_the_machine_are_not_there(pool: Pool) -> None:
    names = ["require", "process", "fetch", "std", "os", "Deno", "setTimeout", "XMLHttpRequest"]
    text = f"function Decoder() {{ return {{seen: {names}.filter((n) => n in globalThis)}} }}"
    assert data(run(pool, text)) == {"seen": []}
    required = "function Decoder() { return {type: typeof require} }"
    assert data(run(pool, required)) == {"type": "undefined"}
    assert failed(run(pool, "import 'os'; " + GOOD)).fault is Fault.SYNTAX
    dynamic = "async function decodeUplink() { await import('os'); return {data: {}} }"
    assert failed(run(pool, dynamic)).fault is Fault.PROMISE


def test_what_a_codec_brings_comes_before_what_it_finds(pool: Pool) -> None:
    own = """function Buffer(size) { this.list = new Array(size); this.at = 0 }
        Buffer.prototype.put = function (value) { this.list[this.at++] = value; return this };
        function Decoder(b) { return {last: new Buffer(1).put(b[2]).list[0]} }"""
    assert data(run(pool, own)) == {"last": 255}
    asked = """const { Buffer } = require("node:buffer");
        function decodeUplink(i) { return {data: {n: Buffer.from(i.bytes).readUInt8(2)}} }"""
    assert data(run(pool, asked)) == {"n": 255}
    other = "const fs = require('fs'), b = require('buffer'); function Decoder() { return {} }"
    assert "no module fs" in failed(run(pool, other)).detail


def test_an_export_moves_no_line_of_the_text(pool: Pool) -> None:
    text = "function a() {}\nexport {\n  a,\n};\nexport function decodeUplink() {\n  throw new Error('no')\n}"
    assert failed(run(pool, text)).line == 6


def test_now_is_when_the_message_came(pool: Pool) -> None:
    """Codecs reckon the times of older values from now, and a message may be decoded again days later."""
    text = """const started = new Date();
        function decodeUplink(i) { return {data: {
            started: started, now: Date.now() - i.recvTime.getTime(), ago: new Date(Date.now() - 60000), year: Date().slice(11, 15),
            same: new Date(2020, 1, 1) instanceof Date && new Date("2020-02-01").constructor === Date, day: Date.UTC(1970, 0, 2),
        }} }"""
    told = data(run(pool, text))
    assert told == {
        "started": "2026-11-26T07:00:00.250Z",
        "now": 0,
        "ago": "2026-11-26T06:59:00.250Z",
        "year": "2026",
        "same": True,
        "day": 86_400_000,
    }


def test_values_in_a_list_of_objects_come_under_a_name(pool: Pool) -> None:
    listed = "function Decoder(b) { return [{field: 'LEVEL', value: b[0]}, {field: 'BATTERY', value: b[1]}] }"
    assert data(run(pool, listed)) == {
        "values": [{"field": "LEVEL", "value": 1}, {"field": "BATTERY", "value": 2}]
    }


def test_text_of_bytes_is_read_as_browsers_do(pool: Pool) -> None:
    text = """function Decoder() { return {
        utf8: new TextDecoder().decode(new Uint8Array([72, 195, 182])), latin: new TextDecoder("latin1").decode(new Uint8Array([246])),
        bad: new TextDecoder().decode(new Uint8Array([246, 65])), bytes: Array.from(new TextEncoder().encode("ö")),
        copy: structuredClone({a: [1]}), hex: atob("9g==").charCodeAt(0),
    } }"""
    assert data(run(pool, text)) == {
        "utf8": "Hö",
        "latin": "ö",
        "bad": "\ufffdA",
        "bytes": [195, 182],
        "copy": {"a": [1]},
        "hex": 246,
    }


BUFFER = [
    ("Buffer.from(b).readUInt16BE(1)", 0x02FF),
    ("Buffer.from(b).readUint16LE(1)", 0xFF02),
    ("Buffer.from(b).readInt8(2)", -1),
    ("Buffer.from(b).readIntBE(0, 3)", 0x0102FF),
    ("Buffer.from(b).readIntLE(0, 3)", 0xFF0201 - 2**24),
    ("Buffer.from(b).readUIntBE(1, 2)", 0x02FF),
    ("Buffer.from('c0490fdb', 'hex').readFloatBE(0).toFixed(4)", "-3.1416"),
    ("Buffer.from('AQL/', 'base64').toString('hex')", "0102ff"),
    ("Buffer.from('AQL_', 'base64url')[2]", 255),
    ("Buffer.from(b).toString('base64')", "AQL/"),
    ("Buffer.from(b.slice(0, 2)).toString('base64')", "AQI="),
    ("Buffer.from('Höhe €').toString()", "Höhe €"),
    ("Buffer.from('Höhe €').length", 9),
    ("Buffer.from('414243', 'hex').toString('ascii', 1, 2)", "B"),
    ("Buffer.from(b).slice(1).length", 2),
    ("Buffer.concat([Buffer.from(b), Buffer.alloc(2)]).length", 5),
    ("Buffer.isBuffer(Buffer.from(b)) && !Buffer.isBuffer(b)", True),
    ("Buffer.from(b).equals(Buffer.from([1, 2, 255]))", True),
    ("Number(Buffer.alloc(8, 1).readBigUInt64BE(0) % 1000n)", 0x0101010101010101 % 1000),
    ("new Buffer('0aff', 'hex').readUInt16BE()", 0x0AFF),
    ("new Buffer(b).length + new Buffer(2).length + new Buffer(new Uint8Array(1).buffer).length", 6),
    ("(() => { const w = Buffer.alloc(6); const n = w.writeUIntBE(0x010203, 0, 3); w.writeIntLE(-2, n, 3); return w.toString('hex') })()", "010203feffff"),
    ("(() => { const w = Buffer.alloc(4); Buffer.from(b).copy(w, 1); w.write('A'); return w.swap16().toString('hex') })()", "0141ff02"),
    ("Buffer.from(b).compare(Buffer.from([1, 3]))", -1),
    ("(() => { const w = Buffer.alloc(4); w.writeInt16BE(-2, 1); return w.toString('hex') })()", "00fffe00"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), BUFFER)
def test_a_buffer_is_what_codecs_know_from_node(
    pool: Pool, expression: str, expected: object
) -> None:
    text = f"function Decoder(b) {{ return {{value: {expression}}} }}"
    assert data(run(pool, text)) == {"value": expected}


def test_reading_past_a_buffers_end_is_an_error_of_the_codec(pool: Pool) -> None:
    for call in ("readUInt32BE(1)", "readIntBE(2, 3)"):
        text = f"function Decoder(b) {{ return {{v: Buffer.from(b).{call}}} }}"
        assert failed(run(pool, text)).detail.startswith("RangeError")


VALUES = [
    ("NaN", "NaN"),
    ("Infinity", "Infinity"),
    ("-1/0", "-Infinity"),
    ("null", None),
    ("() => 1", "[function]"),
    ("Symbol('x')", "[symbol]"),
    ("12n", 12),
    ("2n ** 64n", "18446744073709551616"),
    ("new Date(0)", "1970-01-01T00:00:00.000Z"),
    ("new Date(NaN)", None),
    ("'ä\\u0000'", "ä\x00"),
    ("[1, undefined]", [1, None]),
]


@pytest.mark.parametrize(("expression", "expected"), VALUES)
def test_what_json_does_not_know_stays_visible(
    pool: Pool, expression: str, expected: object
) -> None:
    text = f"function Decoder() {{ return {{value: {expression}}} }}"
    assert data(run(pool, text)) == {"value": expected}


def test_a_value_that_is_undefined_is_not_there(pool: Pool) -> None:
    assert data(run(pool, "function Decoder() { return {a: undefined, b: 1} }")) == {"b": 1}


BAD = [
    ("function (", Fault.SYNTAX),
    ("", Fault.NO_FUNCTION),
    ("var Decoder = 5", Fault.NO_FUNCTION),
    ("function Decoder() { throw new Error('too short') }", Fault.THREW),
    ("function Decoder() { throw 'too short' }", Fault.THREW),
    ("function Decoder(b) { return {v: b[9].x} }", Fault.THREW),
    ("throw new TypeError('at once')", Fault.THREW),
    ("function decodeUplink() { return {errors: ['unknown port', 8]} }", Fault.ERRORS),
    ("function decodeUplink() { return {data: {a: 1}, errors: 'bad'} }", Fault.ERRORS),
    ("function decodeUplink() { return {error: 'unknown port'} }", Fault.ERRORS),
    ("function decodeUplink() {}", Fault.NO_OBJECT),
    ("function decodeUplink() { return {} }", Fault.NO_OBJECT),
    ("function decodeUplink() { return {data: [1]} }", Fault.NO_OBJECT),
    ("function Decoder() { return 5 }", Fault.NO_OBJECT),
    ("function Decoder() { return () => 1 }", Fault.NO_OBJECT),
    ("function Decoder() { return {toJSON() { return 5 }} }", Fault.NO_OBJECT),
    ("JSON.stringify = () => 5; function Decoder() { return {} }", Fault.NO_OBJECT),
    ("JSON.stringify = () => '{\"'; function Decoder() { return {} }", Fault.NO_OBJECT),
    ("async function decodeUplink() { return {data: {}} }", Fault.PROMISE),
    ("async function Decoder() { return {} }", Fault.PROMISE),
    ("const o = {}; o.o = o; function Decoder() { return o }", Fault.CYCLE),
    ("function Decoder() { let o = {}, i = o; for (let n = 0; n < 40; n++) i = i.o = {}; return o }", Fault.TOO_DEEP),
    ("function Decoder() { return {a: 'x'.repeat(70000)} }", Fault.TOO_LARGE),
    ("function Decoder() { return {a: new Array(20000).fill(1234)} }", Fault.TOO_LARGE),
    ("function Decoder() { for (;;); }", Fault.TOO_SLOW),
    ("for (;;);", Fault.TOO_SLOW),
    ("function Decoder() { return {a: /(a+)+$/.test('a'.repeat(40) + 'b')} }", Fault.TOO_SLOW),
    ("function Decoder() { try { for (;;); } catch { return {} } finally { for (;;); } }", Fault.TOO_SLOW),
    ("function Decoder() { const a = []; for (;;) a.push(a.length + 'x') }", Fault.MEMORY),
    ("function Decoder() { return {a: 'x'.repeat(1e9)} }", Fault.MEMORY),
    ("function Decoder() { return Decoder() }", Fault.RECURSION),
    ("function Decoder() { let o = {}, i = o; for (let n = 0; n < 1e5; n++) i = i.o = {}; return o }", Fault.RECURSION),
    ("function Decoder() { return {a: new Array(2e9).join('ab')} }", Fault.KILLED),
    ("function Decoder() { throw {toString() { for (;;); }} }", Fault.KILLED),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fault"), BAD)
def test_a_bad_codec_is_told_from_others_and_spoils_nothing(
    pool: Pool, text: str, fault: Fault
) -> None:
    assert failed(run(pool, text)).fault is fault
    assert data(run(pool, GOOD)) == {"n": 3, "port": 7}


def test_an_error_names_the_line_of_the_codecs_text(pool: Pool) -> None:
    thrown = failed(run(pool, "\n\nfunction Decoder() {\n  throw new Error('no')\n}"))
    assert (thrown.detail, thrown.line) == ("Error: no", 4)
    assert failed(run(pool, "\nfunction Decoder( {")).line == 2


def test_the_errors_a_codec_gives_are_told_in_its_words(pool: Pool) -> None:
    text = "function decodeUplink() { return {errors: ['unknown port', {a: 1}]} }"
    assert failed(run(pool, text)).detail.startswith("unknown port; ")


def test_what_one_decode_leaves_behind_the_next_does_not_find(pool: Pool) -> None:
    dirty = """globalThis.left = 1; Object.prototype.polluted = 1; JSON.stringify = null;
        Array.prototype.slice = null; let count = 0;
        function Decoder() { throw new Error('dirty') }"""
    clean = """let count = 0; function Decoder() {
        return {left: typeof left, polluted: typeof ({}).polluted, slice: typeof [].slice, n: ++count}
    }"""
    for _ in range(4):
        run(pool, dirty)
        told = data(run(pool, clean))
        assert told == {"left": "undefined", "polluted": "undefined", "slice": "function", "n": 1}


@pytest.mark.parametrize(
    "text",
    [
        "function encodeDownlink(i) { return {bytes: [i.data.n, i.fPort], fPort: 3} }",
        "function Encode(fPort, data, variables) { return [data.n, fPort] }",
        "function Encoder(data, port) { return [data.n, port] }",
        "exports.encodeDownlink = (i) => ({bytes: new Uint8Array([i.data.n, i.fPort])})",
    ],
)
def test_every_form_of_an_encoder_is_called(pool: Pool, text: str) -> None:
    told = data(run(pool, text, b"", encode={"n": 5}))
    assert told["bytes"] == [5, 7]
    assert told.get("fPort") == (3 if "fPort: 3" in text else None)


def test_bytes_are_what_networks_make_of_an_encoders_numbers(pool: Pool) -> None:
    text = (
        "function encodeDownlink(i) { return {bytes: [-1, 600 / 256, 255, -128, 256, '7', NaN]} }"
    )
    assert data(run(pool, text, b"", encode={}))["bytes"] == [255, 2, 255, 128, 256, "7", "NaN"]


def test_what_a_device_is_sent_is_decoded_by_a_function_of_its_own(pool: Pool) -> None:
    text = (
        GOOD + "function decodeDownlink(i) { return {data: {minutes: i.bytes[0], port: i.fPort}} }"
    )
    assert data(run(pool, text, downlink=True)) == {"minutes": 1, "port": 7}
    assert failed(run(pool, GOOD, downlink=True)).fault is Fault.NO_FUNCTION


def test_a_decoder_alone_encodes_nothing(pool: Pool) -> None:
    assert failed(run(pool, GOOD, b"", encode={})).fault is Fault.NO_FUNCTION


def test_an_encoder_gives_only_so_many_bytes(pool: Pool) -> None:
    for bytes_ in ("new Array(2e9)", "{length: 2e9}", "new Array(1001)"):
        text = f"function encodeDownlink() {{ return {{bytes: {bytes_}}} }}"
        assert failed(run(pool, text, b"", encode={})).fault is Fault.THREW
