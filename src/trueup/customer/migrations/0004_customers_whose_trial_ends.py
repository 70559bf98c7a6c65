from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Built beside whoever writes; an index that was left half built by a break is dropped by hand first.
    atomic = False

    dependencies = [
        ('customer', '0003_lists'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='customer',
            index=models.Index(condition=models.Q(('stage', 'trialing'), ('trial_end__isnull', False)), fields=['trial_end', 'id'], name='customer_customer_trial'),
        ),
    ]
