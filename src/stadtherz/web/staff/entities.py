"""Things and datastreams in the back office: their words and who may read them.

Everything else about them comes from SensorThings clients. Changes go through the store, like
theirs, so that the same rules hold and everybody who listens hears of them.
"""

from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import log

from stadtherz.base.errors import Invalid
from stadtherz.base.visibility import AccessLevel
from stadtherz.identity.public import visibility_of_request
from stadtherz.ingest.public import DeviceField
from stadtherz.kit.public import in_words
from stadtherz.store import public as store
from stadtherz.web.staff.views import StaffEditView
from stadtherz.web.staff.viewsets import StaffViewSet


def _target(model: type[Model], field: str) -> type[Model]:
    """The model a foreign key leads to: the store shows its own to nobody."""
    related = model._meta.get_field(field).related_model
    assert isinstance(related, type)
    return related


Datastream = _target(DeviceField, "datastream")
Thing = _target(Datastream, "thing")


class EntityForm(forms.ModelForm):
    """What staff may say about an entity: its words, and who reads it."""

    def clean(self) -> dict[str, Any]:
        super().clean()  # looks also whether what must be unique is
        data = self.cleaned_data
        named = data.get("access") == AccessLevel.GROUP
        if named and not data.get("group") and "group" not in self.errors:
            self.add_error("group", _("Choose the group that may read this."))
        if not named:
            data["group"] = None
        return data


class EntityEditView(StaffEditView):
    """Saves through the store, which also announces the change to the audit trail."""

    def form_valid(self, form: forms.Form) -> HttpResponse:
        """What the store refuses stands at its field, like any other mistake."""
        try:
            response: HttpResponse = super().form_valid(form)
        except Invalid as mistake:
            field = mistake.field if mistake.field in form.fields else None
            form.add_error(field, mistake.reason)
            self.produced_error_message = self.get_error_message()
            invalid: HttpResponse = self.form_invalid(form)
            return invalid
        return response

    def save_instance(self) -> Any:
        given = self.form.cleaned_data
        changes = {name: given[name] for name in self.form.changed_data}
        if "access" in changes:
            changes["group"] = given["group"]  # the store checks the two together
        values = {name: getattr(value, "pk", value) for name, value in changes.items()}
        store.update(
            self.model.__name__,
            self.object.pk,
            values,
            visibility_of_request(self.request),
        )
        log(instance=self.object, action="wagtail.edit", content_changed=bool(values))
        return self.model._default_manager.get(pk=self.object.pk)


class EntityViewSet(StaffViewSet):
    allowed = frozenset({"change"})
    edit_view_class = EntityEditView
    list_display = ["name", "access", "group", "owner"]
    list_filter = ["access", "owner"]
    search_fields = ["name", "description"]
    form_fields = ["name", "description", "access", "group"]
    inspect_view_fields = ["name", "description", "owner", "access", "group"]

    def get_form_class(self, for_update: bool = False) -> Any:
        return forms.modelform_factory(self.model, form=EntityForm, fields=self.form_fields)


class ThingViewSet(EntityViewSet):
    model = Thing
    icon = "sh-place"
    menu_label = _("Things")


class DatastreamViewSet(EntityViewSet):
    model = Datastream
    icon = "list-ol"
    menu_label = _("Datastreams")
    list_display = ["name", "thing", "access", "group", "owner"]
    inspect_view_fields = [
        "name",
        "description",
        "thing",
        "sensor",
        "observed_property",
        "owner",
        "access",
        "group",
    ]
    shown = {"observed_property": lambda row: in_words(str(row.observed_property))}
