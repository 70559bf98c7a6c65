from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Built beside whoever writes; an index that was left half built by a break is dropped by hand first.
    atomic = False

    dependencies = [
        ('mirror', '0006_money'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='object',
            index=models.Index(condition=models.Q(('due__isnull', False), ('object_type', 'subscription')), fields=['reason', 'due', 'object_id'], include=['account_id', 'livemode', 'currency', 'amount', 'status'], name='mirror_object_ahead'),
        ),
    ]
