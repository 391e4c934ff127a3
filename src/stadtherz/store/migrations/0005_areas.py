"""The areas that datastreams have observed so far."""

from typing import Any

from django.db import migrations


def observe(apps: Any, schema_editor: Any) -> None:
    from stadtherz.store.readings.areas import renew
    from stadtherz.store.readings.view import reading, streams_with_readings

    streams = streams_with_readings()
    with reading(sealed=True) as known:
        renew(streams, known.look_at_chunks(), known.unsealed(streams))


class Migration(migrations.Migration):
    dependencies = [("store", "0004_known_as")]

    operations = [migrations.RunPython(observe, migrations.RunPython.noop)]
