"""The public pages: all gauges, one gauge, its readings as a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from stadtherz.base.time import now_us
from stadtherz.identity.public import visibility_of_request
from stadtherz.kit.declaration import Severity
from stadtherz.services.water import export, gauges, sentence, spans
from stadtherz.services.water.gauges import Situation
from stadtherz.services.water.models import WarningStep
from stadtherz.services.water.spans import Span
from stadtherz.services.water.tiles import chart_steps, icon, is_groundwater
from stadtherz.web.public import Crumb, LineChart, Place, render


@dataclass(frozen=True, slots=True)
class StepRow:
    """One line of the table of steps: what it is called, where it lies, whether it holds."""

    step: WarningStep
    holds: bool
    missing: float | None

    @property
    def state(self) -> Severity:
        return Severity(self.step.severity) if self.holds else Severity.OK

    @property
    def state_text(self) -> str:
        return _("reached") if self.holds else _("not reached")

    @property
    def level_text(self) -> str:
        return sentence.level(self.step.level)

    @property
    def distance(self) -> str:
        """How much is missing, where that is known and something is."""
        if self.missing is None or self.missing <= 0:
            return ""
        return _("%(missing)s to go") % {"missing": sentence.level(self.missing)}


def index(request: HttpRequest) -> HttpResponse:
    """All gauges the reader may see, as a list and on the map."""
    found = gauges.situations(visibility_of_request(request))
    context = {
        "situations": found,
        "places": [place for situation in found for place in _places(situation)],
        "unusual": [s for s in found if s.severity in (Severity.WARNING, Severity.DANGER)],
        "streams": [situation.stream.id for situation in found],
    }
    return render(request, "water/index.html", context)


def gauge(request: HttpRequest, slug: str) -> HttpResponse:
    """One gauge, sentence first; `?zeitraum=` chooses what the chart shows."""
    situation = gauges.situation(slug, visibility_of_request(request))
    span = spans.chosen(request.GET.get("zeitraum"))
    context = {
        "situation": situation,
        "gauge": situation.gauge,
        "is_groundwater": is_groundwater(situation.gauge),
        "steps": _step_rows(situation),
        "chart": _chart(situation, span),
        "choices": spans.choices(span),
        "places": _places(situation),
        "data_url": f"/sta/v1.1/Datastreams({situation.stream.id})",
        "streams": [situation.stream.id],
        "crumbs": [Crumb(_("Water levels"), reverse("water:index"))],
    }
    return render(request, "water/gauge.html", context)


def download(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The readings of the chosen span as CSV, row by row, with source and licence on top."""
    found = gauges.find(slug, visibility_of_request(request))
    span = spans.chosen(request.GET.get("zeitraum"))
    end = now_us()
    page = request.build_absolute_uri(reverse("water:gauge", kwargs={"slug": slug}))
    lines: Iterator[str] = export.csv(found, spans.start(span, end), end, page=page)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}-{span}.csv"'
    return response


def _step_rows(situation: Situation) -> list[StepRow]:
    """The highest step on top, as on the gauge board."""
    held = situation.steps.index(situation.step) if situation.step else -1
    value = None if situation.silent else situation.value
    rows = [
        StepRow(step, rank <= held, None if value is None or rank <= held else step.level - value)
        for rank, step in enumerate(situation.steps)
    ]
    return rows[::-1]


def _places(situation: Situation) -> list[Place]:
    if situation.stream.position is None:
        return []
    gauge = situation.gauge
    return [
        Place(
            name=gauge.name,
            position=situation.stream.position,
            icon=icon(gauge),
            value=situation.level_text,
            state=situation.severity,
            state_text=situation.state_text,
            url=reverse("water:gauge", kwargs={"slug": gauge.slug}),
        )
    ]


def _chart(situation: Situation, span: Span) -> LineChart:
    gauge, end = situation.gauge, now_us()
    address = reverse("water:download", kwargs={"slug": gauge.slug})
    quantity = _("Depth below ground") if is_groundwater(gauge) else _("Water level")
    points, doubts = spans.drawn(gauge, span, end)
    return LineChart(
        key="level",
        title=gauge.name,
        subtitle=_(spans.subtitle(span)) % {"quantity": quantity},
        unit="cm",
        points=points,
        summary=_summary([value for _at, value in points]),
        steps=chart_steps(situation),
        now=end,
        gap=spans.gap(gauge, span),
        doubts=doubts,
        download=f"{address}?zeitraum={span}",
    )


def _summary(values: Sequence[float]) -> str:
    """What the picture shows, in a sentence."""
    if not values:
        return _("There are no readings in this period.")
    low, high = sentence.level(min(values)), sentence.level(max(values))
    return _("Lowest %(low)s, highest %(high)s in this period.") % {"low": low, "high": high}
