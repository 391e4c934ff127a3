// Calls the codec in whichever form it has, and gives JSON. JSON itself would turn NaN into null and
// leave functions out, and whoever waits for the value would not hear what it was.
(function (decodeUplink, Decode, Decoder, bytes, fPort, time, variables) {
  var result, data;
  if (decodeUplink) {
    result = decodeUplink({
      bytes: bytes, fPort: fPort, variables: variables,
      get recvTime() { return new Date(time); },
    });
    data = result && result.data;
  } else {
    if (Decode) data = Decode(fPort, bytes, variables);
    else if (Decoder) data = Decoder(bytes, fPort, { port: fPort, reported_at: time });
    else return "no_function";
    result = { data: data };
  }
  if (result instanceof Promise || data instanceof Promise) return "promise";
  // Some write names into a list, of which JSON would say nothing.
  if (Array.isArray(data) && !data.length && Object.keys(data).length) result = Object.assign({}, result, { data: Object.assign({}, data) });
  return JSON.stringify([result, __log], function (name, value) {
    switch (typeof value) {
      case "number": return value - value === 0 ? value : String(value);
      case "bigint": return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
      case "function": case "symbol": return "[" + typeof value + "]";
    }
    return value;
  });
})
