from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mirror', '0008_failed'),
    ]

    operations = [
        migrations.AddField(model_name='object', name='number', field=models.TextField(null=True)),
    ]
