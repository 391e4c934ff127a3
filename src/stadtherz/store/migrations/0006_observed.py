"""Results of several parts, and datastreams that observe several properties."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0005_areas"),
    ]

    operations = [
        migrations.AddField(
            model_name="datastream",
            name="data_types",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="datastream",
            name="result_encoding",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="datastream",
            name="units",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="Observed",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("place", models.SmallIntegerField()),
                (
                    "datastream",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="observed",
                        db_index=False,
                        to="store.datastream",
                    ),
                ),
                (
                    "observed_property",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="store.observedproperty",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("datastream", "place"), name="observed_place")
                ],
            },
        ),
        migrations.RunSQL(
            "INSERT INTO store_observed (datastream_id, observed_property_id, place) "
            "SELECT id, observed_property_id, 0 FROM store_datastream",
            migrations.RunSQL.noop,
        ),
    ]
