import htmx from "htmx.org";
import "../lib/htmx.ts";

const REST_MS = 1000;
/** "2 minutes ago" must not stand still where no readings come. */
const AGE_MS = 60_000;
/** A short break is nobody's business: a phone changes its cell, the server is updated. */
const PATIENCE_MS = 15_000;

/**
 * `<sh-live data-streams="1,2" data-warnings="1">`: keeps a page fresh. Listens for readings of these
 * datastreams and for news of warnings; after one, and once a minute, asks the server for the same page again and puts its `data-live`
 * blocks in place of ours. Blocks are morphed, so focus, open details and a drawn map stay as they
 * are. While the server cannot be reached for long the element says so (it is a `role="status"`).
 */
class ShLive extends HTMLElement {
  #waiting = false;
  #last = 0;
  #known = false;
  #worry: number | undefined;

  connectedCallback(): void {
    // htmx opens the stream itself when it meets these attributes. An error page must not land here.
    this.setAttribute("hx-swap", "none");
    this.setAttribute("hx-trigger", "load, sh-connect");
    this.setAttribute("hx-sse:connect", `/live?${wanted(this.dataset)}`);
    for (const news of ["reading", "warning", "alert"]) {
      this.addEventListener(news, () => this.#soon());
    }
    this.addEventListener("htmx:sse:after:connection", () => this.#connected());
    for (const trouble of ["htmx:sse:error", "htmx:sse:close", "htmx:error"]) {
      this.addEventListener(trouble, () => this.#lost());
    }
    htmx.process(this);
    setInterval(() => this.#soon(), AGE_MS);
    document.addEventListener("visibilitychange", () => this.#soon());
  }

  /** After a break something may have been missed; after the first connection nothing has. */
  #connected(): void {
    if (this.#known) this.#soon();
    this.#known = true;
    clearTimeout(this.#worry);
    this.#worry = undefined;
    this.textContent = "";
  }

  /** htmx tries again by itself, except where the very first attempt has failed. */
  #lost(): void {
    if (this.#worry !== undefined) return;
    this.#worry = window.setTimeout(() => {
      this.textContent = this.dataset.lost ?? "";
    }, PATIENCE_MS);
  }

  #soon(): void {
    if (this.#waiting || document.hidden) return;
    this.#waiting = true;
    const rest = Math.max(0, this.#last + REST_MS - performance.now());
    setTimeout(() => void this.#refresh(), rest);
  }

  async #refresh(): Promise<void> {
    this.#waiting = false;
    this.#last = performance.now();
    if (this.#worry !== undefined) htmx.trigger(this, "sh-connect"); // does nothing while connected
    const blocks = [...document.querySelectorAll("[data-live][id]")];
    if (blocks.length === 0 || document.hidden) return;
    await htmx.ajax("GET", location.pathname + location.search, {
      source: document.body,
      target: document.body,
      swap: "none",
      selectOOB: blocks.map((block) => `#${CSS.escape(block.id)}:outerMorph`).join(","),
    });
    this.#last = performance.now();
  }
}

/** What the page wants to hear: readings, public warnings, and on pages of staff every alert. */
function wanted(data: DOMStringMap): string {
  const asked = data.streams ? [`streams=${data.streams}`] : [];
  for (const bell of ["warnings", "alerts"]) if (data[bell]) asked.push(`${bell}=1`);
  return asked.join("&");
}

customElements.define("sh-live", ShLive);
