"""Data sets in the back office: their words, their members, and whom they are shared with."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from stadtherz.store.public import Dataset
from stadtherz.web.staff.entities import EntityForm
from stadtherz.web.staff.viewsets import StaffViewSet

_SHARED_WITH = ("readers", "contributors", "reader_groups", "contributor_groups")


class DatasetViewSet(StaffViewSet):
    """Members are chosen among one's own; they may be shared with every organisation there is."""

    model = Dataset
    icon = "folder-inverse"
    menu_label = _("Data sets")
    open_choices = ("readers", "contributors")
    list_display = ["title", "slug", "access", "group", "owner"]
    list_filter = ["access", "owner"]
    search_fields = ["title", "slug", "description"]
    form_fields = [
        "title",
        "slug",
        "description",
        "licence",
        "owner",
        "access",
        "group",
        "things",
        "datastreams",
        *_SHARED_WITH,
    ]
    inspect_view_fields = form_fields

    def get_form_class(self, for_update: bool = False) -> Any:
        boxes: dict[str, Any] = dict.fromkeys(_SHARED_WITH, forms.CheckboxSelectMultiple)
        return forms.modelform_factory(
            self.model, form=EntityForm, fields=self.form_fields, widgets=boxes
        )
