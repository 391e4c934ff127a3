"""Definitions of everything, kinds of features, and features that Datastreams are about."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', "0007_tasking"),
    ]

    operations = [
        migrations.AddField(
            model_name='datastream',
            name='definition',
            field=models.CharField(blank=True, max_length=500, null=True, verbose_name='definition'),
        ),
        migrations.AddField(
            model_name='datastream',
            name='proximate_feature',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.featureofinterest'),
        ),
        migrations.AddField(
            model_name='datastream',
            name='ultimate_features',
            field=models.ManyToManyField(blank=True, related_name='+', to='store.featureofinterest'),
        ),
        migrations.AddField(
            model_name='featureofinterest',
            name='definition',
            field=models.CharField(blank=True, max_length=500, null=True, verbose_name='definition'),
        ),
        migrations.AddField(
            model_name='location',
            name='definition',
            field=models.CharField(blank=True, max_length=500, null=True, verbose_name='definition'),
        ),
        migrations.AddField(
            model_name='sensor',
            name='definition',
            field=models.CharField(blank=True, max_length=500, null=True, verbose_name='definition'),
        ),
        migrations.AddField(
            model_name='thing',
            name='definition',
            field=models.CharField(blank=True, max_length=500, null=True, verbose_name='definition'),
        ),
        migrations.CreateModel(
            name='FeatureType',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('access', models.CharField(choices=[('public', 'Public'), ('organisation', 'Own organisation'), ('group', 'Named group')], default='public', max_length=12, verbose_name='access')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('properties', models.JSONField(blank=True, null=True, verbose_name='properties')),
                ('known_as', models.TextField(blank=True, editable=False, null=True)),
                ('definition', models.CharField(blank=True, max_length=500, null=True, verbose_name='definition')),
                ('group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='store.accessgroup', verbose_name='group')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='store.organisation', verbose_name='organisation')),
            ],
            options={
                'verbose_name': 'feature type',
                'verbose_name_plural': 'feature types',
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='featureofinterest',
            name='feature_types',
            field=models.ManyToManyField(blank=True, related_name='+', to='store.featuretype'),
        ),
        migrations.AddIndex(
            model_name='featuretype',
            index=models.Index(fields=['known_as'], name='featuretype_known'),
        ),
        migrations.AddConstraint(
            model_name='featuretype',
            constraint=models.UniqueConstraint(condition=models.Q(('known_as__isnull', False)), fields=('known_as', 'owner'), name='featuretype_known_once'),
        ),
    ]
