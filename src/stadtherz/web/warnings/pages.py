"""The page of public warnings: what is in force, what to do, and what there was lately."""

from django.http import HttpRequest, HttpResponse

from stadtherz.alerts.public import public_warnings
from stadtherz.base.time import DAY, now_us
from stadtherz.identity.public import visibility_of_request
from stadtherz.web.shell import render
from stadtherz.web.warnings.telling import places, tell

PAST = 28 * DAY
_MOST_PAST = 100


def page(request: HttpRequest) -> HttpResponse:
    """Everything this reader may see, the worst first."""
    found = public_warnings(visibility_of_request(request), since=now_us() - PAST)
    told = tell([each for each in found if each.over is None])
    context = {
        "warnings": told,
        "places": places(told),
        "past": tell([each for each in found if each.over is not None][:_MOST_PAST]),
        "streams": {each.datastream for each in told},
        "quiet": True,  # the page itself says what the banner would say
    }
    return render(request, "warnings/page.html", context)
