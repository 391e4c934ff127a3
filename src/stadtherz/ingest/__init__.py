"""From a network's uplink to an observation. `public` is the only door.

`doors` let deliveries in, `connections` fetches those of brokers. `lorawan` and `forms` read a network's document
into the one normal form, `documents.uplink`; `intake` finds the device (`devices`), its fields and their `values`,
and has `quality` judge them; the store keeps them before anybody gets an answer. What cannot be used is `refused`:
kept with its reason, and replayed after the mistake is mended. The order of the rooms is held by `.importlinter`.
"""
