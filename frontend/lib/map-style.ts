import { osm } from "@versatiles/style";
import type { StyleSpecification } from "maplibre-gl";

export const FONT = "Fira Sans";

/** The style's dark grey is neutral and its water black; our surfaces are a little blue. */
const NIGHT = {
  colors: { water: "#2f6ea0", labelWater: "#9cc8ea", label: "#ffffff" },
  recolor: { blend: { color: "#25304f", amount: 0.25 } },
};

/** What `/tiles/info.json` tells about the city's own base map. */
export interface TilesInfo {
  tiles?: string[];
  bounds: [number, number, number, number];
  minzoom: number;
  maxzoom: number;
}

/**
 * A quiet base map in German from our own tiles. The style's outside servers are taken out: labels
 * are drawn with the page's font, so no glyphs are needed, and icons are not shown at all.
 */
export function mapStyle(info: TilesInfo, dark: boolean, language: string): StyleSpecification {
  const style = osm({
    theme: dark ? "gray-dark" : "muted",
    ...(dark && NIGHT),
    text: { language },
    layers: { icons: false },
  }) as unknown as StyleSpecification;
  const tiles = info.tiles ?? ["/tiles/{z}/{x}/{y}"];
  const source = {
    type: "vector" as const,
    tiles: tiles.map((tile) => (tile.startsWith("/") ? location.origin + tile : tile)),
    bounds: info.bounds,
    minzoom: info.minzoom,
    maxzoom: info.maxzoom,
  };
  const name = vectorSource(style);
  return {
    version: 8,
    sources: { [name]: source },
    layers: style.layers.filter((layer) => isDrawable(layer, name)).map(plainLabels),
  };
}

function vectorSource(style: StyleSpecification): string {
  return Object.keys(style.sources).find((key) => style.sources[key]?.type === "vector") ?? "osm";
}

/** Hatched areas need pictures from a sprite that we do not have. */
function isDrawable(layer: StyleSpecification["layers"][number], source: string): boolean {
  if ("source" in layer && layer.source !== source) return false;
  return !(layer.type === "fill" && layer.paint?.["fill-pattern"]);
}

function plainLabels<Layer extends StyleSpecification["layers"][number]>(layer: Layer): Layer {
  if (layer.type !== "symbol" || !layer.layout) return layer;
  const layout = { ...layer.layout, "text-font": [FONT] };
  delete layout["icon-image"];
  return { ...layer, layout };
}
