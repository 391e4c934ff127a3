import { type Choice, choice, choose } from "../lib/theme.ts";

const NEXT: Record<Choice, Choice> = { auto: "light", light: "dark", dark: "auto" };

/** `<sh-theme>`: one button that goes through "as the device", light and dark. */
class ShTheme extends HTMLElement {
  connectedCallback(): void {
    this.hidden = false;
    this.querySelector("button")?.addEventListener("click", () => {
      choose(NEXT[choice()]);
      this.#say();
    });
    this.#say();
  }

  /** The button's name says what is on now; the words come translated from the template. */
  #say(): void {
    const now = choice();
    const words = this.dataset[now] ?? "";
    const name = this.querySelector("button > span");
    if (name) name.textContent = words;
    this.querySelector("button")?.setAttribute("title", words);
    this.dataset.now = now;
  }
}

customElements.define("sh-theme", ShTheme);
