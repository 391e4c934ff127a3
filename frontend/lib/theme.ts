/** The appearance: what the reader chose, else what the device says. Kept in the browser only. */

export type Choice = "auto" | "light" | "dark";

const KEY = "sh-theme";
const device = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

export function choice(): Choice {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "auto";
}

export function choose(value: Choice): void {
  const root = document.documentElement;
  if (value === "auto") {
    localStorage.removeItem(KEY);
    delete root.dataset.kernTheme;
  } else {
    localStorage.setItem(KEY, value);
    root.dataset.kernTheme = value;
  }
  announce();
}

export function isDark(): boolean {
  const chosen = choice();
  return chosen === "auto" ? device.matches : chosen === "dark";
}

/** Call back after each change; returns how to stop. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function announce(): void {
  for (const listener of listeners) listener();
}

device.addEventListener("change", announce);
