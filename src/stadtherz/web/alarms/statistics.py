"""The page of figures: how many alarms, how many of them false, how fast somebody took them on, and
how reliable sensors and channels were."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from stadtherz.alerts.public import Alert, Channel, Delivery
from stadtherz.base.time import DAY, Micros, now_us, to_us
from stadtherz.ingest.public import RefusedUplink
from stadtherz.web import formats
from stadtherz.web.alarms import words
from stadtherz.web.alarms.board import AlarmPage
from stadtherz.web.alarms.reckoning import Happened, Reckoned, grouped, reckon
from stadtherz.web.charts import LineChart
from stadtherz.web.staff.viewsets import reads

SPAN = 365 * DAY
_MOST = 50_000
_SILENCE = "devices."  # the kinds of alerts that the watch over devices raises


@dataclass(frozen=True, slots=True)
class Counted:
    """One line of a table, its figures in words."""

    name: str
    number: int
    false: str
    taken: str
    median: str
    ninety: str


class StatisticsView(AlarmPage):
    """The last twelve months, sentence first."""

    title = gettext_lazy("Figures about alarms")
    template = "staff/alarm_statistics.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        since = now_us() - SPAN
        alerts = self.views.rows(request.user).filter(opened_at__gte=since, drill=False)
        happened = read(alerts.exclude(kind__startswith=_SILENCE))
        months = grouped(happened, lambda each: month_of(each.opened))
        rules = grouped(happened, lambda each: each.name)
        whole = reckon(happened)
        context = {
            "sentence": sentence(whole),
            "chart": chart(months),
            "months": [counted(month_name(month), each) for month, each in months.items()],
            "rules": [
                counted(name, each)
                for name, each in sorted(rules.items(), key=lambda row: -row[1].number)
            ],
            "channels": channels(self.views.rows(request.user), since),
            "silent": silent(alerts.filter(kind__startswith=_SILENCE)),
            "refused": refused(request.user, since),
        }
        return self.page(context)


def read(alerts: QuerySet[Alert]) -> list[Happened]:
    found = alerts.select_related("rule").order_by("-opened_at")[:_MOST]
    return [
        Happened(words.kind(each), each.opened_at, each.false_alarm, each.acknowledged_at)
        for each in found
    ]


def sentence(whole: Reckoned) -> str:
    """What one should know, before any table."""
    if not whole.number:
        return _("There was no alarm in the last twelve months.")
    counted_ones = ngettext(
        "%(number)s alarm in the last twelve months.",
        "%(number)s alarms in the last twelve months.",
        whole.number,
    )
    told = [counted_ones % {"number": formats.number(whole.number)}]
    if whole.judged:
        values = {"false": whole.false, "judged": whole.judged}
        told.append(_("Of %(judged)s that staff have judged, %(false)s were false.") % values)
    else:
        told.append(_("Staff have judged none of them yet."))
    if whole.median is not None and whole.ninety is not None:
        within = {"median": words.lasting(whole.median), "ninety": words.lasting(whole.ninety)}
        told.append(
            _(
                "Half of those taken on were taken on within %(median)s, nine of ten within %(ninety)s."
            )
            % within
        )
    return " ".join(told)


def counted(name: str, found: Reckoned) -> Counted:
    return Counted(
        name=name,
        number=found.number,
        false=_("%(false)s of %(judged)s") % {"false": found.false, "judged": found.judged},
        taken=formats.number(found.taken),
        median="–" if found.median is None else words.lasting(found.median),
        ninety="–" if found.ninety is None else words.lasting(found.ninety),
    )


def month_of(at: Micros) -> tuple[int, int]:
    moment = formats.local(at)
    return moment.year, moment.month


def month_name(month: tuple[int, int]) -> str:
    return f"{month[1]:02}/{month[0]}"


def chart(months: dict[tuple[int, int], Reckoned]) -> LineChart:
    """Alarms of each month; a month without any is a zero, not a gap."""
    last_year, last_month = month_of(now_us())
    points = []
    for back in range(11, -1, -1):
        year, month = divmod(last_year * 12 + last_month - 1 - back, 12)
        found = months.get((year, month + 1))
        middle = to_us(datetime(year, month + 1, 15, tzinfo=formats.zone()))
        points.append((middle, float(found.number if found else 0)))
    return LineChart(
        key="alarms",
        title=_("Alarms of each month"),
        subtitle=_("Alarms of each month"),
        unit="",
        points=points,
        counts=True,
        summary=_("Each dot stands in the middle of its month."),
    )


def channels(alerts: QuerySet[Alert], since: Micros) -> list[dict[str, Any]]:
    """For each channel: sent, failed, uncertain, and what receipts came back."""
    own = Delivery.objects.filter(event__alert__in=alerts.values("pk"), owed_at__gte=since)
    by_status = _counts(own, "status")
    by_receipt = _counts(own.exclude(receipt=""), "receipt")
    names = dict(Channel.choices)
    used = sorted({channel for channel, _value in by_status})
    status, receipt = Delivery.Status, Delivery.Receipt
    return [
        {
            "name": names.get(each, each),
            "figures": [
                (_("Messages sent"), by_status[each, status.SENT]),
                (_("Failed"), by_status[each, status.FAILED]),
                (_("Uncertain"), by_status[each, status.UNCERTAIN]),
                (
                    _("Still waiting"),
                    by_status[each, status.QUEUED] + by_status[each, status.HANDING_OVER],
                ),
                (_("Arrived, by receipt"), by_receipt[each, receipt.DELIVERED]),
                (_("Did not arrive, by receipt"), by_receipt[each, receipt.UNDELIVERED]),
            ],
        }
        for each in used
    ]


def _counts(rows: QuerySet[Delivery], by: str) -> Counter[tuple[str, str]]:
    found = rows.order_by().values_list("channel", by).annotate(n=Count("pk"))
    return Counter({(channel, value): number for channel, value, number in found})


def silent(alerts: QuerySet[Alert]) -> list[tuple[str, int]]:
    """The measuring points whose devices were silent most often."""
    found: Iterable[tuple[str | None, int]] = (
        alerts.order_by()
        .values_list("datastream__thing__name")
        .annotate(n=Count("pk"))
        .order_by("-n", "datastream__thing__name")[:20]
    )
    return [(name or "–", number) for name, number in found]


def refused(user: Any, since: Micros) -> int:
    """Messages that could not be used."""
    own = reads(user).limit(RefusedUplink.objects.all(), "owner")
    return own.filter(received_at__gte=since).count()
