import type { Node, Plugin } from "postcss";

/** KERN's components that our templates use; all its tokens are kept. */
const USED = /\.kern-(btn|label|link|form|fieldset|input-group|error|alert|body|heading|light|dark)\b/;

/**
 * KERN comes as one file of 340 KB with icons, grids and utilities. Pages need its tokens and a
 * handful of components, so every rule that is about something else is left out of our build.
 */
export const keepUsedKern: Plugin = {
  postcssPlugin: "stadtherz-keep-used-kern",
  OnceExit(root) {
    root.walkRules((rule) => {
      if (!isKern(rule)) return;
      const kept = rule.selectors.filter(isUsed);
      if (kept.length === 0) rule.remove();
      else if (kept.length < rule.selectors.length) rule.selectors = kept;
    });
    root.walkAtRules("font-face", (face) => {
      if (isKern(face)) face.remove(); // the fonts come as a subset from @fontsource
    });
  },
};

const isKern = (node: Node) => node.source?.input.file?.includes("@kern-ux") ?? false;

const isUsed = (selector: string) =>
  !selector.includes(".kern-") || (USED.test(selector) && !selector.includes("kern-icon"));
