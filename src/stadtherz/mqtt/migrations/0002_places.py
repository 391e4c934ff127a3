"""What was announced before keeps its order: sessions that are kept know it by its ids."""

from django.db import migrations, models


def keep_order(apps, schema_editor):
    apps.get_model("mqtt", "Announcement").objects.update(place=models.F("id"))


class Migration(migrations.Migration):
    dependencies = [
        ("mqtt", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="announcement",
            name="place",
            field=models.BigIntegerField(null=True, unique=True),
        ),
        migrations.RunPython(keep_order, migrations.RunPython.noop),
    ]
