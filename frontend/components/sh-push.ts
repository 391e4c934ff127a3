/**
 * `<sh-push data-worker data-key data-to>`: its button asks the browser for messages and sends what it
 * gave to `data-to`, with the fields of the form around it. What came of it stands in `role="status"`.
 */
class ShPush extends HTMLElement {
  connectedCallback(): void {
    const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
    if (!able) {
      this.#say(this.dataset.unsupported);
      return;
    }
    const button = this.querySelector("button");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => void this.#ask(button));
  }

  async #ask(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    this.#say(this.dataset.working);
    try {
      this.#say(await this.#subscribed());
    } catch {
      this.#say(this.dataset.failed);
    } finally {
      button.disabled = false;
    }
  }

  async #subscribed(): Promise<string | undefined> {
    if ((await Notification.requestPermission()) !== "granted") return this.dataset.denied;
    await navigator.serviceWorker.register(this.dataset.worker ?? "", { scope: "/" });
    const worker = await navigator.serviceWorker.ready;
    const subscription = await subscribe(worker, bytes(this.dataset.key ?? ""));
    const form = this.closest("form");
    const fields = form ? new FormData(form) : new FormData();
    fields.set("subscription", JSON.stringify(subscription));
    const answer = await fetch(this.dataset.to ?? "", { method: "POST", body: fields });
    const told = (await answer.json()) as { text?: string };
    return told.text;
  }

  #say(text: string | undefined): void {
    const status = this.querySelector("[role=status]");
    if (status) status.textContent = text ?? "";
  }
}

/** A subscription of this site; one that was made with another key gives way. */
async function subscribe(worker: ServiceWorkerRegistration, key: ArrayBuffer): Promise<PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey: key };
  try {
    return await worker.pushManager.subscribe(options);
  } catch (problem) {
    const old = await worker.pushManager.getSubscription();
    if (!old) throw problem;
    await old.unsubscribe();
    return await worker.pushManager.subscribe(options);
  }
}

function bytes(written: string): ArrayBuffer {
  const plain = atob(written.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0)).buffer;
}

customElements.define("sh-push", ShPush);
