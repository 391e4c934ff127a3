// Text in bytes and back, as browsers have it; UTF-8, and bytes as they are for all older encodings.
globalThis.TextEncoder = class TextEncoder {
  encode(text) {
    const escaped = encodeURIComponent(String(text)).replace(/%(..)/g, (_all, pair) => String.fromCharCode(parseInt(pair, 16)));
    return Uint8Array.from(escaped, (letter) => letter.charCodeAt(0));
  }
};
globalThis.TextDecoder = class TextDecoder {
  constructor(label) {
    this.encoding = String(label || "utf-8").toLowerCase();
  }
  decode(bytes) {
    const list = ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes || []);
    const latin = Array.from(list, (byte) => String.fromCharCode(byte)).join("");
    if (!this.encoding.startsWith("utf")) return latin;
    try {
      return decodeURIComponent(latin.replace(/[^]/g, (c) => "%" + c.charCodeAt(0).toString(16).padStart(2, "0")));
    } catch {
      return latin.replace(/[\x80-\xff]/g, "\ufffd");
    }
  }
};
globalThis.structuredClone = (value) => JSON.parse(JSON.stringify(value));
