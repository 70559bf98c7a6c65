from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mirror', '0004_aside'),
    ]

    operations = [
        migrations.AddField(model_name='object', name='status', field=models.TextField(null=True)),
        migrations.AddField(model_name='object', name='currency', field=models.TextField(null=True)),
        migrations.AddField(model_name='object', name='amount', field=models.BigIntegerField(null=True)),
        migrations.AddField(model_name='object', name='made', field=models.BigIntegerField(null=True)),
        migrations.AddField(model_name='object', name='due', field=models.BigIntegerField(null=True)),
        migrations.AddField(model_name='object', name='reason', field=models.TextField(null=True)),
    ]
