// What few codecs use of Node's Buffer; evaluated after buffer.js, only where a codec's text speaks of it.
(function (prototype) {
  "use strict";
  const more = {
    write(text, offset, length, encoding) {
      if (typeof offset === "string") [encoding, offset] = [offset, 0];
      const bytes = Buffer.from(text, typeof length === "string" ? length : encoding);
      return bytes.copy(this, offset || 0);
    },
    copy(target, at, from, to) {
      const part = this.subarray(from || 0, to).subarray(0, target.length - (at || 0));
      target.set(part, at || 0);
      return part.length;
    },
    compare(other) {
      const at = this.findIndex((byte, place) => byte !== other[place]);
      if (at < 0) return this.length < other.length ? -1 : 0;
      return at < other.length && this[at] < other[at] ? -1 : 1;
    },
    writeUIntLE(value, offset, size) {
      if (offset + size > this.length) throw new RangeError("Attempt to access memory outside buffer bounds");
      for (let at = 0, left = value; at < size; at++, left = Math.floor(left / 256)) this[offset + at] = left & 0xff;
      return offset + size;
    },
    writeUIntBE(value, offset, size) {
      const end = this.writeUIntLE(value, offset, size);
      this.subarray(offset, end).reverse();
      return end;
    },
    swap16() {
      for (let at = 0; at + 1 < this.length; at += 2) [this[at], this[at + 1]] = [this[at + 1], this[at]];
      return this;
    },
  };
  more.writeIntLE = more.writeUIntLE;
  more.writeIntBE = more.writeUIntBE;
  for (const name of Object.keys(more)) Object.defineProperty(prototype, name, { value: more[name], configurable: true, writable: true });
})(Buffer.prototype);
