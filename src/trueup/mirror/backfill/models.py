"""Tables of backfills: the runs, and the spans of lists that each still has to read or has read."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from typing_extensions import override


class BackfillRun(models.Model):
    """One backfill of one account, or with another ``purpose`` one walk through its lists (see ``walks``).

    ``since`` is in unix seconds; ``pages_before`` had been read when it was resumed. ``followed_up`` says that
    customers whom no list had, because they are deleted, were asked for one by one.
    """

    id = models.BigAutoField(primary_key=True)
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    purpose = models.TextField(db_default="backfill")
    status = models.TextField()
    types = ArrayField(models.TextField())
    since = models.BigIntegerField(null=True)
    started_at = models.DateTimeField(db_default=Now())
    resumed_at = models.DateTimeField(db_default=Now())
    pages_before = models.BigIntegerField(db_default=0)
    ended_at = models.DateTimeField(null=True)
    followed_up = models.BooleanField(db_default=False)
    actor_kind = models.TextField()
    actor_id = models.TextField()

    class Meta:
        """At most one backfill of an account at a time; found by account, the newest first."""

        indexes: ClassVar = [models.Index(fields=["account_id", "-id"], name="mirror_backfillrun_account")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account_id"],
                name="mirror_backfillrun_one",
                condition=models.Q(status="running", purpose="backfill"),
            )
        ]

    @override
    def __str__(self) -> str:
        """Its number."""
        return str(self.id)


class BackfillSpan(models.Model):
    """A part of one list, see ``rules.Span``: read by whoever holds its lease, a page after the other.

    ``place`` is its turn. ``variant`` is which of the lists of its type it belongs to; ``clock`` the test clock whose
    objects it lists. With ``parents`` it is the lists within these objects, of which the first ``parents_done`` are
    read. ``newest`` is when the newest object seen was created. ``due_at`` is when it may next be taken: the end of its
    lease, or of its wait after ``tries`` that failed.
    """

    id = models.BigAutoField(primary_key=True)
    run_id = models.BigIntegerField()
    place = models.SmallIntegerField()
    object_type = models.TextField()
    variant = models.SmallIntegerField(db_default=0)
    clock = models.TextField(null=True)
    parents = ArrayField(models.TextField(), null=True)
    parents_done = models.IntegerField(db_default=0)
    since = models.BigIntegerField(db_default=0)
    until = models.BigIntegerField(null=True)
    cursor = models.TextField(null=True)
    cursor_second = models.BigIntegerField(null=True)
    status = models.TextField(db_default="open")
    due_at = models.DateTimeField(db_default=Now())
    lease = models.UUIDField(null=True)
    tries = models.SmallIntegerField(db_default=0)
    pages = models.BigIntegerField(db_default=0)
    listed = models.BigIntegerField(db_default=0)
    new = models.BigIntegerField(db_default=0)
    changed = models.BigIntegerField(db_default=0)
    known = models.BigIntegerField(db_default=0)
    newest = models.BigIntegerField(null=True)
    moved_at = models.DateTimeField(null=True)
    error_code = models.TextField(null=True)
    last_error = models.TextField(null=True)

    class Meta:
        """Found by its turn while it is open, and by its run."""

        indexes: ClassVar = [
            models.Index(
                fields=["place", "since", "id"], name="mirror_backfillspan_open", condition=models.Q(status="open")
            ),
            models.Index(fields=["run_id", "object_type"], name="mirror_backfillspan_run"),
        ]

    @override
    def __str__(self) -> str:
        """Its type and number."""
        return f"{self.object_type} {self.id}"
