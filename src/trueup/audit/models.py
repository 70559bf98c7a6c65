"""Tables of the audit log. A trigger refuses UPDATE, DELETE and TRUNCATE of entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from typing_extensions import override


class Entry(models.Model):
    """One change: who did what to which object, why, and what it was before and after."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"before": "payload", "after": "payload", "why": "free_text"}

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    actor_kind = models.TextField()
    actor_id = models.TextField()
    action = models.TextField()
    object_type = models.TextField()
    object_id = models.TextField()
    why = models.TextField(db_default="")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    request_id = models.TextField(db_default="")

    class Meta:
        """Entries are found by object, newest first."""

        indexes: ClassVar = [models.Index(fields=["object_type", "object_id", "-id"], name="audit_entry_object")]

    @override
    def __str__(self) -> str:
        """The action and its object."""
        return f"{self.action} {self.object_type} {self.object_id}"


class Pending(models.Model):
    """An entry that no checkpoint covers yet; written beside it, consumed in batches."""

    entry = models.OneToOneField(Entry, on_delete=models.DO_NOTHING, primary_key=True, related_name="+")

    @override
    def __str__(self) -> str:
        """The entry's id."""
        return str(self.pk)
