"""The shell's door: how a service draws its pages, and what `project` wires up.

    from stadtherz.web.public import LineChart, Place, Step, formats, render

    def page(request, slug):
        return render(request, "water/gauge.html", {"chart": LineChart(...), "places": [Place(...)]})

Templates extend `sh/base.html` and include `sh/tile.html`, `sh/chart.html`, `sh/map.html`;
`{% load sh %}` brings icons, numbers, times and badges.
"""

from stadtherz.kit.declaration import Step
from stadtherz.web import formats
from stadtherz.web.alarms.answer import urlpatterns as answer_urls
from stadtherz.web.alarms.sms import urlpatterns as sms_urls
from stadtherz.web.alarms.telephones import urlpatterns as device_urls
from stadtherz.web.charts import LineChart
from stadtherz.web.devices import words as device_words
from stadtherz.web.errors import bad_request, forbidden, guarded, not_found, server_error
from stadtherz.web.live import application as live_application
from stadtherz.web.shell import Crumb, Place, render
from stadtherz.web.urls import urlpatterns

__all__ = [
    "Crumb",
    "LineChart",
    "Place",
    "Step",
    "answer_urls",
    "bad_request",
    "device_urls",
    "device_words",
    "forbidden",
    "formats",
    "guarded",
    "live_application",
    "not_found",
    "render",
    "server_error",
    "sms_urls",
    "urlpatterns",
]
