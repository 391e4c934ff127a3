import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

interface Locked {
  version?: string;
  license?: string;
  dev?: boolean;
}

/** Writes `licences.txt`: whose work is in our assets, and under which terms. */
export function notices(root: string): Plugin {
  return {
    name: "stadtherz-notices",
    apply: "build",
    generateBundle() {
      const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
      const packages = Object.entries(lock.packages as Record<string, Locked>)
        .filter(([folder, about]) => folder && !about.dev && existsSync(join(root, folder)))
        .map(([folder, about]) => notice(root, folder, about));
      this.emitFile({ type: "asset", fileName: "licences.txt", source: packages.join("\n\n") });
    },
  };
}

function notice(root: string, folder: string, about: Locked): string {
  const name = folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
  const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(root, folder, file), "utf8").trim() : "";
  return `${"=".repeat(78)}\n${name} ${about.version ?? ""} (${about.license ?? "see text"})\n\n${text}`;
}
