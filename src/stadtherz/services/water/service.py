"""What the water service is, in one place."""

from django.utils.translation import gettext_lazy as _

from stadtherz.base import vocabulary
from stadtherz.kit.declaration import AlertKind, Maturity, Service

SERVICE = Service(
    key="water",
    name=_("Water levels"),
    summary=_("Levels of streams, rivers and groundwater, with warnings"),
    prefix="pegel",
    icon="water",
    maturity=Maturity.OPERATION,
    observes=(vocabulary.WATER_LEVEL, vocabulary.GROUNDWATER_DEPTH),
    alerts=(AlertKind("water.step_reached", _("Warning step reached")),),
)
