from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Built beside whoever writes; an index that was left half built by a break is dropped by hand first.
    atomic = False

    dependencies = [
        ('mirror', '0005_amounts'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='object',
            index=models.Index(condition=models.Q(('made__isnull', False)), fields=['object_type', 'status', 'made', 'object_id'], include=['account_id', 'livemode', 'currency', 'amount', 'reason', 'due'], name='mirror_object_money'),
        ),
    ]
