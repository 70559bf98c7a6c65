from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Built beside whoever writes; an index that was left half built by a break is dropped by hand first.
    atomic = False

    dependencies = [
        ('customer', '0005_customers_who_owe'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='trait',
            index=models.Index(condition=models.Q(('kind', 'crm')), fields=['value'], name='customer_trait_crm'),
        ),
    ]
