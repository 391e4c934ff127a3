/** What pages load on which a device can ask for messages. */

import "./components/sh-push.ts";
