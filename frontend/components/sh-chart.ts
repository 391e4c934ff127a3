import { colour } from "../lib/colour.ts";
import { type EChartsType, init } from "../lib/echarts.ts";
import { type ChartData, type Palette, lineOption } from "../lib/line-option.ts";
import { onTheme } from "../lib/theme.ts";

const WIDE = 480;

/**
 * `<sh-chart>`: puts a chart one can touch in place of the server's picture. Reads the numbers from
 * the JSON beside it and draws again when they, the size or the appearance change. The table below
 * the chart stays the way in for keyboard and screen reader.
 */
class ShChart extends HTMLElement {
  #chart: EChartsType | undefined;
  #stop: (() => void)[] = [];

  connectedCallback(): void {
    const drawing = this.querySelector<HTMLElement>(".sh-chart__drawing");
    if (!drawing || !this.#data()) return;
    drawing.dataset.drawn = "";
    drawing.replaceChildren();
    this.#chart = init(drawing, null, { renderer: "svg" });
    this.#draw();
    this.#watch(drawing);
  }

  disconnectedCallback(): void {
    for (const stop of this.#stop) stop();
    this.#stop = [];
    this.#chart?.dispose();
    this.#chart = undefined;
  }

  #watch(drawing: HTMLElement): void {
    const size = new ResizeObserver(() => {
      this.#chart?.resize();
      this.#draw();
    });
    size.observe(drawing);
    // The live page replaces the text of the script, not the element.
    const news = new MutationObserver((changes) => {
      if (changes.some((change) => !drawing.contains(change.target))) this.#draw();
    });
    news.observe(this, { childList: true, characterData: true, subtree: true });
    this.#stop = [onTheme(() => this.#draw()), () => size.disconnect(), () => news.disconnect()];
  }

  #draw(): void {
    const data = this.#data();
    if (!data || !this.#chart) return;
    const option = lineOption(data, this.#palette(), this.clientWidth >= WIDE);
    this.#chart.setOption(option, { notMerge: true });
  }

  #data(): ChartData | undefined {
    const text = this.querySelector('script[type="application/json"]')?.textContent;
    const data = text ? (JSON.parse(text) as ChartData) : undefined;
    return data?.points.length ? data : undefined;
  }

  #palette(): Palette {
    return {
      text: colour("--sh-text"),
      muted: colour("--sh-muted"),
      grid: colour("--sh-line"),
      surface: colour("--sh-surface"),
      series: colour("--sh-series"),
      area: colour("--sh-series-soft"),
      font: getComputedStyle(this).fontFamily,
      size: Number.parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.8125,
      severity: (name) => colour(`--sh-state-${name}`),
    };
  }
}

customElements.define("sh-chart", ShChart);
