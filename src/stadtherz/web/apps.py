"""Django's entry: says how long what somebody has begun is kept, and which packages stay away."""

from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from stadtherz.web import spared

if TYPE_CHECKING:
    from stadtherz.ingest.public import DeviceList, Draft


spared.load()  # this app comes first, so nothing that looks for others is loaded by now


class WebConfig(AppConfig):
    name = "stadtherz.web"

    def ready(self) -> None:
        from stadtherz.kit.declaration import Keep
        from stadtherz.kit.public import also_keep

        why = _("So that nobody loses what they have begun.")
        also_keep(
            Keep(_drafts, months=1, why=why, by="updated"),
            Keep(_lists, months=1, why=why, by="updated"),
        )


def _drafts() -> "type[Draft]":
    from stadtherz.ingest.public import Draft

    return Draft


def _lists() -> "type[DeviceList]":
    from stadtherz.ingest.public import DeviceList

    return DeviceList
