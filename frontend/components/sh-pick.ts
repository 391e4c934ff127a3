import { Map as MapLibre, Marker, NavigationControl, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "../design/maplibre.css";
import { FONT, mapStyle } from "../lib/map-style.ts";
import { hasWebGl, padded, tilesInfo, type TilesInfo } from "../lib/tiles.ts";
import { isDark, onTheme } from "../lib/theme.ts";

setWorkerUrl(workerUrl);

/**
 * `<sh-pick>`: a place is chosen on the city's base map and written into two fields, which work by
 * themselves: a click sets the pin, or a button takes the middle of the map, which the keyboard moves.
 */
class ShPick extends HTMLElement {
  #map: MapLibre | undefined;
  #pin: Marker | undefined;
  #stop: (() => void)[] = [];

  connectedCallback(): void {
    void this.#start();
  }

  disconnectedCallback(): void {
    for (const stop of this.#stop) stop();
    this.#map?.remove();
    this.#map = undefined;
  }

  async #start(): Promise<void> {
    const info = await tilesInfo();
    if (!this.isConnected) return;
    if (!info || !hasWebGl()) {
      const sentence = document.createElement("p");
      sentence.textContent = this.dataset.none ?? "";
      this.replaceChildren(sentence);
      return;
    }
    await document.fonts.load(`16px "${FONT}"`);
    this.#draw(info);
    this.#showFields({ move: true });
    for (const field of this.#fields()) {
      const show = () => this.#showFields({ move: true });
      field.addEventListener("change", show);
      this.#stop.push(() => field.removeEventListener("change", show));
    }
    this.#stop.push(onTheme(() => this.#map?.setStyle(this.#style(info))));
  }

  #draw(info: TilesInfo): void {
    const frame = document.createElement("div");
    frame.className = "sh-pick__frame";
    const cross = document.createElement("span");
    cross.className = "sh-pick__middle";
    cross.ariaHidden = "true";
    this.replaceChildren(frame, this.#button(), this.#sentence("keys"), this.#credit());
    this.#map = new MapLibre({
      container: frame,
      style: this.#style(info),
      bounds: info.bounds,
      maxBounds: padded(info.bounds),
      minZoom: Math.max(info.minzoom, 9),
      maxZoom: 19,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      locale: {
        "Map.Title": this.dataset.label ?? "",
        "NavigationControl.ZoomIn": this.dataset.zoomIn ?? "",
        "NavigationControl.ZoomOut": this.dataset.zoomOut ?? "",
      },
    });
    frame.append(cross);
    this.#map.touchZoomRotate.disableRotation();
    this.#map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.#map.on("click", ({ lngLat }) => this.#choose(lngLat.lng, lngLat.lat));
    this.#map.once("load", () => this.#map?.resize());
  }

  #button(): HTMLElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-secondary";
    button.textContent = this.dataset.middle ?? "";
    button.addEventListener("click", () => {
      const middle = this.#map?.getCenter();
      if (middle) this.#choose(middle.lng, middle.lat);
    });
    return button;
  }

  #sentence(name: string): HTMLElement {
    const sentence = document.createElement("p");
    sentence.className = "help";
    sentence.textContent = this.dataset[name] ?? "";
    return sentence;
  }

  #credit(): HTMLElement {
    const credit = document.createElement("p");
    credit.className = "sh-pick__credit";
    const link = document.createElement("a");
    link.href = "https://www.openstreetmap.org/copyright";
    link.textContent = this.dataset.credit ?? "";
    credit.append(link);
    return credit;
  }

  #style(info: TilesInfo) {
    return mapStyle(info, isDark(), document.documentElement.lang || "de");
  }

  #fields(): HTMLInputElement[] {
    const ids = [this.dataset.longitude, this.dataset.latitude];
    return ids.flatMap((id) => {
      const field = document.getElementById(id ?? "");
      return field instanceof HTMLInputElement ? [field] : [];
    });
  }

  #choose(longitude: number, latitude: number): void {
    const comma = document.documentElement.lang.startsWith("de");
    [longitude, latitude].forEach((number, i) => {
      const field = this.#fields()[i];
      const text = number.toFixed(6);
      if (field) field.value = comma ? text.replace(".", ",") : text;
    });
    this.#showFields({ move: false });
  }

  #showFields({ move }: { move: boolean }): void {
    const [longitude, latitude] = this.#fields().map(({ value }) =>
      value.trim() === "" ? Number.NaN : Number(value.trim().replace(",", ".")),
    );
    const map = this.#map;
    if (!map || longitude === undefined || latitude === undefined) return;
    if (!(Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90)) {
      this.#pin?.remove();
      return;
    }
    this.#pin ??= this.#newPin();
    this.#pin.setLngLat([longitude, latitude]).addTo(map);
    if (move) map.jumpTo({ center: [longitude, latitude], zoom: Math.max(map.getZoom(), 15) });
  }

  #newPin(): Marker {
    const pin = new Marker({ color: "#c1121c" });
    pin.getElement().setAttribute("role", "img");
    pin.getElement().setAttribute("aria-label", this.dataset.chosen ?? "");
    return pin;
  }
}

customElements.define("sh-pick", ShPick);
