"""The columns that every queue table has beside its own; ``runtime.queues`` reads them."""

from __future__ import annotations

from django.db import models


class QueueRow(models.Model):
    """What every queue table has beside its own columns (see ``runtime.queues``)."""

    id = models.BigAutoField(primary_key=True)
    attempts = models.SmallIntegerField(db_default=0)
    due_at = models.DateTimeField(null=True)
    last_error = models.TextField(null=True)
    set_aside_at = models.DateTimeField(null=True)

    class Meta:
        """Not a table."""

        abstract = True
