import django.db.models.functions.datetime
from django.db import migrations, models

QUEUE = """
alter table customer_moved set (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customer", "0006_ids_of_crms"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="standing",
            field=models.BigIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="Moved",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("attempts", models.SmallIntegerField(db_default=0)),
                ("due_at", models.DateTimeField(null=True)),
                ("last_error", models.TextField(null=True)),
                ("set_aside_at", models.DateTimeField(null=True)),
                ("customer_id", models.TextField()),
                ("moved_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.RunSQL(QUEUE, migrations.RunSQL.noop),
    ]
