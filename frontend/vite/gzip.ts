import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const WORTH_IT = /\.(js|css|svg)$/;

/**
 * Puts a packed copy beside each text file; WhiteNoise hands it out as it is. A city's small server
 * should not pack the map library anew for every visitor.
 */
export const packedCopies: Plugin = {
  name: "stadtherz-packed-copies",
  apply: "build",
  generateBundle: {
    order: "post", // after Vite has taken out the empty script of the style sheet
    handler(_options, bundle) {
      for (const [fileName, part] of Object.entries(bundle)) {
        if (!WORTH_IT.test(fileName)) continue;
        const text = part.type === "chunk" ? part.code : part.source;
        this.emitFile({ type: "asset", fileName: `${fileName}.gz`, source: gzipSync(text, { level: 9 }) });
      }
    },
  },
};
