// The time that a codec is told by `new Date()` is that at which its message came: it reckons the times of older values
// from it, and a message may be decoded again days later.
(function (time) {
  var Real = Date;
  Date = function Date(...parts) {
    if (!new.target) return new Real(time).toString();
    return Reflect.construct(Real, parts.length ? parts : [time], new.target);
  };
  Object.setPrototypeOf(Date, Real);
  Date.prototype = Real.prototype;
  Date.prototype.constructor = Date;
  Date.now = function () { return time; };
})
