import type { LineSeriesOption } from "echarts/charts";
import type { EChartsCoreOption } from "echarts/core";
import { measure, moment, number } from "./format.ts";

/** What the server writes beside each chart (`web/charts.py`); times on the city's clock. */
export interface ChartData {
  title: string;
  summary: string;
  unit: string;
  digits: number;
  locale: string;
  zone: string;
  start: number;
  end: number;
  now: number | null;
  nowText: string;
  points: [number, number | null][];
  levels: number[];
  doubts: [number, number][];
  ticks: [number, string, boolean][];
  steps: { name: string; value: number; severity: string }[];
}

export type Palette = Record<"text" | "muted" | "grid" | "surface" | "series" | "area" | "font", string> & {
  /** Pixels of a letter: grows with the reader's text size. */
  size: number;
  severity: (name: string) => string;
};

/** The ECharts option for one line with its named steps and the present. */
export function lineOption(data: ChartData, palette: Palette, wide: boolean): EChartsCoreOption {
  const text = { color: palette.muted, fontFamily: palette.font, fontSize: palette.size };
  const ticks = wide ? data.ticks : sparse(data.ticks);
  return {
    useUTC: true,
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: 300,
    textStyle: { fontFamily: palette.font },
    aria: { enabled: true, label: { description: `${data.title}. ${data.summary}` } },
    grid: { left: 4, right: palette.size * 1.3, top: palette.size * 3.2, bottom: palette.size * 1.7, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: {
      trigger: "axis",
      confine: true,
      className: "sh-tooltip",
      backgroundColor: palette.surface,
      borderColor: palette.grid,
      textStyle: { color: palette.text, fontFamily: palette.font },
      axisPointer: { type: "line", lineStyle: { color: palette.muted } },
      formatter: (hit: unknown) => tooltip(hit, data),
    },
    xAxis: {
      type: "time",
      min: data.start,
      max: data.end,
      name: data.zone,
      nameLocation: "end",
      nameTextStyle: { ...text, align: "right", verticalAlign: "top", padding: [palette.size * 2, 0, 0, 0] },
      nameGap: 0,
      axisLine: { lineStyle: { color: palette.grid } },
      axisTick: { lineStyle: { color: palette.grid }, customValues: ticks.map(([time]) => time) },
      axisLabel: {
        ...text,
        customValues: ticks.map(([time]) => time),
        formatter: (time: number) => timeLabel(time, ticks),
        rich: { day: { ...text, fontWeight: 600 } },
        hideOverlap: true,
      },
    },
    yAxis: {
      type: "value",
      ...range(data.levels),
      splitLine: { lineStyle: { color: palette.grid, type: [2, 4] } },
      axisLabel: { ...text, formatter: (value: number) => number(value, data.locale, fraction(value)) },
    },
    series: [series(data, palette, wide)],
  };
}

function series(data: ChartData, palette: Palette, wide: boolean): LineSeriesOption {
  return {
    type: "line",
    data: data.points.flatMap(visible),
    showSymbol: false,
    sampling: "lttb",
    lineStyle: { color: palette.series, width: wide ? 2.5 : 1.75, cap: "round", join: "round" },
    itemStyle: { color: palette.series },
    areaStyle: { color: palette.area, origin: "start" },
    markPoint: {
      symbol: "triangle",
      symbolSize: palette.size * 0.9,
      symbolOffset: [0, -palette.size * 0.7],
      silent: true,
      animation: false,
      itemStyle: { color: palette.severity("warning"), borderColor: palette.surface, borderWidth: 1.5 },
      label: { show: false },
      data: [
        ...data.doubts.map((point) => ({ name: "", coord: point })),
        ...data.points.filter(isAlone).map((point) => dot(point as [number, number], palette)),
      ],
    },
    markLine: {
      symbol: "none",
      silent: true,
      animation: false,
      data: [
        ...data.steps.map((step) => ({
          yAxis: step.value,
          lineStyle: { color: palette.severity(step.severity), type: "solid" as const, width: 1.5 },
          label: {
            ...label(palette, palette.severity(step.severity)),
            formatter: step.name,
            position: "insideStartTop" as const,
          },
        })),
        ...(data.now === null ? [] : [present(data, data.now, palette)]),
      ],
    },
  };
}

/** A reading alone between two breaks would be a line without length: it gets one, and a dot. */
function visible(point: [number, number | null], at: number, all: [number, number | null][]) {
  return isAlone(point, at, all) ? [point, [point[0] + 1, point[1]]] : [point];
}

function isAlone(point: [number, number | null], at: number, all: [number, number | null][]): boolean {
  return point[1] !== null && (all[at - 1]?.[1] ?? null) === null && (all[at + 1]?.[1] ?? null) === null;
}

function dot(point: [number, number], palette: Palette) {
  return {
    name: "",
    coord: point,
    symbol: "circle",
    symbolSize: 7,
    symbolOffset: [0, 0],
    itemStyle: { color: palette.series, borderWidth: 0 },
  };
}

function present(data: ChartData, now: number, palette: Palette) {
  return {
    xAxis: now,
    lineStyle: { color: palette.muted, type: [3, 3] },
    label: { ...label(palette, palette.muted), formatter: data.nowText, position: "end" as const, distance: palette.size * 1.3 },
  };
}

/** A halo in the colour of the card keeps a name readable where the curve crosses it. */
function label(palette: Palette, color: string) {
  return {
    color,
    fontFamily: palette.font,
    fontSize: palette.size,
    textBorderColor: palette.surface,
    textBorderWidth: 3,
  };
}

/** The server has chosen round marks; ECharts must not choose others. */
function range(levels: number[]) {
  const [low = 0, next = 1] = levels;
  return { min: low, max: levels.at(-1), interval: next - low };
}

/** On a narrow screen the days alone are enough, if there are several. */
function sparse(ticks: ChartData["ticks"]): ChartData["ticks"] {
  const days = ticks.filter(([, , isDay]) => isDay);
  if (days.length > 1) return days;
  const first = ticks.findIndex(([, , isDay]) => isDay);
  return ticks.filter((_, i) => (i - first) % 2 === 0);
}

const fraction = (value: number): number => (Number.isInteger(value) ? 0 : 1);

function timeLabel(time: number, ticks: ChartData["ticks"]): string {
  const tick = ticks.find(([at]) => at === time);
  if (!tick) return "";
  return tick[2] ? `{day|${tick[1]}}` : tick[1];
}

/** Built as elements: text in markup would carry style attributes, which the policy forbids. */
function tooltip(hit: unknown, data: ChartData): HTMLElement | string {
  const value = (Array.isArray(hit) ? hit[0] : hit)?.value as [number, number | null] | undefined;
  if (!value || value[1] === null) return "";
  const box = document.createElement("div");
  const figure = document.createElement("strong");
  figure.textContent = measure(value[1], data.unit, data.locale, data.digits);
  const time = document.createElement("span");
  time.textContent = moment(value[0], data.locale);
  box.append(figure, time);
  return box;
}
