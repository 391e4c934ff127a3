const MEMORY = "sh-alarm-sound";
const TONES: [number, number][] = [[880, 0], [660, 0.25], [880, 0.5]];

/**
 * `<sh-alarm data-new="New:">`: says (politely, in its `role="status"`) and, if one wants that, sounds
 * when the board shows an alarm that nobody has taken on and that was not there before. The sound is off
 * until somebody switches it on, and each browser remembers it.
 */
class ShAlarm extends HTMLElement {
  #known = new Set<string>();
  #stop: (() => void) | undefined;
  #context: AudioContext | undefined;

  connectedCallback(): void {
    this.hidden = false;
    this.#known = new Set(waiting().keys());
    const watch = new MutationObserver(() => this.#look());
    const board = document.getElementById("board");
    if (board) watch.observe(board.parentElement ?? board, { childList: true, subtree: true });
    this.#stop = () => watch.disconnect();
    const button = this.querySelector("button");
    button?.addEventListener("click", () => this.#switch());
    this.#shown();
  }

  disconnectedCallback(): void {
    this.#stop?.();
  }

  #look(): void {
    const now = waiting();
    const fresh = [...now].filter(([key]) => !this.#known.has(key)).map(([, name]) => name);
    this.#known = new Set(now.keys());
    if (fresh.length === 0) return;
    const status = this.querySelector("[role=status]");
    if (status) status.textContent = `${this.dataset.new ?? ""} ${fresh.join("; ")}`;
    if (wanted()) this.#sound();
  }

  #switch(): void {
    remember(!wanted());
    this.#shown();
    if (wanted()) this.#sound(); // so one hears what it will be like
  }

  #shown(): void {
    const button = this.querySelector("button");
    button?.setAttribute("aria-pressed", String(wanted()));
  }

  #sound(): void {
    this.#context ??= new AudioContext();
    const context = this.#context;
    void context.resume();
    for (const [pitch, after] of TONES) {
      const tone = context.createOscillator();
      const loudness = context.createGain();
      tone.frequency.value = pitch;
      loudness.gain.value = 0.2;
      tone.connect(loudness).connect(context.destination);
      tone.start(context.currentTime + after);
      tone.stop(context.currentTime + after + 0.2);
    }
  }
}

/** The alarms that wait for somebody, by number and step. */
function waiting(): Map<string, string> {
  const found = document.querySelectorAll<HTMLElement>("#board [data-waits]");
  return new Map([...found].map((each) => [each.dataset.waits ?? "", each.dataset.name ?? ""]));
}

function wanted(): boolean {
  try {
    return localStorage.getItem(MEMORY) === "on";
  } catch {
    return false;
  }
}

function remember(on: boolean): void {
  try {
    localStorage.setItem(MEMORY, on ? "on" : "off");
  } catch {
    // a browser that keeps nothing stays silent
  }
}

customElements.define("sh-alarm", ShAlarm);
