from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('mirror', '0003_truth'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='changed',
            index=models.Index(condition=models.Q(('set_aside_at__isnull', False)), fields=['account_id', 'livemode', 'object_type', 'object_id'], name='mirror_changed_aside'),
        ),
    ]
