import { LngLatBounds, Map as MapLibre, Marker, NavigationControl, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "../design/maplibre.css";
import { FONT, mapStyle } from "../lib/map-style.ts";
import { type Box, spread } from "../lib/spread.ts";
import { isDark, onTheme } from "../lib/theme.ts";
import { type TilesInfo, hasWebGl, padded, tilesInfo } from "../lib/tiles.ts";

setWorkerUrl(workerUrl);

/**
 * `<sh-map>`: draws the places of the list beside it on the city's base map. Each place becomes a
 * pin: a link with icon and value, in tab order, with the list's own words. Without tiles, or
 * without WebGL, it says so in a sentence and the list does the work.
 */
class ShMap extends HTMLElement {
  #map: MapLibre | undefined;
  #pins: Marker[] = [];
  #steered = false; // by a person: from then on the view is theirs
  #stop: (() => void)[] = [];

  connectedCallback(): void {
    this.dataset.drawn = "";
    void this.#start();
  }

  disconnectedCallback(): void {
    for (const stop of this.#stop) stop();
    this.#stop = [];
    this.#map?.remove();
    this.#map = undefined;
  }

  async #start(): Promise<void> {
    const info = await tilesInfo();
    if (!this.isConnected) return;
    if (!info || !hasWebGl()) {
      this.#sayNone();
      return;
    }
    await document.fonts.load(`16px "${FONT}"`);
    this.#draw(info);
    this.#showPins({ fit: true });
    this.#watch(info);
  }

  #sayNone(): void {
    const sentence = document.createElement("p");
    sentence.className = "sh-map__none";
    sentence.textContent = this.dataset.none ?? "";
    this.replaceChildren(sentence);
  }

  #draw(info: TilesInfo): void {
    const frame = document.createElement("div");
    frame.className = "sh-map__frame";
    const credit = document.createElement("p");
    credit.className = "sh-map__credit";
    const link = document.createElement("a");
    link.href = "https://www.openstreetmap.org/copyright";
    link.textContent = this.dataset.credit ?? "";
    credit.append(link);
    this.replaceChildren(frame, credit);
    this.#map = new MapLibre({
      container: frame,
      style: this.#style(info),
      bounds: info.bounds,
      maxBounds: padded(info.bounds),
      minZoom: Math.max(info.minzoom, 9),
      maxZoom: 18,
      attributionControl: false, // ours is a plain line below the map, readable in every appearance
      cooperativeGestures: true,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      locale: this.#words(),
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.on("moveend", () => this.#makeRoom());
    this.#map.on("movestart", ({ originalEvent }) => (this.#steered ||= Boolean(originalEvent)));
    // MapLibre skips the first change of its frame, which comes when the style sheet is late.
    this.#map.once("load", () => this.#map?.resize());
    this.#map.on("resize", () => this.#showPins({ fit: !this.#steered }));
    this.#map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  }

  #words(): Record<string, string> {
    const words = this.dataset;
    return {
      "Map.Title": words.label ?? "",
      "NavigationControl.ZoomIn": words.zoomIn ?? "",
      "NavigationControl.ZoomOut": words.zoomOut ?? "",
      "CooperativeGesturesHandler.WindowsHelpText": words.scroll ?? "",
      "CooperativeGesturesHandler.MacHelpText": words.scroll ?? "",
      "CooperativeGesturesHandler.MobileHelpText": words.touch ?? "",
    };
  }

  #style(info: TilesInfo) {
    return mapStyle(info, isDark(), document.documentElement.lang || "de");
  }

  #watch(info: TilesInfo): void {
    const restyle = () => this.#map?.setStyle(this.#style(info));
    this.#stop.push(onTheme(restyle));
    const list = this.#list();
    if (!list) return;
    const news = new MutationObserver(() => this.#showPins({ fit: false }));
    news.observe(list, { childList: true, characterData: true, subtree: true, attributes: true });
    this.#stop.push(() => news.disconnect());
  }

  #list(): Element | null | undefined {
    return this.closest("[data-places]")?.querySelector("[data-places-list]");
  }

  #showPins({ fit }: { fit: boolean }): void {
    const map = this.#map;
    const places = [...(this.#list()?.querySelectorAll<HTMLElement>("[data-longitude]") ?? [])];
    if (!map) return;
    const focused = this.#pins.findIndex((pin) => pin.getElement() === document.activeElement);
    for (const pin of this.#pins) pin.remove();
    this.#pins = places.map((place) =>
      new Marker({ element: pin(place) }).setLngLat(position(place)).addTo(map),
    );
    this.#pins[focused]?.getElement().focus({ preventScroll: true });
    if (fit && places.length > 0) {
      const bounds = places.reduce((all, place) => all.extend(position(place)), new LngLatBounds());
      const side = Math.min(80, map.getContainer().clientWidth / 6);
      map.fitBounds(bounds, { padding: { top: 40, bottom: 40, left: side, right: side }, maxZoom: 15, animate: false });
    }
    this.#makeRoom();
  }

  /** Pins that would lie over each other are moved apart; every one can be read and hit. */
  #makeRoom(): void {
    const map = this.#map;
    if (!map) return;
    const buttons = this.querySelector<HTMLElement>(".maplibregl-ctrl-top-right");
    const taken = buttons ? [boxIn(map.getContainer(), buttons)] : [];
    const boxes = this.#pins.map((pin) => {
      const { x, y } = map.project(pin.getLngLat());
      const { offsetWidth: width, offsetHeight: height } = pin.getElement();
      return { x, y, width, height };
    });
    spread(boxes, taken).forEach((offset, i) => this.#pins[i]?.setOffset(offset));
  }
}

function boxIn(frame: HTMLElement, element: HTMLElement): Box {
  const outer = frame.getBoundingClientRect();
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: left - outer.left + width / 2, y: top - outer.top + height / 2, width, height };
}

/** A link that looks like a label on the map and says everything the list's line says. */
function pin(place: HTMLElement): HTMLAnchorElement {
  const link = document.createElement("a");
  const source = place instanceof HTMLAnchorElement ? place : place.querySelector("a");
  link.href = source?.href ?? "";
  link.className = `sh-pin sh-pin--${place.dataset.state ?? "unknown"}`;
  link.setAttribute("aria-label", place.innerText.replace(/\s+/g, " ").trim());
  for (const part of [".sh-place__icon", ".sh-place__value"]) {
    const copy = place.querySelector(part)?.cloneNode(true);
    if (copy) link.append(copy);
  }
  return link;
}

function position(place: HTMLElement): [number, number] {
  return [Number(place.dataset.longitude), Number(place.dataset.latitude)];
}

customElements.define("sh-map", ShMap);
