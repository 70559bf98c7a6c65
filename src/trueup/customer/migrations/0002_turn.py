from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customer', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Turn',
            fields=[
                ('customer_id', models.TextField(primary_key=True, serialize=False)),
                ('account_id', models.BigIntegerField()),
                ('livemode', models.BooleanField()),
                ('stripe_customer_id', models.TextField()),
                ('at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['at'], name='customer_turn_at')],
            },
        ),
    ]
