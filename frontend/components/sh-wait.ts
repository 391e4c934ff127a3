/**
 * `<sh-wait data-url data-seconds>`: asks again and again whether there still is something to wait for
 * (`{"waits": true}`), and loads the page anew when there is not. Without it, a link does the same.
 */
class ShWait extends HTMLElement {
  #timer: number | undefined;

  connectedCallback(): void {
    const seconds = Number(this.dataset.seconds) || 5;
    this.#timer = window.setInterval(() => void this.#look(), seconds * 1000);
  }

  disconnectedCallback(): void {
    window.clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (document.hidden) return;
    try {
      const answer = await fetch(this.dataset.url ?? "", { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const told = (await answer.json()) as { waits?: boolean };
      if (told.waits === false) location.reload();
    } catch {
      // The server is away for a moment: the next look tells more.
    }
  }
}

customElements.define("sh-wait", ShWait);
