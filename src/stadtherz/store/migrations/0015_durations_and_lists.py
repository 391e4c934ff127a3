"""Filters calculate with durations, cut quotients of whole numbers and look into lists."""

from django.db import migrations

from stadtherz.sql.public import install_functions


def install(apps, schema_editor):
    install_functions(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0014_task_properties"),
    ]

    operations = [
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
