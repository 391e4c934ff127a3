/** What maps of the city have in common besides their style. */

import type { TilesInfo } from "./map-style.ts";

export type { TilesInfo };

export function padded([west, south, east, north]: TilesInfo["bounds"]): TilesInfo["bounds"] {
  const wide = (east - west) / 24;
  const high = (north - south) / 24;
  return [west - wide, south - high, east + wide, north + high];
}

export async function tilesInfo(): Promise<TilesInfo | undefined> {
  try {
    const answer = await fetch("/tiles/info.json");
    return answer.ok ? ((await answer.json()) as TilesInfo) : undefined;
  } catch {
    return undefined; // offline: the page works without a map
  }
}

export function hasWebGl(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}
