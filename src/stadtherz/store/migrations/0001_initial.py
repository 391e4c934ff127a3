"""The tables of entities, organisations and cursors."""


import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AccessGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
            ],
            options={
                'verbose_name': 'access group',
                'verbose_name_plural': 'access groups',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Cursor',
            fields=[
                ('consumer', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('position', models.BigIntegerField()),
                ('moved_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'cursor',
            },
        ),
        migrations.CreateModel(
            name='Organisation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(unique=True, verbose_name='short name')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='contact e-mail')),
            ],
            options={
                'verbose_name': 'organisation',
                'verbose_name_plural': 'organisations',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Location',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('access', models.CharField(choices=[('public', 'Public'), ('organisation', 'Own organisation'), ('group', 'Named group')], default='public', max_length=12, verbose_name='access')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('properties', models.JSONField(blank=True, null=True, verbose_name='properties')),
                ('encoding_type', models.CharField(default='application/geo+json', max_length=100)),
                ('location', models.JSONField()),
                ('group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.accessgroup', verbose_name='group')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='store.organisation', verbose_name='organisation')),
            ],
            options={
                'verbose_name': 'location',
                'verbose_name_plural': 'locations',
            },
        ),
        migrations.CreateModel(
            name='ObservedProperty',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('access', models.CharField(choices=[('public', 'Public'), ('organisation', 'Own organisation'), ('group', 'Named group')], default='public', max_length=12, verbose_name='access')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('properties', models.JSONField(blank=True, null=True, verbose_name='properties')),
                ('definition', models.CharField(max_length=500, verbose_name='definition')),
                ('group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.accessgroup', verbose_name='group')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='store.organisation', verbose_name='organisation')),
            ],
            options={
                'verbose_name': 'observed property',
                'verbose_name_plural': 'observed properties',
            },
        ),
        migrations.CreateModel(
            name='FeatureOfInterest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('access', models.CharField(choices=[('public', 'Public'), ('organisation', 'Own organisation'), ('group', 'Named group')], default='public', max_length=12, verbose_name='access')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('properties', models.JSONField(blank=True, null=True, verbose_name='properties')),
                ('encoding_type', models.CharField(default='application/geo+json', max_length=100)),
                ('feature', models.JSONField()),
                ('group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.accessgroup', verbose_name='group')),
                ('generated_from', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.location')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='store.organisation', verbose_name='organisation')),
            ],
            options={
                'verbose_name': 'feature of interest',
                'verbose_name_plural': 'features of interest',
            },
        ),
        migrations.AddField(
            model_name='accessgroup',
            name='organisation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.organisation', verbose_name='organisation'),
        ),
        migrations.CreateModel(
            name='Sensor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('access', models.CharField(choices=[('public', 'Public'), ('organisation', 'Own organisation'), ('group', 'Named group')], default='public', max_length=12, verbose_name='access')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('properties', models.JSONField(blank=True, null=True, verbose_name='properties')),
                ('encoding_type', models.CharField(default='application/pdf', max_length=100)),
                ('metadata', models.JSONField()),
                ('group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.accessgroup', verbose_name='group')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='store.organisation', verbose_name='organisation')),
            ],
            options={
                'verbose_name': 'sensor',
                'verbose_name_plural': 'sensors',
            },
        ),
        migrations.CreateModel(
            name='Thing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('access', models.CharField(choices=[('public', 'Public'), ('organisation', 'Own organisation'), ('group', 'Named group')], default='public', max_length=12, verbose_name='access')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('properties', models.JSONField(blank=True, null=True, verbose_name='properties')),
                ('group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.accessgroup', verbose_name='group')),
                ('locations', models.ManyToManyField(blank=True, related_name='+', to='store.location')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='store.organisation', verbose_name='organisation')),
            ],
            options={
                'verbose_name': 'thing',
                'verbose_name_plural': 'things',
            },
        ),
        migrations.CreateModel(
            name='Datastream',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('access', models.CharField(choices=[('public', 'Public'), ('organisation', 'Own organisation'), ('group', 'Named group')], default='public', max_length=12, verbose_name='access')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('properties', models.JSONField(blank=True, null=True, verbose_name='properties')),
                ('observation_type', models.CharField(default='http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement', max_length=200)),
                ('unit_of_measurement', models.JSONField()),
                ('observed_area', models.JSONField(blank=True, null=True)),
                ('group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.accessgroup', verbose_name='group')),
                ('observed_property', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.observedproperty', verbose_name='observed property')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='store.organisation', verbose_name='organisation')),
                ('sensor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.sensor', verbose_name='sensor')),
                ('thing', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.thing', verbose_name='thing')),
            ],
            options={
                'verbose_name': 'datastream',
                'verbose_name_plural': 'datastreams',
            },
        ),
        migrations.CreateModel(
            name='HistoricalLocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('time', models.BigIntegerField()),
                ('locations', models.ManyToManyField(blank=True, related_name='+', to='store.location')),
                ('thing', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.thing')),
            ],
            options={
                'indexes': [models.Index(fields=['thing', 'time'], name='store_historical_thing_time')],
            },
        ),
    ]
