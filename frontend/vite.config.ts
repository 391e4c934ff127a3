import { defineConfig } from "vite";
import { fileURLToPath } from "node:url";
import { packedCopies } from "./vite/gzip.ts";
import { keepUsedKern } from "./vite/kern.ts";
import { notices } from "./vite/notices.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Twelve hexadecimal digits are what WhiteNoise takes as "this file never changes".
const output = {
  hashCharacters: "hex" as const,
  entryFileNames: "[name].[hash:12].js",
  chunkFileNames: "[name].[hash:12].js",
  assetFileNames: "[name].[hash:12][extname]",
};

/** The page's own scripts are tiny; whatever only some pages need is loaded when they ask for it. */
export default defineConfig({
  root: here("."),
  base: "./",
  plugins: [notices(here(".")), packedCopies],
  css: { postcss: { plugins: [keepUsedKern] } },
  build: {
    outDir: here("../src/stadtherz/web/assets"),
    emptyOutDir: true,
    manifest: "manifest.json",
    assetsDir: "",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1300,
    rolldownOptions: {
      input: [here("main.ts"), here("theme.ts"), here("banner.ts"), here("board.ts"), here("staff.ts"), here("push.ts"), here("push-worker.ts"), here("design/main.css")],
      output,
    },
  },
  worker: { format: "es", rolldownOptions: { output } },
});
