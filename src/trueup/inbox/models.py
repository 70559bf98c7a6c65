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
    """A body that was signed but cannot be used; unique on its hash, kept until a person looks."""

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
