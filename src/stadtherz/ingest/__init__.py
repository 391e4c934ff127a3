"""From a network's uplink to an observation. `public` is the only door.

`lorawan` reads each network's document into the one normal form, `uplink.Uplink`; `pipeline` finds
the device, its fields and their values; the store keeps them before anybody gets an answer. What
is refused is kept with its reason (`refused`) and can be replayed after the mistake is mended.
"""
