// Finds a function that a codec exports, as modules for Node and bundles do it: `exports.decodeUplink`, `module.exports = {…}`,
// `exports.default`, or a bundle's variable `driver`. They come as arguments, as a codec may have one of these names for something else.
globalThis.__exported = function (name) {
  for (var place = 1; place < arguments.length; place++) {
    var at = arguments[place] || {}, inner = at.exports || at;
    var found = inner[name] || (inner.default && inner.default[name]);
    if (typeof found === "function") return found;
  }
  var whole = arguments[1] && arguments[1].exports;
  if (name === "decodeUplink" && typeof whole === "function") return whole;
};
