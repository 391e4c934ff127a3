/**
 * `<sh-copy data-copy data-copied>`: a button that copies the text of the `code` within. Without it, and where
 * the browser does not let pages write to the clipboard, one click selects the whole text.
 */
class ShCopy extends HTMLElement {
  connectedCallback(): void {
    const code = this.querySelector("code");
    if (!code || !navigator.clipboard || this.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-small button-secondary";
    button.textContent = this.dataset.copy ?? "";
    button.addEventListener("click", () => void this.#copy(code, button));
    this.append(button);
  }

  async #copy(code: HTMLElement, button: HTMLButtonElement): Promise<void> {
    try {
      await navigator.clipboard.writeText(code.textContent ?? "");
    } catch {
      getSelection()?.selectAllChildren(code); // it may not: a person can
      return;
    }
    button.textContent = this.dataset.copied ?? "";
    button.setAttribute("aria-live", "polite");
    window.setTimeout(() => (button.textContent = this.dataset.copy ?? ""), 3000);
  }
}

customElements.define("sh-copy", ShCopy);
