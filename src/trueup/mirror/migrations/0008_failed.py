from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Built beside whoever writes; an index that was left half built by a break is dropped by hand first.
    atomic = False

    dependencies = [
        ('mirror', '0007_ahead'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='version',
            index=models.Index(condition=models.Q(('event_type', 'invoice.payment_failed')), fields=['created', 'account_id', 'livemode', 'object_id'], name='mirror_version_failed'),
        ),
    ]
