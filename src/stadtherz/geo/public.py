"""The door of `geo`: the base map's addresses, and how to make one.

The running city serves `DATA/basemap.pmtiles`; the demo city's map comes ready in the package.
"""

from stadtherz.geo.basemap import import_basemap
from stadtherz.geo.demo_map import install_demo_basemap
from stadtherz.geo.urls import urlpatterns

__all__ = [
    "import_basemap",
    "install_demo_basemap",
    "urlpatterns",
]
