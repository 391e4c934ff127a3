import htmx from "htmx.org";
import "../lib/htmx.ts";

const REST_MS = 1000;

/**
 * `<sh-live data-streams="1,2">`: keeps a page fresh. Listens for readings of these datastreams;
 * after one, asks the server for the same page again and puts its `data-live` blocks in place of
 * ours. Blocks are morphed, so focus, open details and a drawn map stay as they are.
 */
class ShLive extends HTMLElement {
  #waiting = false;
  #last = 0;
  #known = false;

  connectedCallback(): void {
    // htmx opens the stream itself when it meets this attribute. An error page must not land here.
    this.setAttribute("hx-swap", "none");
    this.setAttribute("hx-sse:connect", `/live?streams=${this.dataset.streams ?? ""}`);
    this.addEventListener("reading", () => this.#soon());
    this.addEventListener("htmx:sse:after:connection", () => this.#connected());
    htmx.process(this);
  }

  /** After a break something may have been missed; after the first connection nothing has. */
  #connected(): void {
    if (this.#known) this.#soon();
    this.#known = true;
  }

  #soon(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    const rest = Math.max(0, this.#last + REST_MS - performance.now());
    setTimeout(() => void this.#refresh(), rest);
  }

  async #refresh(): Promise<void> {
    this.#waiting = false;
    this.#last = performance.now();
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

customElements.define("sh-live", ShLive);
