"""From one row a reading to log, chunks and summaries; every reading comes along."""

from typing import Any

from django.db import migrations

from stadtherz.store.writing.old_rows import move_readings
from stadtherz.store.tables import create_tables, drop_tables


def move(apps: Any, schema_editor: Any) -> None:
    move_readings()
    for name in ("store_observation", "store_latest"):
        schema_editor.execute(f"DROP TABLE {name}")


class Migration(migrations.Migration):
    dependencies = [("store", "0002_readings")]

    operations = [
        migrations.RunPython(create_tables, drop_tables),
        # There is no way back: the old table gave ids of another kind.
        migrations.RunPython(move),
    ]
