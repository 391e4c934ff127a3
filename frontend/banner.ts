/**
 * `<sh-banner data-key>`: the warning above every page. Whoever has read it may hide it until there is
 * something new to tell (another key). Defined before the page is drawn, so that what is hidden never
 * takes its place first and lets everything jump.
 * A classic script for that reason: no imports, and braces around everything.
 */
{
  const MEMORY = "sh-banner-read";

  class ShBanner extends HTMLElement {
    static observedAttributes = ["data-key"];

    connectedCallback(): void {
      this.addEventListener("click", (event) => {
        if (!(event.target as Element).closest("button")) return;
        remember(this.dataset.key ?? "");
        this.#show();
        document.getElementById("main")?.focus({ preventScroll: true });
      });
      this.#show();
    }

    /** The live page has brought other words. */
    attributeChangedCallback(): void {
      this.#show();
    }

    #show(): void {
      this.hidden = Boolean(this.dataset.key) && this.dataset.key === remembered();
    }
  }

  function remembered(): string | null {
    try {
      return localStorage.getItem(MEMORY);
    } catch {
      return null; // a browser that keeps nothing shows the warning again
    }
  }

  function remember(key: string): void {
    try {
      localStorage.setItem(MEMORY, key);
    } catch {
      // see above
    }
  }

  customElements.define("sh-banner", ShBanner);
}
