/** What the pages of the back office load on which a device is connected. */

import "./components/sh-wait.ts";
import "./components/sh-copy.ts";
import "./components/sh-go-on.ts";
import { whenNear } from "./lib/near.ts";

// The map is large, so it comes when it is scrolled near.
whenNear("sh-pick", () => import("./components/sh-pick.ts"));
