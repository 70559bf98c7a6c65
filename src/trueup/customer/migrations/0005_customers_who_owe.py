from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Built beside whoever writes; an index that was left half built by a break is dropped by hand first.
    atomic = False

    dependencies = [
        ('customer', '0004_customers_whose_trial_ends'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='customer',
            index=models.Index(condition=models.Q(('billing_status__in', ('past_due', 'unpaid', 'incomplete', 'incomplete_expired', 'paused'))), fields=['billing_status'], name='customer_customer_owing'),
        ),
    ]
