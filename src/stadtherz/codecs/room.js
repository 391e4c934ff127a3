// What a codec finds around it; evaluated in a fresh context before the codec. Each line costs every
// decode its compilation, so there are few. Whatever the codec changes here ends with its context.
(function (world, note, nothing) {
  world.console = {
    log: note, info: note, warn: note, error: note, debug: note, trace: note, dir: note, table: note,
    time: nothing, timeEnd: nothing, group: nothing, groupEnd: nothing, assert: nothing,
  };
  world.module = { exports: (world.exports = {}) };
  world.__log = [];
})(globalThis, function () {
  if (__log.length < 50) __log.push(Array.prototype.slice.call(arguments, 0, 10).map(String).join(" ").slice(0, 200));
}, function () {});
