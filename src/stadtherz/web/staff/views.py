"""Wagtail's generic views, cut to what the staff member's organisations own, and audited."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Model, ProtectedError, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column
from wagtail.admin.views import generic
from wagtail.admin.views.generic.history import HistoryView
from wagtail.models import ModelLogEntry

from stadtherz.base.time import from_us
from stadtherz.identity.public import User, record, visibility_of_request
from stadtherz.kit.public import personal_tables, spellings

if TYPE_CHECKING:
    from stadtherz.web.staff.viewsets import StaffViewSet

# How each model that has a view set leads to its organisation; filled as view sets register.
OWNER_PATHS: dict[type[Model], str] = {}
_USUAL_PATHS = ("owner", "organisation")


def limit_choices(form: Any, views: "StaffViewSet", request: HttpRequest) -> Any:
    """Cut every choice of related rows in a form, also in its inline forms, to own rows."""
    for name, field in form.fields.items():
        if isinstance(field, forms.ModelChoiceField) and name not in views.open_choices:
            _limit_field(field, views, request, chosen=_chosen(form, name))
    for formset in getattr(form, "formsets", {}).values():
        formset.form = _limited_form(formset.form, views, request)
    return form


def _chosen(form: Any, name: str) -> list[Any]:
    """What the saved row has now: it stays a choice, or saving would silently drop it."""
    if getattr(form, "instance", None) is None or form.instance.pk is None:
        return []
    value = form.initial.get(name)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [getattr(item, "pk", item) for item in value]
    return [] if value is None else [value]


def _limit_field(
    field: "forms.ModelChoiceField[Any]",
    views: "StaffViewSet",
    request: HttpRequest,
    *,
    chosen: Sequence[Any],
) -> None:
    assert field.queryset is not None
    path = _path_to_owner(field.queryset.model)
    reach = views.changes(request.user)
    if not reach.everything:
        own = reach.limit(field.queryset, path) if path else field.queryset.none()
        field.queryset = field.queryset.filter(Q(pk__in=own.values("pk")) | Q(pk__in=chosen))
    if path == "pk" and field.initial is None:  # a form that asks for the organisation itself
        field.initial = visibility_of_request(request).home


def _limited_form(form_class: type[Any], views: "StaffViewSet", request: HttpRequest) -> type[Any]:
    class Limited(form_class):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            limit_choices(self, views, request)

    return Limited


def _path_to_owner(model: type[Model]) -> str | None:
    """The way from a model to its organisation, or None: then nobody may choose its rows."""
    if model._meta.label == "store.Organisation":
        return "pk"
    if model in OWNER_PATHS:
        return OWNER_PATHS[model]
    for path in _USUAL_PATHS:
        try:
            target = model._meta.get_field(path).related_model
        except FieldDoesNotExist:
            continue
        if isinstance(target, type) and target._meta.label == "store.Organisation":
            return path
    return None


class Limited:
    """What all our views know: their view set, which says what this person reaches."""

    views: Any = None
    request: HttpRequest

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """The way to a page of our own goes over its list, and ends with what the page is called: Wagtail's
        has only the start, and its last step is the heading that people see."""
        view: Any = super()
        items: list[dict[str, Any]] = view.get_breadcrumbs_items()
        if len(items) != 1 or not hasattr(self, "get_page_title"):
            return items
        listed = {"url": reverse(self.views.get_url_name("index")), "label": self.views.menu_label}
        return [*items, listed, {"url": "", "label": self.get_page_title()}]

    def audit(self, action: str, instance: Model, changes: Mapping[str, Any]) -> None:
        record(
            visibility_of_request(self.request),
            action,
            instance._meta.label_lower,
            instance.pk,
            told_of(type(instance), changes),
            organisation=organisation_of(instance, self.views.owner_path),
        )


def told_of(model: type[Model], changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the trail, which is kept, may tell: of people only which fields were changed."""
    return dict.fromkeys(changes, "***") if _is_about_people(model) else changes


def _is_about_people(model: type[Model]) -> bool:
    return model is User or model in personal_tables()


def organisation_of(instance: Model, owner_path: str) -> int | None:
    """The id at the end of `owner_path`; None where it branches or ends."""
    if owner_path == "pk":
        return int(instance.pk)
    found = type(instance)._default_manager.filter(pk=instance.pk)
    owners = list(found.values_list(owner_path, flat=True)[:2])
    return owners[0] if len(owners) == 1 else None


class StaffIndexView(Limited, generic.IndexView):
    def get_base_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.views.rows(self.request.user)
        return rows

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Every word in one of the fields, in whichever language it is written there."""
        if not self.is_searching:
            return queryset
        return queryset.filter(has_words(self.search_query, self.search_fields or ()))

    @cached_property
    def no_results_message(self) -> str:
        """Wagtail's sentence puts the model's name where German would decline it."""
        if self.is_searching or self.is_filtering:
            return _("Nothing fits. Change what you look for, or the filters.")
        return _("Nothing is here yet.")

    def _get_custom_column(self, field_name: str, *args: Any, **kwargs: Any) -> Any:
        """Wagtail names a column after its attribute; a view set may know a better word."""
        column = super()._get_custom_column(field_name, *args, **kwargs)
        column.label = self.views.labels.get(field_name, column.label)
        return column

    @cached_property
    def filters(self) -> Any:
        filters = super().filters
        if filters:
            limit_filters(filters, self.views, self.request)
        return filters


def has_words(words: str, fields: Iterable[str]) -> Q:
    """That each word stands in one of the fields: as it is, or as a quantity of that name is called elsewhere."""
    found = Q()
    for word in words.split():
        holds = Q()
        for written, field in product(_written(word), fields):
            holds |= Q(**{f"{field}__icontains": written})
        found &= holds
    return found


def _written(word: str) -> Iterable[str]:
    """SQLite takes a small letter for its capital one only where it is plain: not ü for Ü."""
    for each in spellings(word):
        yield from {each, each.capitalize(), each.upper()} if not each.isascii() else {each}


def limit_filters(filters: Any, views: "StaffViewSet", request: HttpRequest) -> None:
    """The choices of a list's filters must not name what the list may not show."""
    reach = views.sees(request.user)
    for name, field in filters.form.fields.items():
        if name in views.open_choices or reach.everything:
            continue
        if isinstance(field, forms.ModelChoiceField):
            assert field.queryset is not None
            path = _path_to_owner(field.queryset.model)
            rows = field.queryset
            field.queryset = reach.limit(rows, path) if path else rows.none()


class SavesOwn(Limited):
    """A form whose choices are cut, and whose result must still belong to its editor."""

    verb = "update"
    form: Any

    def get_form(self, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(*args, **kwargs)  # type: ignore[misc]  # the Wagtail view's
        for (
            field
        ) in form.fields.values():  # Wagtail shows none, and without it all would be changed
            field.show_hidden_initial = False
        return limit_choices(form, self.views, self.request)

    def save_instance(self) -> Any:
        """Runs inside Wagtail's transaction, so that a refusal takes the saving back."""
        instance = super().save_instance()  # type: ignore[misc]  # the Wagtail view's
        if not self.views.rows(self.request.user, changing=True).filter(pk=instance.pk).exists():
            raise PermissionDenied
        self.audit(self.verb, instance, changes_of(self.form))
        return instance


def changes_of(form: Any) -> dict[str, Any]:
    """The new values of changed fields; of inline forms, those with changes as a list."""
    changes = {name: form.cleaned_data.get(name) for name in form.changed_data}
    for name, formset in getattr(form, "formsets", {}).items():
        changed = [changes_of(inner) for inner in formset.forms if inner.has_changed()]
        if changed:
            changes[name] = changed
    return changes


class StaffCreateView(SavesOwn, generic.CreateView):
    verb = "create"


class StaffCopyView(SavesOwn, generic.CopyView):
    """Shows the form filled from a row. Sending it goes to the create view, never here: Wagtail's
    copy view would save over the original."""

    verb = "create"
    http_method_names = ["get", "head", "options"]


class StaffEditView(SavesOwn, generic.EditView):
    pass


class StaffDeleteView(Limited, generic.DeleteView):
    def delete_action(self) -> None:
        organisation = organisation_of(self.object, self.views.owner_path)
        key, label, name = self.object.pk, self.object._meta.label_lower, str(self.object)
        history = ModelLogEntry.objects.for_instance(self.object)
        super().delete_action()
        if _is_about_people(type(self.object)):
            history.delete()  # Wagtail's history would keep the name
        record(
            visibility_of_request(self.request),
            "delete",
            label,
            key,
            told_of(type(self.object), {"name": name}),
            organisation=organisation,
        )

    def form_valid(self, form: forms.Form) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)
        except ProtectedError:
            return self._explain()
        return response

    def _explain(self) -> HttpResponse:
        messages.error(self.request, _("This cannot be deleted: other records need it."))
        return redirect(self.get_success_url())


class StaffInspectView(Limited, generic.InspectView):
    def get_page_subtitle(self) -> str:
        return str(self.views.title_of(self.object))

    def get_field_label(self, field_name: str, field: Any) -> str:
        given = self.views.labels.get(field_name)
        return str(given or super().get_field_label(field_name, field))

    def get_field_display_value(self, field_name: str, field: Any) -> Any:
        if field_name in self.views.shown:
            value = self.views.shown[field_name](self.object)
        elif isinstance(moment := getattr(self.object, field_name, None), datetime):
            value = _local(moment)
        else:
            value = super().get_field_display_value(field_name, field)
        if field_name in self.views.moments:
            value = local_time(value)
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        return "–" if value in (None, "") else value


def local_time(us: int | None) -> str:
    """Microseconds as people of this city read a time; empty for None."""
    if us is None:
        return ""
    return date_format(localtime(from_us(us)), "SHORT_DATETIME_FORMAT")


def moment_column(name: str, label: Any) -> Column:
    """A sortable list column for a field that holds microseconds."""
    return Column(
        name, label=label, sort_key=name, accessor=lambda row: local_time(getattr(row, name))
    )


def date_column(name: str, label: Any) -> Column:
    """The same for a field that holds a date and time. Wagtail's own tells the age ("3 minutes"),
    which in a trail of changes is of no use."""
    return Column(name, label=label, sort_key=name, accessor=lambda row: _local(getattr(row, name)))


def _local(moment: datetime | None) -> str:
    return "" if moment is None else date_format(localtime(moment), "SHORT_DATETIME_FORMAT")


class StaffHistoryView(HistoryView):
    """Whoever sees a row sees its history; the button to edit only with the right to."""

    any_permission_required = ["add", "change", "delete", "view"]

    def get_edit_url(self, instance: Model) -> str | None:
        if not self.user_has_permission_for_instance("change", instance):
            return None
        url: str | None = super().get_edit_url(instance)
        return url

    @cached_property
    def header_buttons(self) -> list[Any]:
        return super().header_buttons if self.get_edit_url(self.object) else []


class StaffReorderView(Limited, generic.ReorderView):
    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.views.rows(self.request.user, changing=True)
        return rows.order_by(self.sort_order_field)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post(request, *args, **kwargs)
        moved = self.get_queryset().get(pk=kwargs["pk"])
        self.audit("reorder", moved, {self.sort_order_field: getattr(moved, self.sort_order_field)})
        return response
