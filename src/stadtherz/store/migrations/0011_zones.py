"""Times as the clocks of a zone show them are functions of filters, too."""

from django.db import migrations

from stadtherz.sql.public import install_functions


def install(apps, schema_editor):
    install_functions(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0010_plus"),
    ]

    operations = [
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
