/** What every page loads: the appearance switch, live updates, and a door to the heavy parts. */

import "./components/sh-theme.ts";
import "./components/sh-live.ts";
import { whenNear } from "./lib/near.ts";

// Map and chart are large and most pages lack one of them, so each comes when it is scrolled near.
whenNear("sh-map", () => import("./components/sh-map.ts"));
whenNear("sh-chart", () => import("./components/sh-chart.ts"));
