"""Alerts get the organisation of their datastream."""

from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    alert = apps.get_model("alerts", "Alert")
    datastream = apps.get_model("store", "Datastream")
    owner = datastream.objects.filter(pk=OuterRef("datastream")).values("owner")[:1]
    alert.objects.filter(owner=None).update(owner=Subquery(owner))


class Migration(migrations.Migration):
    dependencies = [("alerts", "0006_people")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
