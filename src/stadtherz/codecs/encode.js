// Calls the codec's encoder in whichever form it has, and gives JSON, as call.js does for the other way.
(function (encodeDownlink, Encode, Encoder, data, fPort, variables) {
  var result;
  if (encodeDownlink) result = encodeDownlink({ data: data, fPort: fPort, variables: variables });
  else if (Encode) result = { bytes: Encode(fPort, data, variables) };
  else if (Encoder) result = { bytes: Encoder(data, fPort) };
  else return "no_function";
  if (result instanceof Promise || (result && result.bytes instanceof Promise)) return "promise";
  if (result && result.bytes) {
    if (result.bytes.length > 1000) throw new RangeError("more than 1000 bytes");
    // A byte with a sign, and what a division left behind the point, are what their networks make of them.
    result.data = { fPort: result.fPort, bytes: Array.prototype.map.call(result.bytes, function (byte) {
      return typeof byte === "number" && byte > -129 && byte < 256 ? byte & 255 : byte;
    }) };
  }
  return JSON.stringify([result, __log], function (name, value) {
    switch (typeof value) {
      case "number": return value - value === 0 ? value : String(value);
      case "bigint": case "function": case "symbol": return "[" + typeof value + "]";
    }
    return value;
  });
})
