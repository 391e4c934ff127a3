/** `<sh-go-on>`: presses the button of the form in it by itself, as work is done in slices. */
class ShGoOn extends HTMLElement {
  #timer: number | undefined;

  connectedCallback(): void {
    this.#timer = window.setTimeout(() => this.querySelector("form")?.requestSubmit(), 400);
  }

  disconnectedCallback(): void {
    window.clearTimeout(this.#timer);
  }
}

customElements.define("sh-go-on", ShGoOn);
