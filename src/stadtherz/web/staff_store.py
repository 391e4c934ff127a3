"""Things and datastreams in the back office: their words and who may read them.

Everything else about them comes from SensorThings clients. Changes go through the store, like
theirs, so that the same rules hold and everybody who listens hears of them.
"""

from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import log

from stadtherz.ingest.public import DeviceField
from stadtherz.store import public as store
from stadtherz.web.staff import StaffViewSet
from stadtherz.web.staff_views import StaffEditView


def _target(model: type[Model], field: str) -> type[Model]:
    """The model a foreign key leads to: the store shows its own to nobody."""
    related = model._meta.get_field(field).related_model
    assert isinstance(related, type)
    return related


Datastream = _target(DeviceField, "datastream")
Thing = _target(Datastream, "thing")


class EntityEditView(StaffEditView):
    """Saves through the store, which also announces the change to the audit trail."""

    def save_instance(self) -> Any:
        changes = {name: self.form.cleaned_data[name] for name in self.form.changed_data}
        values = {name: getattr(value, "pk", value) for name, value in changes.items()}
        store.update(
            self.model.__name__,
            self.object.pk,
            values,
            self.request.visibility,  # type: ignore[attr-defined]  # our middleware
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


class ThingViewSet(EntityViewSet):
    model = Thing
    icon = "site"
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
