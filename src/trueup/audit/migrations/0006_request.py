"""An index to find entries by the request that caused them, built month by month beside whoever writes."""

from __future__ import annotations

from django.db import migrations, models

from trueup.runtime.partition_indexes import AddPartitionedIndexConcurrently


class Migration(migrations.Migration):
    """An index on only the entries that a request caused: those of drains have none, and are most."""

    atomic = False

    dependencies = [("audit", "0005_access_log_and_checks")]

    operations = [
        AddPartitionedIndexConcurrently(
            model_name="logentry",
            index=models.Index(
                fields=["request_id", "-id"], condition=models.Q(request_id__gt=""), name="audit_logentry_request"
            ),
            table="audit_logentry",
            covers="(request_id, id desc) where request_id > ''",
        )
    ]
