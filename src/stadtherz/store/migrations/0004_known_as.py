"""By what others know entities."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0003_compact"),
    ]

    operations = [
        migrations.AddField(
            model_name="datastream",
            name="known_as",
            field=models.TextField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="featureofinterest",
            name="known_as",
            field=models.TextField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="location",
            name="known_as",
            field=models.TextField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="observedproperty",
            name="known_as",
            field=models.TextField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="sensor",
            name="known_as",
            field=models.TextField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="thing",
            name="known_as",
            field=models.TextField(blank=True, editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="datastream",
            index=models.Index(fields=["known_as"], name="datastream_known"),
        ),
        migrations.AddIndex(
            model_name="featureofinterest",
            index=models.Index(fields=["known_as"], name="featureofinterest_known"),
        ),
        migrations.AddIndex(
            model_name="location",
            index=models.Index(fields=["known_as"], name="location_known"),
        ),
        migrations.AddIndex(
            model_name="observedproperty",
            index=models.Index(fields=["known_as"], name="observedproperty_known"),
        ),
        migrations.AddIndex(
            model_name="sensor",
            index=models.Index(fields=["known_as"], name="sensor_known"),
        ),
        migrations.AddIndex(
            model_name="thing",
            index=models.Index(fields=["known_as"], name="thing_known"),
        ),
        migrations.AddConstraint(
            model_name="datastream",
            constraint=models.UniqueConstraint(
                condition=models.Q(("known_as__isnull", False)),
                fields=("known_as", "owner"),
                name="datastream_known_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="featureofinterest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("known_as__isnull", False)),
                fields=("known_as", "owner"),
                name="featureofinterest_known_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="location",
            constraint=models.UniqueConstraint(
                condition=models.Q(("known_as__isnull", False)),
                fields=("known_as", "owner"),
                name="location_known_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="observedproperty",
            constraint=models.UniqueConstraint(
                condition=models.Q(("known_as__isnull", False)),
                fields=("known_as", "owner"),
                name="observedproperty_known_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="sensor",
            constraint=models.UniqueConstraint(
                condition=models.Q(("known_as__isnull", False)),
                fields=("known_as", "owner"),
                name="sensor_known_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="thing",
            constraint=models.UniqueConstraint(
                condition=models.Q(("known_as__isnull", False)),
                fields=("known_as", "owner"),
                name="thing_known_once",
            ),
        ),
    ]
