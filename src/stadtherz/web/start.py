"""The start page: a sentence about today, the figures, where they are, and one chart over time."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stadtherz.base.time import DAY, now_us
from stadtherz.base.visibility import Visibility
from stadtherz.identity.public import visibility_of_request
from stadtherz.kit import registry
from stadtherz.kit.declaration import Severity, Text, Tile
from stadtherz.store import public as store
from stadtherz.web import pulse
from stadtherz.web.charts import LineChart
from stadtherz.web.entities.asking import address
from stadtherz.web.headline import headline
from stadtherz.web.shell import Place, render, service_url

_CHART_SPAN = 3 * DAY
_LICENCES: dict[str, Text] = {
    "dl-de/by-2-0": gettext_lazy("Data licence Germany, attribution, version 2.0"),
    "dl-de/zero-2-0": gettext_lazy("Data licence Germany, zero, version 2.0"),
}
_ORDER = (Severity.DANGER, Severity.WARNING, Severity.INFO, Severity.OK, Severity.UNKNOWN)


def page(request: HttpRequest) -> HttpResponse:
    """Everything this reader may see, most serious first."""
    visibility = visibility_of_request(request)
    tiles = read_tiles(visibility)
    context = {
        "headline": headline(tiles),
        "pulse": pulse.read(visibility),
        "tiles": tiles,
        "places": places(tiles),
        "feature": feature(tiles),
        "streams": {stream for tile in tiles for stream in tile.streams},
    }
    return render(request, "sh/start.html", context)


def data(request: HttpRequest) -> HttpResponse:
    """What there is as open data and how to get it."""
    context = {
        "datasets": [
            (dataset, service_url(service), licence(dataset.licence))
            for service in registry.services()
            for dataset in service.datasets
        ],
        "groups": [
            (group, address("1.1", dataset=group.slug), licence(group.licence))
            for group in store.datasets(visibility_of_request(request))
        ],
        "root": request.build_absolute_uri("/sta/v1.1"),
    }
    return render(request, "sh/data.html", context)


def licence(text: str) -> tuple[Text, str]:
    """What it is called and where its words are; an unknown one stays as it was written."""
    name = text.removeprefix("https://www.govdata.de/")
    if name in _LICENCES:
        return _LICENCES[name], f"https://www.govdata.de/{name}"
    return text, text if text.startswith(("https://", "http://")) else ""


def read_tiles(visibility: Visibility) -> list[Tile]:
    """The tiles of all services; the order within one severity is the services' own."""
    tiles = [
        tile
        for service in registry.services()
        for source in service.tiles
        for tile in source.data(visibility)
    ]
    return sorted(tiles, key=lambda tile: _ORDER.index(tile.state))


def places(tiles: Sequence[Tile]) -> list[Place]:
    return [
        Place(
            name=tile.title,
            position=tile.position,
            icon=tile.icon,
            value=f"{tile.value} {tile.unit}".strip(),
            state=tile.state,
            state_text=tile.state_text,
            url=tile.url,
        )
        for tile in tiles
        if tile.position is not None
    ]


@dataclass(frozen=True, slots=True)
class Feature:
    """The one figure shown over time: the most serious that has a stream."""

    tile: Tile
    chart: LineChart


def feature(tiles: Sequence[Tile]) -> Feature | None:
    tile = next((tile for tile in tiles if tile.streams), None)
    if tile is None:
        return None
    end = now_us()
    chart = LineChart(
        key="feature-chart",
        title=tile.title,
        subtitle=_("The last three days, in %(unit)s") % {"unit": tile.unit},
        unit=tile.unit,
        points=pulse.points(tile.streams[0], end - _CHART_SPAN, end),
        summary=tile.sentence or f"{tile.title}: {tile.value} {tile.unit}, {tile.state_text}.",
        steps=tile.steps,
        now=end,
        gap=pulse.GAP,
    )
    return Feature(tile, chart)
