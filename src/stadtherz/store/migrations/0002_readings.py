"""The tables of readings, which have no model, and the functions that filters use."""

from typing import Any

from django.db import migrations

from stadtherz.sql.public import install_functions
from stadtherz.store.tables import create_tables, drop_tables


def create_functions(apps: Any, schema_editor: Any) -> None:
    install_functions(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]

    operations = [
        migrations.RunPython(create_tables, drop_tables),
        migrations.RunPython(create_functions, migrations.RunPython.noop),
    ]
