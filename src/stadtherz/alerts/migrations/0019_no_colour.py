# Nobody could choose a colour of a step any more: its severity has one. The steps stay as they are.

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0018_lease'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='rulestep',
            name='colour',
        ),
    ]
