// The modules that scripts for Node ask for and that are here: bytes, and text made of them.
globalThis.require = function (name) {
  switch (name.replace("node:", "")) {
    case "buffer": return { Buffer: globalThis.Buffer };
    case "util": return { TextDecoder: globalThis.TextDecoder, TextEncoder: globalThis.TextEncoder };
  }
  throw new Error("there is no module " + name + " here");
};
