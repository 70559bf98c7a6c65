"""Stripe accounts, their keys and webhook secrets (encrypted)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from typing_extensions import override


class Account(models.Model):
    """A Stripe account in one mode; connected accounts have a parent and no key of their own."""

    id = models.BigAutoField(primary_key=True)
    slug = models.TextField(unique=True)
    name = models.TextField()
    livemode = models.BooleanField()
    access = models.TextField(default="watch", db_default="watch")
    stripe_account_id = models.TextField(null=True)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    api_base = models.TextField(null=True)
    api_key_sealed = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        """A connected account appears once under its parent and mode."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["parent", "livemode", "stripe_account_id"],
                condition=models.Q(parent__isnull=False),
                name="accounts_account_connected_once",
            )
        ]

    @override
    def __str__(self) -> str:
        """The slug."""
        return self.slug


class WebhookSecret(models.Model):
    """A signing secret of an endpoint; several are active during a rotation."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    sealed = models.BinaryField()
    hint = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True)

    @override
    def __str__(self) -> str:
        """The last four characters."""
        return f"…{self.hint}"


class Revision(models.Model):
    """One row that moves with every change of accounts and secrets: the intake sees a change by reading one number."""

    id = models.SmallIntegerField(primary_key=True)
    number = models.BigIntegerField(default=0, db_default=0)

    @override
    def __str__(self) -> str:
        """The number."""
        return str(self.number)


class Budget(models.Model):
    """How full one bucket of calls to Stripe is, of an account or of one endpoint; see ``budget``.

    Unlogged: it is small, written with every call, and true for seconds. ``permille`` is what was left of the limit
    when it was slowed down last, at ``slowed_at``.
    """

    pk = models.CompositePrimaryKey("account_id", "endpoint")
    account_id = models.BigIntegerField()
    endpoint = models.TextField(db_collation="C")
    full_at = models.DateTimeField(db_default=Now())
    held_until = models.DateTimeField(db_default=Now())
    permille = models.BigIntegerField(default=1000, db_default=1000)
    slowed_at = models.DateTimeField(null=True)
    throttled = models.BigIntegerField(default=0, db_default=0)
    cause = models.TextField(default="", db_default="")
    taken = models.JSONField(db_default=models.Value({}, models.JSONField()))

    @override
    def __str__(self) -> str:
        """Whose it is."""
        return f"{self.account_id} {self.endpoint}"


class Canary(models.Model):
    """One sealed row that shows at start whether the present key is the one this database was written with."""

    id = models.SmallIntegerField(primary_key=True)
    sealed = models.BinaryField()

    @override
    def __str__(self) -> str:
        """Nothing of the value."""
        return "canary"
