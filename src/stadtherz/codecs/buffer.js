// The part of Node's Buffer that codecs use; evaluated only where a codec's text speaks of it.
(function (global) {
  "use strict";
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  function encoded(text, encoding) {
    switch (String(encoding || "utf8").toLowerCase()) {
      case "hex":
        return (text.match(/[0-9a-f]{2}/gi) || []).map((pair) => parseInt(pair, 16));
      case "base64":
      case "base64url":
        return unbase64(text);
      case "ascii":
      case "latin1":
      case "binary":
        return Array.from(text, (letter) => letter.charCodeAt(0) & 0xff);
    }
    const escaped = encodeURIComponent(text).replace(/%(..)/g, (_all, pair) =>
      String.fromCharCode(parseInt(pair, 16)),
    );
    return Array.from(escaped, (letter) => letter.charCodeAt(0));
  }

  function unbase64(text) {
    const bytes = [];
    let [held, bits] = [0, 0];
    for (const letter of text.replace(/-/g, "+").replace(/_/g, "/")) {
      const digit = DIGITS.indexOf(letter);
      if (digit < 0) continue;
      held = ((held << 6) | digit) & 0xffffff;
      bits += 6;
      if (bits >= 8) bytes.push((held >> (bits -= 8)) & 0xff);
    }
    return bytes;
  }

  function base64(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length; at += 3) {
      const three = (bytes[at] << 16) | ((bytes[at + 1] || 0) << 8) | (bytes[at + 2] || 0);
      for (let digit = 0; digit < 4; digit++) {
        const there = at + digit - 1 < bytes.length || digit < 2;
        text += there ? DIGITS[(three >> (18 - 6 * digit)) & 63] : "=";
      }
    }
    return text;
  }

  function decoded(bytes, encoding) {
    const latin = () => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    switch (String(encoding || "utf8").toLowerCase()) {
      case "hex":
        return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      case "base64":
        return base64(bytes);
      case "ascii":
      case "latin1":
      case "binary":
        return latin();
    }
    try {
      return decodeURIComponent(latin().replace(/[^]/g, (c) => "%" + c.charCodeAt(0).toString(16).padStart(2, "0")));
    } catch {
      return latin();
    }
  }

  class Buffer extends Uint8Array {
    constructor(source, encoding, length) {
      if (typeof source === "string") super(encoded(source, encoding));
      else if (source instanceof ArrayBuffer) super(source, encoding, length);
      else super(source || 0);
    }
    static from(source, encoding) {
      const bytes = typeof source === "string" ? encoded(source, encoding) : source;
      return super.from(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes);
    }
    static alloc(size, fill) {
      return new Buffer(size).fill(fill || 0);
    }
    static allocUnsafe(size) {
      return new Buffer(size);
    }
    static isBuffer(value) {
      return value instanceof Buffer;
    }
    static concat(buffers) {
      return Buffer.from(buffers.flatMap((each) => Array.from(each)));
    }
    static byteLength(text, encoding) {
      return encoded(text, encoding).length;
    }
    slice(from, to) {
      return this.subarray(from, to);
    }
    equals(other) {
      return this.length === other.length && this.every((byte, at) => byte === other[at]);
    }
    toString(encoding, from, to) {
      return decoded(this.subarray(from || 0, to), encoding);
    }
    toJSON() {
      return { type: "Buffer", data: Array.from(this) };
    }
    readUIntBE(offset, size) {
      return this.#whole(offset, size).reduce((sum, byte) => sum * 256 + byte, 0);
    }
    readUIntLE(offset, size) {
      return this.#whole(offset, size).reduceRight((sum, byte) => sum * 256 + byte, 0);
    }
    readIntBE(offset, size) {
      return signed(this.readUIntBE(offset, size), size);
    }
    readIntLE(offset, size) {
      return signed(this.readUIntLE(offset, size), size);
    }
    #whole(offset, size) {
      const at = offset || 0;
      if (at < 0 || at + size > this.length) {
        throw new RangeError("Attempt to access memory outside buffer bounds");
      }
      return this.subarray(at, at + size);
    }
  }

  function signed(number, size) {
    return number >= 2 ** (8 * size - 1) ? number - 2 ** (8 * size) : number;
  }

  // readUInt16BE, readDoubleLE, writeInt8 … are a DataView's, which is as strict about bounds.
  const kinds = { UInt8: "Uint8", Int8: "Int8", UInt16: "Uint16", Int16: "Int16", UInt32: "Uint32",
    Int32: "Int32", Float: "Float32", Double: "Float64", BigUInt64: "BigUint64", BigInt64: "BigInt64" };
  const view = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  function define(name, value) {
    for (const spelled of [name, name.replace("UInt", "Uint")]) {
      Object.defineProperty(Buffer.prototype, spelled, { value, configurable: true, writable: true });
    }
  }
  for (const [name, kind] of Object.entries(kinds)) {
    for (const order of kind.endsWith("t8") ? [""] : ["BE", "LE"]) {
      const little = order === "LE";
      define(`read${name}${order}`, function (offset) {
        return view(this)[`get${kind}`](offset || 0, little);
      });
      define(`write${name}${order}`, function (value, offset) {
        view(this)[`set${kind}`](offset || 0, value, little);
        return (offset || 0) + DataView.prototype[`get${kind}`].length;
      });
    }
  }
  global.Buffer = Buffer;
})(globalThis);
