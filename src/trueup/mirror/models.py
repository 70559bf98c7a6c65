"""Tables of the mirror: the current version of every object, a pointer per version, and who has to be folded again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from typing_extensions import override

import trueup.mirror.backfill.models
import trueup.mirror.reconcile.models  # noqa: F401 - Django finds the tables that an app's models import
from trueup.runtime.queue_rows import QueueRow


class Object(models.Model):
    """Which event told the newest version of one Stripe object, and the fields that states are computed from.

    ``essence`` is JSON as text: it is written with every event and read by us alone. ``data`` holds the fields that
    the newest shape has beyond the log's payload, all of them where that holds text that ``jsonb`` refuses, else null.
    ``verdict`` says how far the version can be trusted to be the newest (0 certain, 1 ambiguous, 2 gap); ``head`` is
    the rest of what ``mirror.order`` keeps. ``status`` to ``number`` are what lists of money go by (see
    ``mirror.amounts``), null where no list has the object.
    """

    PERSONAL: ClassVar[Mapping[str, str]] = {"essence": "payload", "data": "payload"}

    pk = models.CompositePrimaryKey("account_id", "livemode", "object_type", "object_id")
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    object_type = models.TextField()
    object_id = models.TextField()
    customer = models.TextField(null=True)
    deleted = models.BooleanField()
    created = models.BigIntegerField()
    event_id = models.TextField(db_collation="C")
    event_type = models.TextField()
    verdict = models.SmallIntegerField()
    head = models.TextField()
    shape_version = models.SmallIntegerField()
    essence = models.TextField()
    data = models.JSONField(null=True)
    status = models.TextField(null=True)
    currency = models.TextField(null=True)
    amount = models.BigIntegerField(null=True)
    made = models.BigIntegerField(null=True)
    due = models.BigIntegerField(null=True)
    reason = models.TextField(null=True)
    number = models.TextField(null=True)

    class Meta:
        """Found by customer for the fold, by doubt for who reads them anew, by version for who makes them anew."""

        indexes: ClassVar = [
            models.Index(
                fields=["account_id", "livemode", "customer", "object_type"],
                name="mirror_object_customer",
                condition=models.Q(customer__isnull=False),
            ),
            models.Index(
                fields=["account_id", "livemode", "object_type"],
                name="mirror_object_doubt",
                condition=models.Q(verdict__gt=0),
            ),
            models.Index(fields=["shape_version"], name="mirror_object_shape"),
            models.Index(
                fields=["object_type", "status", "made", "object_id"],
                include=["account_id", "livemode", "currency", "amount", "reason", "due"],
                name="mirror_object_money",
                condition=models.Q(made__isnull=False),
            ),
            models.Index(
                fields=["reason", "due", "object_id"],
                include=["account_id", "livemode", "currency", "amount", "status"],
                name="mirror_object_ahead",
                condition=models.Q(object_type="subscription", due__isnull=False),
            ),
            models.Index(
                fields=["number", "account_id", "livemode", "object_id"],
                name="mirror_object_number",
                condition=models.Q(number__isnull=False),
            ),
        ]

    @override
    def __str__(self) -> str:
        """Type and id."""
        return f"{self.object_type} {self.object_id}"


class Version(models.Model):
    """One version of one object: a pointer to the event in the inbox that told it.

    ``created`` is the event's, in Unix seconds. ``state`` to ``after`` are its trace, from which ``mirror.order`` tells
    the order without the bodies. ``after`` is a JSON list of ids, of reads alone.
    """

    pk = models.CompositePrimaryKey("account_id", "livemode", "object_type", "object_id", "created", "event_id")
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    object_type = models.TextField()
    object_id = models.TextField()
    created = models.BigIntegerField()
    event_id = models.TextField(db_collation="C")
    event_type = models.TextField()
    customer = models.TextField(null=True)
    state = models.BigIntegerField()
    before = models.BigIntegerField(null=True)
    made = models.BigIntegerField(null=True)
    api_version = models.TextField(null=True)
    stage = models.SmallIntegerField(null=True)
    deleted = models.BooleanField()
    read = models.BooleanField()
    after = models.TextField(null=True)

    class Meta:
        """Found by customer, newest first, for the timeline; by when collecting an invoice failed."""

        indexes: ClassVar = [
            models.Index(
                fields=["account_id", "livemode", "customer", "created", "event_id"],
                name="mirror_version_customer",
                condition=models.Q(customer__isnull=False),
            ),
            models.Index(
                fields=["created", "account_id", "livemode", "object_id"],
                name="mirror_version_failed",
                condition=models.Q(event_type="invoice.payment_failed"),
            ),
        ]

    @override
    def __str__(self) -> str:
        """The event that told it."""
        return self.event_id


class About(models.Model):
    """Which payment an object is about that names no customer: a dispute, a fraud warning, a refund or a review.

    ``customer`` is the one that it names itself after all. ``settled`` says that it was looked at again once every
    transaction from the time of its last change was over (see ``mirror.about``).
    """

    pk = models.CompositePrimaryKey("account_id", "livemode", "object_type", "object_id")
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    object_type = models.TextField()
    object_id = models.TextField()
    customer = models.TextField(null=True)
    charge = models.TextField(null=True)
    payment_intent = models.TextField(null=True)
    since = models.DateTimeField(db_default=Now())
    settled = models.BooleanField(db_default=False)

    class Meta:
        """Found by the payment, and by what has to be looked at again."""

        indexes: ClassVar = [
            models.Index(
                fields=["account_id", "livemode", "charge"],
                name="mirror_about_charge",
                condition=models.Q(charge__isnull=False),
            ),
            models.Index(
                fields=["account_id", "livemode", "payment_intent"],
                name="mirror_about_intent",
                condition=models.Q(payment_intent__isnull=False),
            ),
            models.Index(fields=["since"], name="mirror_about_unsettled", condition=models.Q(settled=False)),
        ]

    @override
    def __str__(self) -> str:
        """Type and id."""
        return f"{self.object_type} {self.object_id}"


class Changed(QueueRow):
    """A Stripe customer or product whose objects moved: a queue table (see ``runtime.queues``)."""

    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    object_type = models.TextField()
    object_id = models.TextField()
    since = models.DateTimeField(db_default=Now())

    class Meta:
        """Rows that were set aside are found by whoever folds the same again."""

        indexes: ClassVar = [
            models.Index(
                fields=["account_id", "livemode", "object_type", "object_id"],
                name="mirror_changed_aside",
                condition=models.Q(set_aside_at__isnull=False),
            )
        ]

    @override
    def __str__(self) -> str:
        """Type and id."""
        return f"{self.object_type} {self.object_id}"


class Fetch(QueueRow):
    """An object that has to be read from Stripe: one row, however many reasons there are. See ``mirror.fetching``.

    ``told_at`` is the newest second, in the object's clock, at which something was said to have happened to it.
    ``revision`` grows with every request, so that one which comes while the object is being read is not lost.
    """

    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    object_type = models.TextField()
    object_id = models.TextField()
    reason = models.TextField()
    told_at = models.BigIntegerField(db_default=0)
    revision = models.IntegerField(db_default=0)
    since = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(null=True)

    class Meta:
        """One row an object; claimed by when it is due."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account_id", "livemode", "object_type", "object_id"], name="mirror_fetch_object"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="mirror_fetch_due", condition=models.Q(set_aside_at__isnull=True))
        ]

    @override
    def __str__(self) -> str:
        """Type and id."""
        return f"{self.object_type} {self.object_id}"


class Replay(models.Model):
    """Events of the log that are read again at a bounded rate: which, why, by whom, and how far that is.

    ``due_at`` is when the next of them may be read. See ``mirror.replay``.
    """

    PERSONAL: ClassVar[Mapping[str, str]] = {"why": "free_text"}

    id = models.BigAutoField(primary_key=True)
    progress = models.TextField()
    selection = models.JSONField()
    why = models.TextField()
    by_kind = models.TextField()
    by_id = models.TextField()
    rate = models.IntegerField()
    total = models.BigIntegerField()
    done = models.BigIntegerField(db_default=0)
    failed = models.BigIntegerField(db_default=0)
    gone = models.BigIntegerField(db_default=0)
    changed = models.BigIntegerField(db_default=0)
    last_error = models.TextField(null=True)
    due_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Those that run are few among all that ever did."""

        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="mirror_replay_running", condition=models.Q(progress="running"))
        ]

    @override
    def __str__(self) -> str:
        """The reason."""
        return self.why


class ReplayEvent(models.Model):
    """An event that a replay has yet to read; deleted in the transaction that reads it."""

    id = models.BigAutoField(primary_key=True)
    replay_id = models.BigIntegerField()
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    event_id = models.TextField()
    created = models.DateTimeField()

    class Meta:
        """Taken in the order in which they were picked."""

        indexes: ClassVar = [models.Index(fields=["replay_id", "id"], name="mirror_replayevent_next")]

    @override
    def __str__(self) -> str:
        """The event id."""
        return self.event_id
