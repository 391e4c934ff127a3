"""Tables in the back office: a file is uploaded, described step by step, checked and imported."""

from abc import ABC, abstractmethod
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.views.generic import View
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column

from stadtherz.base.errors import Conflict, Invalid
from stadtherz.ingest.public import (
    TableImport,
    TableMapping,
    WatchedFolder,
    tables,
    unit_choices,
)
from stadtherz.web.staff.views import (
    Limited,
    StaffDeleteView,
    StaffInspectView,
    limit_choices,
    moment_column,
)
from stadtherz.web.staff.viewsets import StaffViewSet
from stadtherz.web.tables.forms import (
    KeepForm,
    TargetForm,
    TimesForm,
    UploadForm,
    WrittenForm,
    duplicate_targets,
)

_MOST_COLUMNS = 60  # on a page where each has a form; tables with more are laid out the long way
_LOOKED_AT = 200_000  # rows in which the series of a long table are looked for

State = TableImport.State


class Page(Limited, View):
    """A page of ours about one import, in the back office's frame."""

    template_name = ""
    title: Any = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.views.changes(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def row(self, pk: int) -> TableImport:
        found: TableImport = self.views.rows(self.request.user, changing=True).get(pk=pk)
        return found

    def page(self, status: int = 200, **context: Any) -> TemplateResponse:
        common = {
            "page_title": self.title,
            "header_title": self.title,
            "header_icon": self.views.icon,
            "index_url": reverse(self.views.get_url_name("index")),
        }
        return TemplateResponse(self.request, self.template_name, common | context, status=status)

    def to(self, view: str, pk: int) -> HttpResponse:
        return redirect(self.views.get_url_name(view), pk)

    def broken(self, row: TableImport, problem: Exception) -> HttpResponse:
        """Tell what is wrong with the file, where it can be mended."""
        messages.error(self.request, str(problem))
        return self.to("written", row.pk)


class UploadView(Page):
    permission_required = "add"
    template_name = "staff/table_upload.html"
    title = _("Upload a table")

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(form=self._form())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self._form(request.POST, request.FILES)
        if not form.is_valid():
            return self.page(form=form)
        data = form.cleaned_data
        try:
            row = tables.take(data["owner"].pk, data["file"].name, data["file"].chunks())
        except tables.BadTable as problem:
            form.add_error("file", str(problem))
            return self.page(form=form)
        self.audit("upload", row, {"name": row.name})
        return self._go_on(row, data["mapping"])

    def _form(self, *args: Any) -> Any:
        return limit_choices(UploadForm(*args), self.views, self.request)

    def _go_on(self, row: TableImport, mapping: TableMapping | None) -> HttpResponse:
        if mapping is None:
            return self.to("written", row.pk)
        try:
            rules = tables.fitted(tables.file_of(row), tables.rules_of(mapping.rules))
            tables.set_rules(row, rules, mapping_name=mapping.name)
        except tables.BadTable as problem:
            return self.broken(row, problem)
        return self.to("inspect", row.pk)


class StepView(Page):
    """A step of the description; not while the file is at work."""

    permission_required = "change"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        row = self.row(kwargs["pk"])
        if row.is_working:
            messages.warning(request, _text("The file is at work. Stop it first."))
            return self.to("inspect", row.pk)
        if row.file_gone:
            messages.warning(request, str(tables.BadTable("gone")))
            return self.to("inspect", row.pk)
        return super().dispatch(request, *args, **kwargs)


class WrittenView(StepView):
    """Step 1: how the file is written."""

    template_name = "staff/table_written.html"
    title = _("How the file is written")

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.row(pk)
        return self._show(row, self._form(row), tables.form_of(row.form))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.row(pk)
        form = self._form(row, request.POST)
        if not form.is_valid():
            return self._show(row, form, tables.form_of(row.form))
        if "look" in request.POST:
            return self._show(row, form, form.form)
        try:
            rules = self._rules(row, form.form)
        except tables.BadTable as problem:
            form.add_error(None, str(problem))
            return self._show(row, form, form.form)
        tables.set_rules(row, rules)
        return self.to("times", pk)

    def _form(self, row: TableImport, data: Any = None) -> WrittenForm:
        form = tables.form_of(row.form)
        sheets = tables.sheets(tables.file_of(row)) if form.kind == "xlsx" else []
        return WrittenForm(data, form=form, sheets=sheets)

    def _show(self, row: TableImport, form: WrittenForm, written: tables.Form) -> HttpResponse:
        lines: Any = []
        doubtful = ""
        try:
            lines = tables.raw_lines(tables.file_of(row), written)
            doubtful = tables.doubtful_decimals(tables.file_of(row), written)
        except tables.BadTable as problem:
            if not form.errors:
                messages.error(self.request, str(problem))
        return self.page(form=form, row=row, lines=lines, doubtful=doubtful)

    def _rules(self, row: TableImport, form: tables.Form) -> tables.Rules:
        """What was said before, if the columns are still there; else what the file tells."""
        file = tables.file_of(row)
        found = tables.recognise_rules(file, form, str(settings.TIME_ZONE))
        if row.rules:
            before = tables.rules_of(row.rules)
            names = tables.column_names(file, form)
            if before.times.column in names and all(
                target.source in names for target in before.targets if before.long is None
            ):
                return tables.rules_of({**row.rules, "form": tables.told(form)})
        return found


class RulesView(StepView, ABC):
    """A step that changes rules which are known already; without any it leads back to the step that makes them."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._answer(pk, None)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._answer(pk, request.POST)

    def _answer(self, pk: int, data: Any) -> HttpResponse:
        row = self.row(pk)
        if not row.rules:
            return self.to("written", row.pk)
        return self.answer(row, tables.rules_of(row.rules), data)

    @abstractmethod
    def answer(self, row: TableImport, rules: tables.Rules, data: Any) -> HttpResponse:
        """The page, or where to go on once `data` fits."""


class TimesView(RulesView):
    """Step 2: where times stand, and how the table is laid out."""

    template_name = "staff/table_times.html"
    title = _("Times and layout")

    def answer(self, row: TableImport, rules: tables.Rules, data: Any) -> HttpResponse:
        try:
            found = tables.columns(tables.file_of(row), rules.form)
        except tables.BadTable as problem:
            return self.broken(row, problem)
        form = TimesForm(data, rules=rules, names=[column.name for column in found])
        if form.is_valid():
            tables.set_rules(row, form.changed_rules(), mapping_name=row.mapping_name)
            return self.to("targets", row.pk)
        return self.page(form=form, row=row, columns=found)


class TargetsView(RulesView):
    """Step 3: which values go where."""

    template_name = "staff/table_targets.html"
    title = _("Datastreams")

    def answer(self, row: TableImport, rules: tables.Rules, data: Any) -> HttpResponse:
        try:
            sources, more = _sources(row, rules)
        except tables.BadTable as problem:
            return self.broken(row, problem)
        forms = _target_forms(row, rules, sources, data)
        keep = KeepForm(data, initial=_kept(row, rules))
        if data is not None and all([*[form.is_valid() for form in forms], keep.is_valid()]):
            mistake = self._save(row, rules, forms, keep)
            if not mistake:
                return self.to("inspect", row.pk)
            keep.add_error(None, mistake)
        return self.page(row=row, forms=forms, keep=keep, more=more, form=keep)

    def _save(
        self, row: TableImport, rules: tables.Rules, forms: list[TargetForm], keep: KeepForm
    ) -> str:
        """Keep what was said; what is wrong with it, if anything."""
        targets = [form.target for form in forms]
        chosen = tuple(target for target in targets if target is not None)
        if not chosen:
            return str(tables.BadTable("no_target"))
        if twice := duplicate_targets(chosen):
            for form in forms:
                if form.source in twice:
                    form.add_error("to", _text("Another column goes there already."))
            return _text("Two columns go to the same datastream.")
        data = keep.cleaned_data
        plain = tables.told(rules) | {
            "targets": [tables.told(target) for target in chosen],
            "replace": data["existing"] == "replace",
        }
        changed, name = tables.rules_of(plain), data["save_as"].strip()
        try:
            tables.set_rules(row, changed, mapping_name=name)
        except (tables.BadTable, Conflict) as problem:
            return str(problem)
        if name:
            mapping = tables.save_mapping(row.owner_id, name, changed)
            self.audit("save_mapping", mapping, {"name": name})
        return ""


def _sources(row: TableImport, rules: tables.Rules) -> tuple[list[tables.Column], int]:
    """The columns, or series, that could go to a datastream; how many more there are than shown."""
    file = tables.file_of(row)
    if rules.long is not None:
        series = tables.series_in(file, rules, rules.long, most_rows=_LOOKED_AT)
        found = [tables.Column(name, "", "number", *tables.label_and_unit(name)) for name in series]
        return found, 0
    times = rules.times
    used = {times.column, times.second, times.season}
    chosen = {target.source for target in rules.targets}
    found = [c for c in tables.columns(file, rules.form) if c.name not in used]
    found = [c for c in found if c.kind in ("number", "empty") or c.name in chosen]
    found.sort(key=lambda c: c.kind == "empty" and c.name not in chosen)  # those with numbers first
    return found[:_MOST_COLUMNS], max(0, len(found) - _MOST_COLUMNS)


def _target_forms(
    row: TableImport, rules: tables.Rules, sources: list[tables.Column], data: Any
) -> list[TargetForm]:
    streams = [(str(each.id), each.label) for each in tables.choices(row.owner_id)]
    known = {target.source: target for target in rules.targets}
    return [
        TargetForm(
            data,
            prefix=f"c{number}",
            source=column.name,
            example=column.example,
            streams=streams,
            initial=_target_initial(column, known.get(column.name), row),
        )
        for number, column in enumerate(sources)
    ]


def _target_initial(
    column: tables.Column, target: tables.Target | None, row: TableImport
) -> dict[str, Any]:
    stem = row.name.rsplit(".", 1)[0][:100]
    found: dict[str, Any] = {"to": "", "thing": stem, "name": column.label, "unit": column.unit}
    found["file_unit"] = column.unit if column.unit in dict(unit_choices("")) else ""
    if target is None:
        return found
    found |= {"factor": target.factor, "offset": target.offset, "file_unit": target.unit}
    if target.new is not None:
        new = target.new
        return found | {"to": "new", "thing": new.thing, "name": new.name, "unit": new.unit}
    return found | {"to": str(target.datastream)}


def _kept(row: TableImport, rules: tables.Rules) -> dict[str, Any]:
    return {
        "existing": "replace" if rules.replace else "keep",
        "save_as": row.mapping_name,
    }


class WorkView(Page):
    """The buttons: check the whole file, import it, stop."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.row(pk)
        what = request.POST.get("what", "")
        do = {
            "check": tables.start_check,
            "import": tables.start_import,
            "stop": tables.stop_work,
        }.get(what)
        if do is None:
            raise Http404
        try:
            do(row)
        except (tables.BadTable, Conflict, Invalid) as problem:
            messages.error(request, str(problem))
        else:
            self.audit(what, row, {"name": row.name})
            tables.wake()
        return self.to("inspect", pk)


class ReportView(Limited, View):
    """The report as a CSV file."""

    permission_required = "view"

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        row = self.views.rows(request.user).get(pk=pk)
        found = tables.read_report(tables.report_of(row), row.counts.get("lines", 0))
        name = slugify(row.name.rsplit(".", 1)[0]) or "table"
        return StreamingHttpResponse(
            tables.as_csv(found),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}-report.csv"'},
        )


class TableInspectView(StaffInspectView):
    """One import: what it means, how far it is, what became of it."""

    template_name = "staff/table_import.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row: TableImport = self.object
        may = self.views.changes(self.request.user)
        rules = tables.rules_of(row.rules) if row.rules else None
        replace = bool(rules and rules.replace)
        done = row.state in (State.DONE, State.IMPORTING, State.FAILED)
        counts = row.counts or row.checked or {}
        return {
            **super().get_context_data(**kwargs),
            "row": row,
            "may": bool(may),
            "rules": rules,
            "preview": self._preview(row, rules),
            "summary": tables.summary(counts) if counts else "",
            "lines": tables.lines(counts, replace=replace, done=done) if counts else [],
            "report_lines": counts.get("lines", 0),
            "url_names": {
                name: self.views.get_url_name(name)
                for name in ("written", "times", "targets", "work", "report", "inspect")
            },
        }

    def _preview(self, row: TableImport, rules: tables.Rules | None) -> dict[str, Any]:
        """The first rows as they are understood, before anything was done with the file."""
        if rules is None or not rules.targets or row.state != State.READY:
            return {}
        try:
            return {
                "heads": [target.source for target in rules.targets],
                "rows": tables.first_rows(
                    tables.file_of(row), tables.in_units(row.owner_id, rules)
                ),
            }
        except tables.BadTable as problem:
            return {"problem": str(problem)}


class TableDeleteView(StaffDeleteView):
    def delete_action(self) -> None:
        row = self.object
        tables.stop_work(row)
        super().delete_action()
        row.pk = row.pk or self.kwargs["pk"]
        tables.forget(row)


class TableImportViewSet(StaffViewSet):
    """Files that were handed in."""

    model = TableImport
    name = "table"
    allowed = frozenset({"add", "delete"})
    icon = "table"
    menu_label = _("Tables (CSV, Excel)")
    add_view_class = UploadView  # type: ignore[assignment]  # a page of ours, no form of a model
    inspect_view_class = TableInspectView
    delete_view_class = TableDeleteView
    list_display = [
        "name",
        Column("state", label=_("State"), accessor="get_state_display", sort_key="state"),
        moment_column("created_at", _("Uploaded")),
        moment_column("finished_at", _("Finished")),
        "mapping_name",
        "owner",
    ]
    list_filter = ["state", "owner"]
    search_fields = ["name", "mapping_name"]
    inspect_view_fields = ["owner", "state", "created_at", "finished_at"]
    moments = ("created_at", "finished_at")

    def get_urlpatterns(self) -> list[URLPattern]:
        steps = {
            "written": WrittenView,
            "times": TimesView,
            "targets": TargetsView,
            "work": WorkView,
            "report": ReportView,
        }
        return [
            *super().get_urlpatterns(),
            *(
                path(f"{name}/<int:pk>/", self.construct_view(view), name=name)
                for name, view in steps.items()
            ),
        ]


def _told(row: TableMapping) -> str:
    """A mapping in words: what goes where."""
    rules = tables.rules_of(row.rules)
    labels = {each.id: each.label for each in tables.choices(row.owner_id)}
    told = []
    for target in rules.targets:
        new = target.new
        goes_to = (
            labels.get(target.datastream or 0, "?") if new is None else f"{new.thing}: {new.name}"
        )
        told.append(f"{target.source} → {goes_to}")
    return "; ".join(told) or "–"


class TableMappingViewSet(StaffViewSet):
    """Mappings that were saved; they are made while a file is described."""

    model = TableMapping
    allowed = frozenset({"change", "delete"})
    icon = "table"
    menu_label = _("Table mappings")
    list_display = ["name", moment_column("changed_at", _("Changed")), "owner"]
    list_filter = ["owner"]
    search_fields = ["name"]
    form_fields = ["name"]
    moments = ("changed_at",)
    labels = {"columns": _("What goes where")}
    inspect_view_fields = ["name", "owner", "changed_at", "columns"]
    shown = {"columns": _told}


class WatchedFolderViewSet(StaffViewSet):
    """Folders of the machine whose files are imported by themselves."""

    model = WatchedFolder
    icon = "folder"
    menu_label = _("Watched folders")
    list_display = ["name", "mapping", "active", "owner"]
    list_filter = ["active", "owner"]
    search_fields = ["name"]
    form_fields = ["name", "owner", "mapping", "active"]
    labels = {"path": _("Where it lies")}
    inspect_view_fields = ["name", "owner", "mapping", "active", "path"]
    shown = {"path": lambda row: str(tables.path_of(row))}
