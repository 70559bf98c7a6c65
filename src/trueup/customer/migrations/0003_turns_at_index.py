from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('customer', '0002_turns_at'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='customer',
            index=models.Index(condition=models.Q(('turns_at__isnull', False)), fields=['turns_at'], name='customer_customer_turns'),
        ),
    ]
