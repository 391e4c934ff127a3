"""Many devices by a list: handed in, looked at, connected in slices, reported."""

import csv
from collections.abc import Mapping
from io import StringIO
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import get_language
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import log

from stadtherz.base.errors import Invalid
from stadtherz.base.time import now, to_us
from stadtherz.identity.public import visibility_of_request
from stadtherz.ingest.public import (
    DeviceList,
    DeviceType,
    ListedDevice,
    Reader,
    go_on,
    keep_list,
    read_sheet,
    sheet_template,
)
from stadtherz.store.public import OrganisationInfo
from stadtherz.web import formats
from stadtherz.web.onboarding.start import Onboarding

Outcome = ListedDevice.Outcome
_MOST_LISTS = 10  # of a person; the oldest make room
_MOST_SHOWN = 200  # lines of one kind on a page; the report has all


class ListForm(forms.Form):
    file = forms.FileField(
        label=_("List of devices (CSV)"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
        help_text=_("Up to 5,000 devices and 1 MB, separated by semicolon or comma."),
    )


class ListPage(Onboarding):
    title: Any = _("Connect devices with a list")

    def lists(self) -> Any:
        actor = visibility_of_request(self.request).actor
        return DeviceList.objects.filter(actor=actor)

    def reader(self) -> Reader:
        own = self.own_organisations().values_list("pk", "slug", "name")
        home = visibility_of_request(self.request).home
        rows = [OrganisationInfo(*row) for row in own]
        return Reader(rows, home=home if any(row.id == home for row in rows) else None)


class ListsView(ListPage):
    """Hands a list in, and shows those that were."""

    template = "staff/onboarding_lists.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._shown(ListForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ListForm(request.POST, request.FILES)
        if form.is_valid():
            given = form.cleaned_data["file"]
            try:
                rows = read_sheet(given.read())
            except Invalid as problem:
                form.add_error("file", problem.reason)
            else:
                return self._kept(given.name, rows)
        return self._shown(form)

    def _kept(self, name: str, rows: Any) -> HttpResponse:
        actor = visibility_of_request(self.request).actor
        self.lists().filter(
            pk__in=list(self.lists().values_list("pk", flat=True)[_MOST_LISTS - 1 :])
        ).delete()
        kept = keep_list(actor, name, rows, self.reader())
        return redirect(self.url("connect_list", kept.pk))

    def _shown(self, form: ListForm) -> HttpResponse:
        rows = [
            (each.file, formats.when(each.created), self.url("connect_list", each.pk))
            for each in self.lists()[:_MOST_LISTS]
        ]
        has_types = DeviceType.objects.filter(owner__in=self.own_organisations()).exists()
        return self.page(
            {
                "form": form,
                "lists": rows,
                "has_types": has_types,
                "start_url": self.url("connect"),
                "template_url": self.url("connect_list_template"),
            }
        )


class TemplateView(ListPage):
    """The file to fill in."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _download(sheet_template(get_language() or "de"), _text("devices") + ".csv")


def _download(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


class OneListPage(ListPage):
    kept: DeviceList

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found = self.lists().filter(pk=kwargs["key"]).first()
        if found is None:
            raise Http404
        self.kept = found
        return super().dispatch(request, *args, **kwargs)


class ListView(OneListPage):
    """What a list amounts to; its button connects what waits, for some seconds at a time."""

    template = "staff/onboarding_list.html"

    def get(self, request: HttpRequest, key: int) -> HttpResponse:
        rows = self.kept.rows
        count = {outcome: rows.filter(outcome=outcome).count() for outcome in Outcome.values}
        total = sum(count.values())
        begun = count[Outcome.CONNECTED] > 0
        return self.page(
            {
                "kept": self.kept,
                "total": total,
                "waits": count[Outcome.OPEN],
                "connected": count[Outcome.CONNECTED],
                "known": count[Outcome.KNOWN],
                "problems": count[Outcome.PROBLEM],
                "begun": begun,
                "going": begun and count[Outcome.OPEN] > 0 and "go" in request.GET,
                "done": total - count[Outcome.OPEN],
                "problem_rows": [
                    _shown(row) for row in rows.filter(outcome=Outcome.PROBLEM)[:_MOST_SHOWN]
                ],
                "waiting_rows": [
                    _shown(row) for row in rows.filter(outcome=Outcome.OPEN)[:_MOST_SHOWN]
                ],
                "report_url": self.url("connect_list_report", self.kept.pk),
                "lists_url": self.url("connect_lists"),
                "stickers_url": f"{self.url('stickers')}?list={self.kept.pk}",
            }
        )

    def post(self, request: HttpRequest, key: int) -> HttpResponse:
        for row in go_on(self.kept, self.reader()):
            if row.device is not None:
                told = {
                    "name": row.device.name,
                    "dev_eui": row.device.dev_eui,
                    "list": self.kept.file,
                }
                self.audit("connect", row.device, told)
                log(instance=row.device, action="wagtail.create")
        return redirect(f"{self.url('connect_list', key)}?go=1")


def _shown(row: ListedDevice) -> dict[str, Any]:
    return {
        "line": row.line,
        "name": row.values.get("name", ""),
        "eui": row.values.get("eui", ""),
        "type": row.values.get("type") or _as(row.values.get("like", "")),
        "problems": row.problems,
    }


def _as(name: str) -> str:
    """The device that a line names as its pattern, where it names no type."""
    return _text("as %(device)s") % {"device": name} if name else ""


class ReportView(OneListPage):
    """What became of every line, as a file."""

    def get(self, request: HttpRequest, key: int) -> HttpResponse:
        german = (get_language() or "de").startswith("de")
        text = StringIO()
        out = csv.writer(text, delimiter=";" if german else ",")
        out.writerow(
            [
                _text("Line"),
                _text("Name"),
                _text("Device EUI"),
                _text("Result"),
                _text("Reason"),
                _text("Page"),
            ]
        )
        for row in self.kept.rows.select_related("device").iterator():
            values: Mapping[str, str] = row.values
            page = (
                request.build_absolute_uri(self.url("inspect", row.device_id))
                if row.device_id
                else ""
            )
            out.writerow(
                [
                    row.line,
                    _harmless(values.get("name", "")),
                    _harmless(values.get("eui", "")),
                    row.get_outcome_display(),
                    " ".join(row.problems),
                    page,
                ]
            )
        day = formats.local(to_us(now())).date().isoformat()
        return _download(("\ufeff" + text.getvalue()).encode(), f"{_text('report')}-{day}.csv")


def _harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@\t") else text


def urls_of(views: Any) -> list[URLPattern]:
    made = {name: views.construct_view(view) for name, view in _VIEWS.items()}
    return [
        path("connect/lists/", made["lists"], name="connect_lists"),
        path("connect/lists/template/", made["template"], name="connect_list_template"),
        path("connect/lists/<int:key>/", made["list"], name="connect_list"),
        path("connect/lists/<int:key>/report/", made["report"], name="connect_list_report"),
    ]


_VIEWS: dict[str, Any] = {
    "lists": ListsView,
    "template": TemplateView,
    "list": ListView,
    "report": ReportView,
}
