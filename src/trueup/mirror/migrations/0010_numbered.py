from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Built beside whoever writes; an index that was left half built by a break is dropped by hand first.
    atomic = False

    dependencies = [
        ('mirror', '0009_number'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='object',
            index=models.Index(condition=models.Q(('number__isnull', False)), fields=['number', 'account_id', 'livemode', 'object_id'], name='mirror_object_number'),
        ),
    ]
