"""The back office limited to the staff member's organisations: subclass `StaffViewSet`.

    class GaugeViewSet(StaffViewSet):
        model = Gauge
        owner_path = "datastream__owner"
        list_display = ["name", "place"]
        form_fields = ["name", "datastream"]

Wagtail's generic views find objects in half a dozen ways. So the limit does not stand in each of
them but around all: no view with a key in its address starts before `_gate` has looked whether
this person may see (or change) that object, and every list and choice is cut by the same rule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from types import MappingProxyType
from typing import Any

from django.contrib.admin.utils import unquote
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.functional import cached_property
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.permission_policies.base import BasePermissionPolicy

from stadtherz.base.visibility import Visibility
from stadtherz.identity.public import visibility_of_user
from stadtherz.web.staff import views as staff_views
from stadtherz.web.staff.views import StaffIndexView

CHANGES = frozenset({"add", "change", "delete"})
View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Reach:
    """The organisations somebody reaches with one kind of action."""

    organisations: frozenset[int] = frozenset()
    everything: bool = False

    def __bool__(self) -> bool:
        return self.everything or bool(self.organisations)

    def limit(self, rows: QuerySet[Any], owner_path: str) -> QuerySet[Any]:
        """The rows whose owner is reached; a row without owner is nobody's."""
        if self.everything:
            return rows
        if owner_path == "pk":  # the organisations themselves
            return rows.filter(pk__in=self.organisations)
        own = rows.model._default_manager.filter(**{f"{owner_path}__in": self.organisations})
        return rows.filter(pk__in=own.values("pk"))  # a join could list a row twice


def visibility(user: Any) -> Visibility:
    """The user's visibility, asked once per request: the user object lives as long as that."""
    if isinstance(user, AnonymousUser):
        return visibility_of_user(user)
    known: Visibility | None = user.__dict__.get("_visibility")
    if known is None:
        known = user.__dict__["_visibility"] = visibility_of_user(user)
    return known


def reads(user: Any) -> Reach:
    seen = visibility(user)
    return Reach(seen.organisations, seen.everything)


def writes(user: Any) -> Reach:
    seen = visibility(user)
    return Reach(seen.writes, seen.everything)


class OrganisationPolicy(BasePermissionPolicy):
    """Answers Wagtail's questions from the view set's `sees` and `changes`."""

    def __init__(self, views: "StaffViewSet") -> None:
        super().__init__(views.model)
        self.views = views

    def user_has_permission(self, user: Any, action: str) -> bool:
        if action == "view":
            return bool(self.views.sees(user))
        return action in self.views.allowed and bool(self.views.changes(user))

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Model) -> bool:
        if not self.user_has_permission(user, action):
            return False
        rows = self.views.rows(user, changing=action != "view")
        return rows.filter(pk=instance.pk).exists()


class StaffViewSet(ModelViewSet):
    """Lists, shows and edits the rows of `model` that belong to the staff member's organisations.

    `owner_path` is the way from the model to its organisation in Django's lookup syntax.
    `allowed` are the changes this view set offers at all; `open_choices` names foreign keys of the
    form whose target belongs to no organisation (all others are limited to own rows or empty).
    `moments` names fields that hold microseconds, so that a row's page shows them as times;
    `labels` names attributes in lists and inspect views that are no fields of the model.
    `shown` says in words what a row's page would show as the code that is stored.
    Viewers see, editors and above change; override `sees` and `changes` for other rules.
    Every change is recorded in the audit trail.
    """

    owner_path = "owner"
    allowed: frozenset[str] = CHANGES
    open_choices: Sequence[str] = ()
    moments: Sequence[str] = ()
    labels: Mapping[str, Any] = MappingProxyType({})
    shown: Mapping[str, Callable[[Any], Any]] = MappingProxyType({})
    form_fields: Sequence[str] = ()
    icon = "list-ul"
    inspect_view_enabled = True
    copy_view_enabled = False
    # Wagtail would look for references in every row that anybody saves, measurements' places included,
    # and write each down once more; the foreign keys themselves protect what others need.
    add_to_reference_index = False

    index_view_class = StaffIndexView
    add_view_class = staff_views.StaffCreateView
    edit_view_class = staff_views.StaffEditView
    delete_view_class = staff_views.StaffDeleteView
    copy_view_class = staff_views.StaffCopyView
    inspect_view_class = staff_views.StaffInspectView
    history_view_class = staff_views.StaffHistoryView
    reorder_view_class = staff_views.StaffReorderView

    def sees(self, user: Any) -> Reach:
        return reads(user)

    def changes(self, user: Any) -> Reach:
        return writes(user)

    def title_of(self, row: Any) -> str:
        """What a row is called above its page."""
        return str(row)

    def rows(self, user: Any, *, changing: bool = False) -> QuerySet[Any]:
        """What this person may see, or change, in this view set."""
        reach = self.changes(user) if changing else self.sees(user)
        return reach.limit(self.model._default_manager.all(), self.owner_path)

    @cached_property
    def permission_policy(self) -> OrganisationPolicy:
        return OrganisationPolicy(self)

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return {**common, "views": self, "usage_url_name": None}  # there is no index of references

    def construct_view(self, view_class: Any, **kwargs: Any) -> View:
        view: View = super().construct_view(view_class, **kwargs)
        return self._gate(view, changing=view_class.permission_required in CHANGES)

    def _gate(self, view: View, *, changing: bool) -> View:
        @wraps(view)
        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.sees(request.user):
                raise PermissionDenied
            if (key := kwargs.get("pk")) is not None:
                self._check_object(request.user, unquote(str(key)), changing=changing)
            return view(request, *args, **kwargs)

        return gated

    def _check_object(self, user: Any, key: str, *, changing: bool) -> None:
        """A foreign object does not exist here; one of their own may still be only for reading."""
        if not _holds(self.rows(user), key):
            raise Http404
        if changing and not _holds(self.rows(user, changing=True), key):
            raise PermissionDenied

    def on_register(self) -> None:
        super().on_register()
        staff_views.OWNER_PATHS[self.model] = self.owner_path

    def get_permissions_to_register(self) -> Any:
        """None: Django's permissions per model play no part, roles do."""
        return super().get_permissions_to_register().none()


def _holds(rows: QuerySet[Any], key: str) -> bool:
    try:
        return rows.filter(pk=key).exists()
    except (ValueError, OverflowError):
        return False


@dataclass(frozen=True, slots=True)
class Panel:
    """A line on the staff's start page: how many of something wait, and where."""

    title: Any
    count: Callable[[HttpRequest], int]
    url_name: str
    urgent: bool = False


_panels: list[Panel] = []


def panel(
    title: Any, count: Callable[[HttpRequest], int], url_name: str, *, urgent: bool = False
) -> None:
    """Put a figure on the staff's start page; `count` sees the request and limits itself.

    >>> panel(_("Refused uplinks"), lambda request: 0, "refuseduplink:index")
    """
    entry = Panel(title, count, url_name, urgent)
    if all(known.url_name != url_name for known in _panels):
        _panels.append(entry)


def panels() -> Sequence[Panel]:
    return tuple(_panels)
