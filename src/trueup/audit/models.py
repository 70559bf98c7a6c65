"""Tables of the audit log. Triggers refuse to change what stands in it; what a superuser does is found by the tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from typing_extensions import override

from trueup.kernel.modes import mode_name

LOOK: Final = ("customer", "account_id", "livemode", "actor_kind", "actor_id", "behind_kind", "behind_id", "hour")
ASKED: Final = models.Q(request_id__gt="")


class Entry(models.Model):
    """An entry of before there was a tree. ``former.move`` takes them over; nothing else reads them."""

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
    """A former entry that was not taken over yet."""

    entry = models.OneToOneField(Entry, on_delete=models.DO_NOTHING, primary_key=True, related_name="+")

    @override
    def __str__(self) -> str:
        """The entry's id."""
        return str(self.pk)


class LogEntry(models.Model):
    """One change: ``body`` is the entry, all else copies to search by. SQL makes the table, partitioned by month."""

    pk = models.CompositePrimaryKey("id", "at")
    id = models.BigIntegerField()
    at = models.DateTimeField()
    livemode = models.BooleanField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    behind_kind = models.TextField(db_default="")
    behind_id = models.TextField(db_default="")
    action = models.TextField()
    object_type = models.TextField()
    object_id = models.TextField()
    request_id = models.TextField(db_default="")
    body = models.BinaryField()

    class Meta:
        """Entries are found by object, by actor, by action and by what asked for them, newest first."""

        indexes: ClassVar = [
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_logentry_object"),
            models.Index(fields=["actor_kind", "actor_id", "-id"], name="audit_logentry_actor"),
            models.Index(fields=["action", "-id"], name="audit_logentry_action"),
            models.Index(fields=["request_id", "-id"], condition=ASKED, name="audit_logentry_request"),
        ]

    @override
    def __str__(self) -> str:
        """The action and its object."""
        return f"{self.action} {self.object_type} {self.object_id}"


class Unsealed(models.Model):
    """An entry before it has a place and is a ``LogEntry``; its values are in ``told``. With no ``body`` it is one."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"told": "payload"}

    entry_id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    livemode = models.BooleanField()
    actor_kind = models.TextField(null=True)
    actor_id = models.TextField(null=True)
    behind_kind = models.TextField(null=True)
    behind_id = models.TextField(null=True)
    action = models.TextField(null=True)
    object_type = models.TextField(null=True)
    object_id = models.TextField(null=True)
    request_id = models.TextField(null=True)
    body = models.BinaryField(null=True)
    told = models.TextField(null=True)

    @override
    def __str__(self) -> str:
        """The entry's id."""
        return str(self.pk)


class Disclosure(models.Model):
    """A personal value of an entry under the key of whom it speaks of: the one table of the log that is erased from."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"ciphertext": "payload"}

    pk = models.CompositePrimaryKey("entry_id", "digest")
    entry_id = models.BigIntegerField()
    digest = models.TextField()
    subject = models.TextField()
    key_id = models.BigIntegerField()
    ciphertext = models.BinaryField()

    class Meta:
        """Erased by subject."""

        indexes: ClassVar = [models.Index(fields=["subject"], name="audit_disclosure_subject")]

    @override
    def __str__(self) -> str:
        """The digest, which tells nothing."""
        return self.digest


class SubjectKey(models.Model):
    """The key of a subject, sealed by the installation's. Database backups leave these rows out."""

    key_id = models.BigAutoField(primary_key=True)
    subject = models.TextField(unique=True)
    sealed = models.BinaryField()
    made_at = models.DateTimeField(db_default=Now())

    @override
    def __str__(self) -> str:
        """Whose it is."""
        return self.subject


class Leaf(models.Model):
    """The place of an entry in the tree of its mode: numbers without gaps, from 0."""

    pk = models.CompositePrimaryKey("livemode", "leaf_index")
    livemode = models.BooleanField()
    leaf_index = models.BigIntegerField()
    entry_id = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    leaf_hash = models.BinaryField()

    @override
    def __str__(self) -> str:
        """Its place."""
        return f"{mode_name(self.livemode)}/{self.leaf_index}"


class Tile(models.Model):
    """256 hashes of a level, or the first of them; a full one never changes, and a partial one only grows."""

    pk = models.CompositePrimaryKey("livemode", "level", "tile_index")
    livemode = models.BooleanField()
    level = models.SmallIntegerField()
    tile_index = models.BigIntegerField()
    hashes = models.BinaryField()

    @override
    def __str__(self) -> str:
        """Its place."""
        return f"{mode_name(self.livemode)}/{self.level}/{self.tile_index}"


class SigningKey(models.Model):
    """A key that the log of a mode is signed with, in the order they were announced by entries; public halves only."""

    pk = models.CompositePrimaryKey("livemode", "number")
    livemode = models.BooleanField()
    number = models.IntegerField()
    verifier_key = models.TextField()
    entry_id = models.BigIntegerField()
    announced_at = models.DateTimeField()

    @override
    def __str__(self) -> str:
        """Its line."""
        return self.verifier_key


class Checkpoint(models.Model):
    """A size the tree had, its root, and the signed note that says so; without a note while it waits to be signed."""

    pk = models.CompositePrimaryKey("livemode", "size")
    livemode = models.BooleanField()
    size = models.BigIntegerField()
    previous_size = models.BigIntegerField(null=True)
    """The size of the checkpoint before it, so that one that is missing is seen; None for the first."""
    root = models.BinaryField()
    note = models.TextField(null=True)
    made_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True)

    @override
    def __str__(self) -> str:
        """Its size."""
        return f"{mode_name(self.livemode)}/{self.size}"


class Cosignature(models.Model):
    """A witness's line below a checkpoint."""

    pk = models.CompositePrimaryKey("livemode", "size", "key_name")
    livemode = models.BooleanField()
    size = models.BigIntegerField()
    key_name = models.TextField()
    line = models.TextField()
    made_at = models.DateTimeField(db_default=Now())

    @override
    def __str__(self) -> str:
        """Whose it is."""
        return self.key_name


class Anchor(models.Model):
    """What somebody outside gave back for a checkpoint, such as a timestamp token."""

    livemode = models.BooleanField()
    size = models.BigIntegerField()
    kind = models.TextField()
    destination = models.TextField()
    evidence = models.BinaryField()
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Found by checkpoint."""

        indexes: ClassVar = [models.Index(fields=["livemode", "size"], name="audit_anchor_checkpoint")]

    @override
    def __str__(self) -> str:
        """What it is of."""
        return f"{self.kind} of {self.size}"


class Sink(models.Model):
    """How a place outside that remembers checkpoints stands."""

    pk = models.CompositePrimaryKey("livemode", "name")
    livemode = models.BooleanField()
    name = models.TextField()
    kind = models.TextField()
    size = models.BigIntegerField(null=True)
    """The newest checkpoint that it has."""
    reached_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    failures = models.IntegerField(db_default=0)
    last_error = models.TextField(null=True)

    @override
    def __str__(self) -> str:
        """Its name."""
        return self.name


class Minimum(models.Model):
    """Below this leaf entries were dropped by retention; their hashes stay."""

    livemode = models.BooleanField(primary_key=True)
    leaf_index = models.BigIntegerField()
    recorded_at = models.DateTimeField(db_default=Now())

    @override
    def __str__(self) -> str:
        """The first leaf that is kept."""
        return str(self.leaf_index)


class Erasure(models.Model):
    """A subject whose values were erased; every restore erases them again."""

    subject = models.TextField()
    at = models.DateTimeField()
    through = models.BigIntegerField()
    """Keys of the subject with a number up to this one are destroyed; it is no key's own."""
    disclosures = models.BigIntegerField(db_default=0)

    class Meta:
        """Found by subject."""

        indexes: ClassVar = [models.Index(fields=["subject"], name="audit_erasure_subject")]

    @override
    def __str__(self) -> str:
        """Whose values."""
        return self.subject


class Hold(models.Model):
    """A legal hold: while it stands nothing of the subject is erased and no month dropped."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"why": "free_text", "name": "free_text"}

    name = models.TextField()
    subject = models.TextField(db_default="")
    why = models.TextField(db_default="")
    placed_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    @override
    def __str__(self) -> str:
        """Its number."""
        return str(self.pk)


class Verification(models.Model):
    """A check of the whole log against its tree, and what it found."""

    livemode = models.BooleanField()
    size = models.BigIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    verified = models.BooleanField()
    code = models.TextField(db_default="")
    position = models.BigIntegerField(null=True)
    finding = models.TextField(db_default="")

    class Meta:
        """The newest of a mode."""

        indexes: ClassVar = [models.Index(fields=["livemode", "-id"], name="audit_verification_newest")]

    @override
    def __str__(self) -> str:
        """What it found."""
        return self.finding or "verified"


class Check(models.Model):
    """A check of the log that somebody asked for and no worker has ended yet."""

    livemode = models.BooleanField(primary_key=True)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    done = models.BigIntegerField(db_default=0)
    total = models.BigIntegerField(db_default=0)

    @override
    def __str__(self) -> str:
        """How far it is."""
        return f"{self.done} of {self.total}"


class Look(models.Model):
    """That somebody looked at a customer within an hour: the access log, which is no part of the tree."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"origin": "address"}

    id = models.BigAutoField(primary_key=True)
    hour = models.DateTimeField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    behind_kind = models.TextField(db_default="")
    behind_id = models.TextField(db_default="")
    account_id = models.BigIntegerField()
    livemode = models.BooleanField()
    customer = models.TextField()
    what = ArrayField(models.TextField())
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.IntegerField(db_default=1)
    origin = models.TextField(db_default="")

    class Meta:
        """One row for somebody, a customer and an hour; found by customer, by actor, and by age."""

        constraints: ClassVar = [models.UniqueConstraint(fields=LOOK, name="audit_look_hour")]
        indexes: ClassVar = [
            models.Index(fields=["customer", "-id"], name="audit_look_customer"),
            models.Index(fields=["actor_kind", "actor_id", "-id"], name="audit_look_actor"),
            models.Index(fields=["hour"], name="audit_look_age"),
        ]

    @override
    def __str__(self) -> str:
        """Who and whom."""
        return f"{self.actor_kind}:{self.actor_id} {self.customer}"
