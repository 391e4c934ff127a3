/** Colours of the style sheet for libraries that draw by themselves. */

const canvas = document.createElement("canvas");
canvas.width = canvas.height = 1;
const pen = canvas.getContext("2d", { willReadFrequently: true });

/**
 * A custom property's colour as rgb. KERN writes oklch(), which neither ECharts nor MapLibre can
 * read; the browser itself computes it, and one painted pixel tells the result.
 */
export function colour(property: string): string {
  const probe = document.createElement("span");
  probe.hidden = true;
  probe.style.setProperty("forced-color-adjust", "none"); // else every colour reads as one
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const computed = getComputedStyle(probe).color;
  probe.remove();
  return toRgb(computed);
}

function toRgb(css: string): string {
  if (!pen) return css;
  pen.clearRect(0, 0, 1, 1);
  pen.fillStyle = css;
  pen.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data;
  return `rgba(${red},${green},${blue},${((alpha ?? 255) / 255).toFixed(3)})`;
}
