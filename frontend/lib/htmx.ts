/**
 * htmx with its event-stream extension, as our pages use it. The extension looks for `window.htmx`
 * (set by the package) and must be loaded right after it.
 *
 * Nothing here needs eval: we write no `hx-on`, no `js:` values and no trigger filters.
 */
import htmx from "htmx.org";
import "htmx.org/dist/ext/hx-sse.js";

htmx.config.history = false;
// What the browser has drawn itself must survive the server's fresh page.
htmx.config.morphIgnore = ["data-htmx-powered", "data-drawn", "open"];
htmx.config.morphSkipChildren = "[data-drawn]";

/** After a long break a page is back within ten seconds of its server, not within a minute. */
Object.assign(htmx.config, { sse: { reconnectMaxDelay: 10_000 } });
