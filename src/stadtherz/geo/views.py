"""The base map's tiles over HTTP. A map is public: no session, no sign-in, cached by everybody."""

import gzip
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from stadtherz.base.errors import NotFound
from stadtherz.geo.tiles import About, Tileset, open_tiles

_TILE_TYPE = "application/vnd.mapbox-vector-tile"
_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_AN_HOUR = "public, max-age=3600"


@require_safe
def tile(request: HttpRequest, z: int, x: int, y: int) -> HttpResponseBase:
    """One vector tile; 204 where the map is empty, 404 outside its zooms."""
    try:
        tiles = open_tiles(_basemap())
    except NotFound:
        return _missing(_("There is no base map yet."))
    if not _exists(tiles.about, z, (x, y)):
        return _missing(_("The base map has no such zoom or tile."))
    return _conditional(request, tiles, tiles.tile(z, x, y))


@require_safe
def info(request: HttpRequest) -> HttpResponseBase:
    """Where the base map lies and how to fetch its tiles, as TileJSON 3.0.

    The template in `tiles` is a path: the page knows better than we under which name it was called.
    """
    try:
        about = open_tiles(_basemap()).about
    except NotFound:
        return _missing(
            _("There is no base map yet. Import one with: stadtherz basemap import FILE.osm.pbf")
        )
    # Always asked again: this is how a page learns of a new map.
    return JsonResponse(_tilejson(about), headers={"Cache-Control": "no-cache"})


def _basemap() -> Path:
    return Path(settings.DATA) / "basemap.pmtiles"


def _exists(about: About, z: int, place: tuple[int, int]) -> bool:
    return about.shallowest <= z <= about.deepest and max(place) < 2**z


def _missing(sentence: str) -> JsonResponse:
    return JsonResponse({"message": sentence}, status=404, headers={"Cache-Control": "no-cache"})


def _conditional(request: HttpRequest, tiles: Tileset, packed: bytes | None) -> HttpResponseBase:
    version = tiles.about.version
    response = _response(request, packed, gzipped=tiles.gzipped)
    response["Cache-Control"] = _FOR_EVER if request.GET.get("v") == version else _FOR_AN_HOUR
    patch_vary_headers(response, ("Accept-Encoding",))
    # Weak, because packed and unpacked tiles share it (RFC 9110 §8.8.1).
    etag = f'W/"{version}"'
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


def _response(request: HttpRequest, packed: bytes | None, *, gzipped: bool) -> HttpResponse:
    if packed is None:
        return HttpResponse(status=204)
    if gzipped and "gzip" not in request.headers.get("Accept-Encoding", ""):
        return HttpResponse(gzip.decompress(packed), content_type=_TILE_TYPE)
    response = HttpResponse(packed, content_type=_TILE_TYPE)
    if gzipped:
        response["Content-Encoding"] = "gzip"
    return response


def _tilejson(about: About) -> dict[str, object]:
    return {
        "tilejson": "3.0.0",
        "tiles": [f"/tiles/{{z}}/{{x}}/{{y}}?v={about.version}"],
        "bounds": about.bounds,
        "center": [*about.centre, about.deepest],
        "minzoom": about.shallowest,
        "maxzoom": about.deepest,
        "attribution": about.attribution,
        "vector_layers": [{"id": layer, "fields": {}} for layer in about.layers],
        "version": about.version,
    }
