"""Tables of the inbox: the log itself, who still has to read it, and what could not be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from typing_extensions import override

from trueup.runtime.queue_rows import QueueRow


class Event(models.Model):
    """One fact, raw and durable. Partitioned by the month of ``created``, which never changes for an event id.

    A later erasure rewrites ``body`` without the personal fields, keeps ``body_sha256`` of the body as received, and
    sets ``redacted_at``.
    """

    PERSONAL: ClassVar[Mapping[str, str]] = {"body": "payload"}

    pk = models.CompositePrimaryKey("account_id", "livemode", "event_id", "created")
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    event_id = models.TextField()
    created = models.DateTimeField()
    type = models.TextField()
    kind = models.TextField()
    object_type = models.TextField(null=True)
    object_id = models.TextField(null=True)
    customer = models.TextField(null=True)
    api_version = models.TextField(null=True)
    source = models.TextField()
    received_at = models.DateTimeField(db_default=Now())
    redacted_at = models.DateTimeField(null=True)
    signature = models.TextField(null=True)
    body_sha256 = models.BinaryField()
    body = models.BinaryField()

    class Meta:
        """Created by SQL, because Django does not know partitions; listed newest first."""

        indexes: ClassVar = [models.Index(fields=["received_at", "event_id"], name="inbox_event_received")]

    @override
    def __str__(self) -> str:
        """The event id."""
        return self.event_id


class Pending(QueueRow):
    """A snapshot event that the mirror has not read yet; written in the statement that writes the event."""

    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    event_id = models.TextField()
    created = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Found by event for its state on a page."""

        indexes: ClassVar = [models.Index(fields=["event_id"], name="inbox_pending_event")]

    @override
    def __str__(self) -> str:
        """The event id."""
        return self.event_id


class AwaitingFetch(QueueRow):
    """A thin event whose object has to be fetched."""

    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    event_id = models.TextField()
    created = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Found by event for its state on a page."""

        indexes: ClassVar = [models.Index(fields=["event_id"], name="inbox_awaitingfetch_event")]

    @override
    def __str__(self) -> str:
        """The event id."""
        return self.event_id


class Quarantined(models.Model):
    """A body that was signed but cannot be used; unique on its hash, kept until a person looks, or for good."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"body": "payload", "discarded_why": "free_text"}

    id = models.BigAutoField(primary_key=True)
    account_id = models.BigIntegerField()
    reason = models.TextField()
    detail = models.TextField(db_default="")
    received_at = models.DateTimeField(db_default=Now())
    signature = models.TextField(null=True)
    body_sha256 = models.BinaryField()
    body = models.BinaryField()
    redacted_at = models.DateTimeField(null=True)
    discarded_at = models.DateTimeField(null=True)
    discarded_why = models.TextField(db_default="")

    class Meta:
        """One row a body and account."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account_id", "body_sha256"], name="inbox_quarantined_body")
        ]

    @override
    def __str__(self) -> str:
        """The reason."""
        return self.reason


class Discarded(models.Model):
    """An event of the log that nobody reads any more, because a person gave it up; a replay takes it up again."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"why": "free_text"}

    pk = models.CompositePrimaryKey("account_id", "livemode", "event_id", "created")
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    event_id = models.TextField()
    created = models.DateTimeField()
    error = models.TextField()
    why = models.TextField()
    at = models.DateTimeField(db_default=Now())

    @override
    def __str__(self) -> str:
        """The event id."""
        return self.event_id


class Sweep(models.Model):
    """How far Stripe's own list of an account's events was read: snapshot ones and thin ones, each by themselves.

    All moments but ``enrolled_at``, ``due_at``, ``leased_until``, ``started_at``, ``swept_at`` and
    ``backfill_wanted_at`` are by Stripe's clock. See ``inbox.sweep``.
    """

    id = models.BigAutoField(primary_key=True)
    account_id = models.BigIntegerField()
    kind = models.TextField()
    enrolled_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    cursor = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    after = models.TextField(null=True)
    goal = models.DateTimeField(null=True)
    origin = models.DateTimeField(null=True)
    reaching_back = models.BooleanField(db_default=True)
    pages = models.BigIntegerField(db_default=0)
    read = models.BigIntegerField(db_default=0)
    found = models.BigIntegerField(db_default=0)
    begun = models.DateTimeField(null=True)
    newest = models.DateTimeField(null=True)
    webhook = models.DateTimeField(null=True)
    missed = models.DateTimeField(null=True)
    missed_run = models.BigIntegerField(db_default=0)
    missed_total = models.BigIntegerField(db_default=0)
    skew_seconds = models.BigIntegerField(db_default=0)
    failures = models.IntegerField(db_default=0)
    error_code = models.TextField(null=True)
    last_error = models.TextField(null=True)
    lost_since = models.DateTimeField(null=True)
    lost_until = models.DateTimeField(null=True)
    backfill_wanted_at = models.DateTimeField(null=True)
    swept_at = models.DateTimeField(null=True)
    endpoint = models.JSONField(null=True)

    class Meta:
        """One row an account and kind; found by when it is due."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["account_id", "kind"], name="inbox_sweep_once")]
        indexes: ClassVar = [models.Index(fields=["due_at"], name="inbox_sweep_due")]

    @override
    def __str__(self) -> str:
        """The account and the kind."""
        return f"{self.account_id} {self.kind}"


class Alarm(models.Model):
    """Something that stands wrong at this moment, since when, what to do, and who is on it; once over, a past one."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"note": "free_text"}

    id = models.BigAutoField(primary_key=True)
    source = models.TextField()
    account_id = models.BigIntegerField(null=True)
    code = models.TextField()
    since = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    message = models.TextField()
    remedy = models.TextField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_kind = models.TextField(null=True)
    acknowledged_id = models.TextField(null=True)
    note = models.TextField(null=True)

    class Meta:
        """One row a source, account and code."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "account_id", "code"], name="inbox_alarm_once", nulls_distinct=False
            )
        ]

    @override
    def __str__(self) -> str:
        """The code."""
        return self.code


class PastAlarm(models.Model):
    """An alarm that ended, under the number that it stood with, and who was on it last; kept for ninety days."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"note": "free_text"}

    id = models.BigIntegerField(primary_key=True)
    source = models.TextField()
    account_id = models.BigIntegerField(null=True)
    code = models.TextField()
    since = models.DateTimeField()
    ended_at = models.DateTimeField()
    message = models.TextField()
    remedy = models.TextField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_kind = models.TextField(null=True)
    acknowledged_id = models.TextField(null=True)
    note = models.TextField(null=True)

    class Meta:
        """Read by when it ended, the newest first."""

        indexes: ClassVar = [models.Index(fields=["ended_at", "id"], name="inbox_pastalarm_ended")]

    @override
    def __str__(self) -> str:
        """The code."""
        return self.code
