"""The tables of notices: rules, what was seen of customers, what changed, and what is sent of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from typing_extensions import override


class Rule(models.Model):
    """Who is told of what, where and when. ``operator_id`` is whose it is, null for the team's."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"name": "free_text", "target": "email"}

    id = models.BigAutoField(primary_key=True)
    operator_id = models.BigIntegerField(null=True)
    name = models.TextField()
    kinds = models.JSONField()
    """Words of ``types.Kind``."""
    account_id = models.BigIntegerField(null=True)
    only_mine = models.BooleanField()
    at_least = models.DecimalField(max_digits=24, decimal_places=4, null=True)
    channel = models.TextField()
    target = models.TextField()
    """What may be shown of where it goes."""
    address = models.BinaryField(null=True)
    """The whole address of a webhook, sealed."""
    secret = models.BinaryField(null=True)
    """What a webhook's messages are signed with, sealed."""
    pace = models.TextField()
    hour = models.SmallIntegerField()
    zone = models.TextField()
    quiet_from = models.SmallIntegerField(null=True)
    quiet_until = models.SmallIntegerField(null=True)
    with_names = models.BooleanField()
    language = models.TextField()
    paused = models.BooleanField()
    made_by = models.JSONField()
    """The actor, as ``kernel.actor.Actor``."""
    created_at = models.DateTimeField(db_default=Now())
    removed_at = models.DateTimeField(null=True)
    """A rule that was removed stays for what was sent by it, without its address."""

    class Meta:
        """Found by whose it is."""

        indexes: ClassVar = [
            models.Index(fields=["operator_id"], name="notices_rule_operator", condition=models.Q(removed_at=None))
        ]

    @override
    def __str__(self) -> str:
        """Its number."""
        return f"rule {self.pk}"


class Seen(models.Model):
    """What the last look at a customer (our id) saw, as ``rules.Look`` in JSON; no rebuild makes it again."""

    customer_id = models.TextField(primary_key=True)
    look = models.TextField()

    @override
    def __str__(self) -> str:
        """The customer's id."""
        return self.customer_id


class Change(models.Model):
    """Something that happened to a customer (our id), once."""

    id = models.BigAutoField(primary_key=True)
    customer_id = models.TextField()
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    key = models.TextField()
    """As ``rules.Found.key``."""
    kind = models.TextField()
    subject = models.TextField()
    was = models.TextField()
    became = models.TextField()
    amount_minor = models.BigIntegerField(null=True)
    currency = models.TextField(null=True)
    at = models.DateTimeField()
    fact = models.TextField()
    found_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Nothing is found twice; what is old is dropped."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["customer_id", "key"], name="notices_change_once")]
        indexes: ClassVar = [models.Index(fields=["found_at"], name="notices_change_found")]

    @override
    def __str__(self) -> str:
        """Its kind."""
        return f"{self.kind} {self.customer_id}"


class Delivery(models.Model):
    """A message of a rule about one change, or about all of a span."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"answer": "payload"}

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="+")
    window = models.TextField()
    """As ``rules.window``."""
    status = models.TextField(db_default="waiting")
    due_at = models.DateTimeField()
    attempts = models.SmallIntegerField(db_default=0)
    leased_until = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    error = models.TextField(db_default="")
    answer = models.TextField(db_default="")

    class Meta:
        """One message a window; those due are found by time."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["rule", "window"], name="notices_delivery_once")]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="notices_delivery_due", condition=models.Q(status="waiting")),
            models.Index(fields=["status", "-id"], name="notices_delivery_status"),
        ]

    @override
    def __str__(self) -> str:
        """Its number."""
        return f"delivery {self.pk}"


class Item(models.Model):
    """That a message is about a change. A rule tells of a change once."""

    pk = models.CompositePrimaryKey("rule_id", "change_id")
    rule_id = models.BigIntegerField()
    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="+")
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="+")

    @override
    def __str__(self) -> str:
        """Its parts."""
        return f"change {self.change_id} of rule {self.rule_id}"
