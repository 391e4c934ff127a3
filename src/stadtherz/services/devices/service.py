"""What the devices service is, in one place."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from stadtherz.ingest.public import DeviceMessages
from stadtherz.kit.declaration import AlertKind, Job, Keep, Maturity, Service
from stadtherz.services.devices import jobs, wording

if TYPE_CHECKING:
    from django.db.models import Model


def _view_sets() -> Sequence[Any]:
    from stadtherz.services.devices import staff

    return staff.view_sets()


def _messages() -> "type[Model]":
    return DeviceMessages


SERVICE = Service(
    key="devices",
    name=_("Device health"),
    summary=_("Silent devices and batteries, and a message to those who look after them"),
    prefix="geraete",
    icon="sensor",
    maturity=Maturity.OPERATION,
    jobs=(Job("devices", every=timedelta(minutes=1), call=jobs.look_at_devices),),
    alerts=(
        AlertKind(wording.SILENT, _("Device or network silent")),
        AlertKind(wording.BATTERY, _("Battery soon empty")),
    ),
    retention=(
        Keep(
            _messages,
            months=1,
            why=_(
                "Messages as they came help to find a fault; STADTHERZ_MESSAGE_DAYS keeps them for days only."
            ),
            by="last_at",
        ),
    ),
    staff=_view_sets,
)
