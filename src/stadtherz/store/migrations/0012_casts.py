"""What `cast` is made of are functions of filters, too."""

from django.db import migrations

from stadtherz.sql.public import install_functions


def install(apps, schema_editor):
    install_functions(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0011_zones"),
    ]

    operations = [
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
