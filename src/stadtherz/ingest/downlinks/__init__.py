"""Messages to devices: kept, handed over by the connection that brings the device's uplinks, and followed.

`asking` keeps one that somebody wants, `handing` gives it to a broker and never twice unsaid, `news` is
what networks tell of it. `connections.ways` remembers by which connection a device is reached.
"""
