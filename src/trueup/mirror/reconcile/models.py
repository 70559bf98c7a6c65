"""Tables of reconciling: the runs, what each has seen at Stripe, and the differences that stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from typing_extensions import override


class ReconcileRun(models.Model):
    """One comparison of an account with Stripe. ``customers`` is null for all of it, else whose objects are compared.

    ``walk_id`` is the walk through the lists, ``place`` where the phase has come to. ``counts`` and ``troubles`` are
    JSON of ``types.Counts`` and ``types.Trouble``. Whoever works on it holds the ``lease`` until ``due_at``.
    """

    id = models.BigAutoField(primary_key=True)
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    types = ArrayField(models.TextField())
    whole = models.BooleanField()
    customers = ArrayField(models.TextField(), null=True)
    repair = models.BooleanField()
    grace_seconds = models.IntegerField()
    patience_seconds = models.IntegerField()
    status = models.TextField(db_default="running")
    phase = models.TextField()
    place = models.TextField(db_default="")
    walk_id = models.BigIntegerField(null=True)
    counts = models.JSONField()
    troubles = models.JSONField()
    lease = models.UUIDField(null=True)
    due_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    actor_kind = models.TextField()
    actor_id = models.TextField()

    class Meta:
        """Taken when it is due; found by account, the newest first."""

        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="mirror_reconcilerun_due", condition=models.Q(status="running")),
            models.Index(fields=["account_id", "-id"], name="mirror_reconcilerun_account"),
        ]

    @override
    def __str__(self) -> str:
        """Its number."""
        return str(self.id)


class ReconcileSeen(models.Model):
    """That a run saw an object at Stripe, or has to look at it by itself; deleted with the end of the run.

    ``doubt`` says that it differed and has to be read singly, at ``due_at``. ``state`` is the fingerprint of how it was
    at Stripe when it was noticed, at ``noticed_at``: null when Stripe was not seen to have it.
    """

    pk = models.CompositePrimaryKey("run_id", "object_type", "object_id")
    run_id = models.BigIntegerField()
    object_type = models.TextField()
    object_id = models.TextField()
    doubt = models.BooleanField(db_default=False)
    observed = models.BooleanField(db_default=False)
    state = models.BigIntegerField(null=True)
    noticed_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    rounds = models.SmallIntegerField(db_default=0)

    class Meta:
        """The few that are in doubt are found by when they are due."""

        indexes: ClassVar = [
            models.Index(fields=["run_id", "due_at"], name="mirror_reconcileseen_doubt", condition=models.Q(doubt=True))
        ]

    @override
    def __str__(self) -> str:
        """Type and id."""
        return f"{self.object_type} {self.object_id}"


class Drift(models.Model):
    """An object, or a customer's state, that was found to differ from Stripe's; open until ``resolved_at``.

    ``fields`` is JSON of ``types.FieldDifference``, and ``told`` the object as Stripe has it, its lists whole. When it
    is resolved all values are forgotten: ``told`` is emptied, and ``fields`` is from then on JSON of ``store.Ended``,
    with the paths alone. ``since`` is in Stripe's time, the other moments are ours.
    """

    PERSONAL: ClassVar[Mapping[str, str]] = {"fields": "payload", "told": "payload"}

    id = models.BigAutoField(primary_key=True)
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    object_type = models.TextField()
    object_id = models.TextField()
    customer = models.TextField(null=True)
    kind = models.TextField()
    fields = models.JSONField(null=True)
    more_fields = models.IntegerField(db_default=0)
    told = models.TextField(null=True)
    cause = models.TextField()
    explanation = models.TextField()
    event_id = models.TextField(null=True)
    since = models.DateTimeField(null=True)
    since_exact = models.BooleanField(db_default=False)
    run_id = models.BigIntegerField()
    opened_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    repaired_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        """One open row an object; counted by account and kind, and found by the customer."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account_id", "livemode", "object_type", "object_id"],
                name="mirror_drift_open",
                condition=models.Q(resolved_at__isnull=True),
            )
        ]
        indexes: ClassVar = [models.Index(fields=["resolved_at"], name="mirror_drift_resolved")]

    @override
    def __str__(self) -> str:
        """Type and id."""
        return f"{self.object_type} {self.object_id}"
