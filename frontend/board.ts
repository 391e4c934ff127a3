/** What the board of alarms in the back office loads: it stays fresh, and rings if one wants that. */

import "./components/sh-live.ts";
import "./components/sh-alarm.ts";
