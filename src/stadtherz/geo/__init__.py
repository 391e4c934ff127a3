"""The map below everything: tiles of our own from OpenStreetMap. `public` is the only door.

`shortbread` says what is drawn, `extract` reads the file, `basemap` makes tiles of it; `tiles` and
`views` serve them. A city never asks a foreign server for its map.
"""
