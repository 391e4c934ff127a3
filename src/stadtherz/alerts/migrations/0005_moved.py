"""What has been moved goes; what was filled is kept unique."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0004_move")]
    operations = [
        migrations.RemoveConstraint(
            model_name='contact',
            name='alerts_contact_once',
        ),
        migrations.RemoveField(
            model_name='contact',
            name='email',
        ),
        migrations.AddConstraint(
            model_name='alertevent',
            constraint=models.UniqueConstraint(fields=('alert', 'cause'), name='alerts_event_per_cause'),
        ),
    ]
