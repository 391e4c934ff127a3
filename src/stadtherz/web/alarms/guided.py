"""The short way to a rule: what to watch, when to be told, which limit; then its preview of the last year."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from stadtherz.alerts.public import Rule
from stadtherz.base.naming import beside
from stadtherz.base.time import DAY, now_us
from stadtherz.kit.declaration import Severity, Step
from stadtherz.store.public import StreamInfo, streams
from stadtherz.web import formats
from stadtherz.web.alarms.board import AlarmPage
from stadtherz.web.alarms.figures import digits, figures
from stadtherz.web.alarms.guided_form import GuidedForm
from stadtherz.web.alarms.occasions import OCCASIONS, YEAR, Advice, Occasion, advice
from stadtherz.web.alarms.proposals import Proposal
from stadtherz.web.alarms.story import points_of, summary
from stadtherz.web.charts import LineChart
from stadtherz.web.staff.views import has_words

_WHOLE_YEAR = 350 * DAY
_MOST = 30  # datastreams of one page; a search narrows them


@dataclass(frozen=True, slots=True)
class Choice:
    """A datastream to choose, with what it shows now."""

    id: int
    place: str
    name: str
    now: str
    chosen: bool


class _Guide(AlarmPage):
    """A page of somebody who may make rules for at least one organisation."""

    permission_required = "add"
    title = _("Make a rule")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.views.changes(request.user):
            raise PermissionDenied
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def own_streams(self) -> Any:
        model: Any = Rule._meta.get_field("datastream").related_model
        rows = model.objects.select_related("thing")
        return self.views.changes(self.request.user).limit(rows, "owner")


class BeginView(_Guide):
    """What is watched, and when to be told."""

    template = "staff/rule_begin.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        asked, occasion = request.GET.get("datastream", ""), request.GET.get("occasion", "")
        stream = self._stream(asked)
        if stream is not None and occasion in OCCASIONS:
            return redirect(self.url("guided", stream, occasion))
        gone_on = "go" in request.GET
        words = request.GET.get("q", "").strip()[:100]
        found = list(self._found(words)[: _MOST + 1])
        context = {
            "choices": self._choices(found[:_MOST], stream),
            "more": len(found) > _MOST,
            "q": words,
            "occasions": OCCASIONS.values(),
            "occasion": occasion,
            "missing_stream": gone_on and stream is None,
            "missing_occasion": gone_on and occasion not in OCCASIONS,
            "whole_form": self.url("add"),
        }
        return self.page(context)

    def _stream(self, asked: str) -> int | None:
        if not asked.isdecimal() or not asked.isascii() or len(asked) > 18:
            return None
        found: int | None = self.own_streams().filter(pk=asked).values_list("pk", flat=True).first()
        return found

    def _found(self, words: str) -> Any:
        rows = self.own_streams().order_by("thing__name", "name", "pk")
        fields = ("name", "thing__name", "observed_property__name")
        return rows.filter(has_words(words, fields))

    def _choices(self, found: Sequence[Any], chosen: int | None) -> list[Choice]:
        now = figures(streams(each.pk for each in found).values())
        return [
            Choice(
                each.pk,
                str(each.thing),
                beside(each.name, str(each.thing)),
                now[each.pk].text if each.pk in now else "",
                each.pk == chosen,
            )
            for each in found
        ]


class GuidedView(_Guide):
    """The limit, beside the last year's curve and how often each limit was reached in it."""

    template = "staff/rule_guided.html"

    def get(self, request: HttpRequest, stream: int, occasion: str) -> HttpResponse:
        watched, chosen = self._asked(stream, occasion)
        told = advice(chosen, watched.id, now_us())
        return self._shown(GuidedForm(stream=watched, occasion=chosen, advice=told), told)

    def post(self, request: HttpRequest, stream: int, occasion: str) -> HttpResponse:
        watched, chosen = self._asked(stream, occasion)
        told = advice(chosen, watched.id, now_us())
        form = GuidedForm(request.POST, stream=watched, occasion=chosen, advice=told)
        if not form.is_valid():
            return self._shown(form, told)
        with transaction.atomic():
            rule = form.rule()
            rule.save()
            for step in form.steps():
                step.rule = rule
                step.save()
        self.audit("create", rule, {"name_de": rule.name_de})
        return redirect(self.url("preview", rule.pk))

    def _asked(self, stream: int, occasion: str) -> tuple[StreamInfo, Occasion]:
        if occasion not in OCCASIONS or not self.own_streams().filter(pk=stream).exists():
            raise Http404
        return streams([stream])[stream], OCCASIONS[occasion]

    def _shown(self, form: GuidedForm, told: Advice) -> HttpResponse:
        stream, occasion = form.stream, form.occasion
        now = figures([stream]).get(stream.id)
        context = {
            "form": form,
            "place": stream.thing_name,
            "name": beside(stream.name, stream.thing_name),
            "now": now.text if now else "",
            "occasion": occasion,
            "proposals": [_line(each, occasion, stream) for each in told.proposals],
            "heading": _past(told),
            "chart": _chart(stream, occasion, told),
            "back": f"{self.url('begin')}?q={stream.thing_name}",
        }
        return self.page(context)


def _past(told: Advice) -> str:
    """From which time the figures are: where a device is new, that is no year."""
    if told.since is None or now_us() - told.since > _WHOLE_YEAR:
        return _text("What the last year says")
    day = {"day": formats.date(told.since)}
    return _text("What the readings since %(day)s say") % day


@dataclass(frozen=True, slots=True)
class Line:
    """A proposal in words."""

    limit: str
    value: str
    often: str


def _line(proposal: Proposal, occasion: Occasion, stream: StreamInfo) -> Line:
    places = digits(proposal.limit)
    if occasion.minutes:
        often = _text("three times as long as it usually takes")
        return Line(
            _text("%(n)s minutes") % {"n": formats.number(proposal.limit)},
            formats.number(proposal.limit),
            often,
        )
    often = ngettext("about once", "about %(n)s times", proposal.times)
    return Line(
        formats.measure(proposal.limit, stream.unit_symbol, places),
        formats.number(proposal.limit, places),
        often % {"n": formats.number(proposal.times)},
    )


def _chart(stream: StreamInfo, occasion: Occasion, told: Advice) -> LineChart | None:
    """The year's curve, with the proposed limits where they are values of it."""
    until = now_us()
    points = points_of(stream.id, until - YEAR, until)
    if not points:
        return None
    is_value = occasion.measure == Rule.Measure.VALUE
    limits = told.proposals if is_value else ()
    return LineChart(
        key=f"guided-{stream.id}",
        title=stream.thing_name,
        subtitle=beside(stream.name, stream.thing_name),
        unit=stream.unit_symbol,
        points=points,
        summary=summary([value for _at, value in points], stream.unit_symbol),
        steps=[
            Step(_line(each, occasion, stream).often, each.limit, Severity.INFO) for each in limits
        ],
        marks=[],
        span=(points[0][0], until),
        gap=3 * DAY,
        digits=max(digits(value) for _at, value in points),
    )
