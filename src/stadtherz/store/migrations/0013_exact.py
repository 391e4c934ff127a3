"""Whole numbers in JSON are compared exactly, which doubles cannot."""

from django.db import migrations

from stadtherz.sql.public import install_functions


def install(apps, schema_editor):
    install_functions(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0012_casts"),
    ]

    operations = [
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
