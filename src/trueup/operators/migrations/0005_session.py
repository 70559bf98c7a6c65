import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('operators', '0004_team'),
    ]

    operations = [
        migrations.CreateModel(
            name='Session',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('client', models.TextField()),
                ('device', models.TextField()),
                ('opened_at', models.DateTimeField()),
                ('used_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('end', models.TextField(db_default='')),
                ('operator', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['opened_at'], name='operators_session_opened')],
            },
        ),
    ]
