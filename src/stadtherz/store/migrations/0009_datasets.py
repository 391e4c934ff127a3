"""Data sets, and which features of interest the readings of datastreams are of."""

from typing import Any

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


def note_features(apps: Any, schema_editor: Any) -> None:
    """Of readings that are there already; their chunks are gone through once."""
    from stadtherz.store.readings.areas import features_of
    from stadtherz.store.readings.sightings import note
    from stadtherz.store.readings.view import reading, streams_with_readings

    streams = streams_with_readings()
    with reading(sealed=True) as known:
        chunks = known.look_at_chunks()
        for stream in sorted(streams):
            unsealed = known.unsealed([stream])
            found = features_of(stream, chunks, unsealed, whatever=True)
            note((stream, feature) for feature in found or ())


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0008_features"),
    ]

    operations = [
        migrations.CreateModel(
            name="Dataset",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "access",
                    models.CharField(
                        choices=[
                            ("public", "Public"),
                            ("organisation", "Own organisation"),
                            ("group", "Named group"),
                        ],
                        default="public",
                        max_length=12,
                        verbose_name="access",
                    ),
                ),
                (
                    "slug",
                    models.CharField(
                        max_length=60,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[a-z0-9]+(?:[-_][a-z0-9]+)*\\Z",
                                "Small letters, digits and single hyphens.",
                            )
                        ],
                        verbose_name="short name in the address",
                    ),
                ),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                (
                    "licence",
                    models.CharField(
                        blank=True,
                        help_text="A name or an address, such as https://www.govdata.de/dl-de/by-2-0",
                        max_length=300,
                        verbose_name="licence",
                    ),
                ),
                (
                    "contributor_groups",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to="store.accessgroup",
                        verbose_name="groups that may read and add readings",
                    ),
                ),
                (
                    "contributors",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to="store.organisation",
                        verbose_name="organisations that may read and add readings",
                    ),
                ),
                (
                    "datastreams",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to="store.datastream",
                        verbose_name="single datastreams",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="store.accessgroup",
                        verbose_name="group",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="store.organisation",
                        verbose_name="organisation",
                    ),
                ),
                (
                    "reader_groups",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to="store.accessgroup",
                        verbose_name="groups that may read",
                    ),
                ),
                (
                    "readers",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to="store.organisation",
                        verbose_name="organisations that may read",
                    ),
                ),
                (
                    "things",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to="store.thing",
                        verbose_name="things with all their datastreams",
                    ),
                ),
            ],
            options={
                "verbose_name": "data set",
                "verbose_name_plural": "data sets",
                "ordering": ["title"],
            },
        ),
        migrations.CreateModel(
            name="ObservedAt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "datastream",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="store.datastream",
                    ),
                ),
                (
                    "feature",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="store.featureofinterest",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("datastream", "feature"), name="observed_at_once"
                    )
                ],
            },
        ),
        migrations.RunPython(note_features, migrations.RunPython.noop),
    ]
