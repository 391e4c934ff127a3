"""Each contact's e-mail address becomes its first address, and events get the name of their cause."""

from typing import Any

from django.db import migrations
from django.db.models import F, OuterRef, Subquery, TextField, Value
from django.db.models.functions import Cast, Concat

_URGENCY = {"info": 1, "warning": 2, "danger": 3}


def move(apps: Any, _editor: Any) -> None:
    contact, address = apps.get_model("alerts", "Contact"), apps.get_model("alerts", "Address")
    address.objects.bulk_create(
        address(contact_id=pk, channel="email", address=email)
        for pk, email in contact.objects.values_list("pk", "email")
    )
    event, delivery = apps.get_model("alerts", "AlertEvent"), apps.get_model("alerts", "Delivery")
    event.objects.update(cause=Concat(Value("observation:"), Cast(F("observation"), TextField())))
    first = address.objects.filter(contact=OuterRef("contact")).values("pk")[:1]
    delivery.objects.update(address=Subquery(first), owed_at=F("changed_at"))
    for severity, urgency in _URGENCY.items():
        delivery.objects.filter(event__severity=severity).update(urgency=urgency)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0003_reach")]
    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
