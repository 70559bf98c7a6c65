"""People who use the console, and tokens their programs use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower, Now
from typing_extensions import override


class OperatorQuerySet(BaseUserManager["Operator"]):
    """Looks operators up by email address in any case, as Django's authentication expects."""

    @override
    def get_by_natural_key(self, username: str | None) -> Operator:
        """The operator with this address."""
        return self.get(email__iexact=username or "")


class Operator(AbstractBaseUser):
    """A person with a password and an email address, unique in any case."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"email": "email", "name": "name"}

    id = models.BigAutoField(primary_key=True)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True, db_default="")
    is_active = models.BooleanField(default=True, db_default=True)
    roles = models.JSONField(default=list, db_default=[])
    """Words of ``types.Role``."""
    access_from = models.DateTimeField(null=True)
    access_until = models.DateTimeField(null=True)
    """Outside of these a person may do nothing; null is no bound. The span is half-open."""
    language = models.TextField(default="", db_default="")
    zone = models.TextField(default="", db_default="")
    """What the person chose; empty means what their browser says."""
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[Any] = OperatorQuerySet()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        """One operator an address."""

        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="operators_operator_email_any_case")]

    @override
    def __str__(self) -> str:
        """The id, because an address is personal data."""
        return f"operator {self.pk}"


class ApiToken(models.Model):
    """A bearer token; only its SHA-256 is kept."""

    id = models.BigAutoField(primary_key=True)
    name = models.TextField()
    digest = models.BinaryField(unique=True)
    prefix = models.TextField()
    scopes = models.JSONField(default=list)
    made_by_id = models.BigIntegerField(null=True)
    """The operator who made it, and whom it never outgrows; null for one made on the host."""
    created_at = models.DateTimeField(db_default=Now())
    rotated_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    @override
    def __str__(self) -> str:
        """The visible beginning of the token."""
        return self.prefix


class SignInAttempt(models.Model):
    """A sign-in that has not succeeded, counted for its address and for its client; short-lived.

    ``subject`` is a keyed digest, so that neither addresses (which may be mistyped passwords) nor clients can be read
    here or found by trying.
    """

    id = models.BigAutoField(primary_key=True)
    subject = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        """Attempts are counted by subject, and old ones are found by time."""

        indexes: ClassVar = [
            models.Index(fields=["subject", "at"], name="operators_attempt_subject"),
            models.Index(fields=["at"], name="operators_attempt_at"),
        ]

    @override
    def __str__(self) -> str:
        """Its time."""
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ}"


class FormerSecret(models.Model):
    """A secret that a token had before it was rotated, good until ``until``; only its SHA-256 is kept."""

    id = models.BigAutoField(primary_key=True)
    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField(unique=True)
    until = models.DateTimeField()

    @override
    def __str__(self) -> str:
        """Whose it was."""
        return f"former secret of token {self.token_id}"


class Invitation(models.Model):
    """Somebody who was asked in and has a link; only the SHA-256 of the link's secret is kept."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"email": "email", "name": "name"}

    id = models.BigAutoField(primary_key=True)
    email = models.TextField()
    name = models.TextField(db_default="")
    roles = models.JSONField(default=list)
    digest = models.BinaryField(unique=True)
    made_by = models.JSONField()
    """The actor, as ``kernel.actor.Actor``."""
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    operator_id = models.BigIntegerField(null=True)
    """Who it became."""
    withdrawn_at = models.DateTimeField(null=True)

    @override
    def __str__(self) -> str:
        """The id, because an address is personal data."""
        return f"invitation {self.pk}"


class Approval(models.Model):
    """Something that one person asked for and another has to allow; see ``approvals``."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"why": "free_text", "answer": "free_text"}

    id = models.BigAutoField(primary_key=True)
    kind = models.TextField()
    object_type = models.TextField()
    object_id = models.TextField()
    change = models.JSONField()
    """What it would do, as the kind writes it: ids, codes and settings, nothing that speaks of a person."""
    why = models.TextField()
    standing = models.TextField()
    """A word of ``approvals.types.Standing``."""
    asked_by = models.JSONField()
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by = models.JSONField(null=True)
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(db_default="")

    class Meta:
        """One question at a time about one object, and waiting ones are found first."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "object_type", "object_id"],
                condition=models.Q(standing="waiting"),
                name="operators_approval_asked_once",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["standing", "expires_at"], name="operators_approval_standing")]

    @override
    def __str__(self) -> str:
        """Its kind and object."""
        return f"{self.kind} {self.object_type}:{self.object_id}"


class Viewing(models.Model):
    """A leave to see the console as another role: for a while, for a reason, and without changing anything."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"why": "free_text"}

    id = models.BigAutoField(primary_key=True)
    operator_id = models.BigIntegerField()
    role = models.TextField()
    why = models.TextField()
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    @override
    def __str__(self) -> str:
        """Who, and as what."""
        return f"operator {self.operator_id} as {self.role}"


class Branding(models.Model):
    """One row: how the console looks for this company."""

    id = models.SmallIntegerField(primary_key=True)
    accent = models.TextField(db_default="")
    """``#rrggbb``, or empty for our own."""
    logo = models.BinaryField(null=True)
    logo_type = models.TextField(db_default="")
    changed_at = models.DateTimeField(null=True)

    @override
    def __str__(self) -> str:
        """The accent."""
        return self.accent or "ours"


class Session(models.Model):
    """Somebody signed in from one browser; Django's own session holds this row's number."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"client": "address"}

    id = models.BigAutoField(primary_key=True)
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="+")
    client = models.TextField()
    """The network address it was used from last."""
    device = models.TextField()
    """What its browser says of itself."""
    opened_at = models.DateTimeField()
    used_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end = models.TextField(db_default="")
    """A word of ``sessions.types.End``; empty while it lives."""
    until = models.DateTimeField(null=True)
    """When it ends at the latest because whoever vouched for the person said so; null where nobody did."""

    class Meta:
        """Those of a person are listed, and old ones are found by time."""

        indexes: ClassVar = [models.Index(fields=["opened_at"], name="operators_session_opened")]

    @override
    def __str__(self) -> str:
        """Its number."""
        return f"session {self.pk}"


class SsoConnection(models.Model):
    """A provider that vouches for people of some domains; see ``sso``."""

    id = models.BigAutoField(primary_key=True)
    name = models.TextField()
    kind = models.TextField()
    """A word of ``sso.types.Kind``."""
    issuer = models.TextField(db_default="")
    """OpenID Connect: the issuer's address. SAML: the provider's entity id."""
    client_id = models.TextField(db_default="")
    client_secret = models.BinaryField(null=True)
    """Sealed."""
    metadata_url = models.TextField(db_default="")
    sign_in_url = models.TextField(db_default="")
    certificates = models.JSONField(default=list, db_default=[])
    """SAML: where a browser is sent, and the certificates (PEM) that answers are signed with."""
    domains = models.JSONField(default=list, db_default=[])
    makes_people = models.BooleanField(default=False, db_default=False)
    groups_claim = models.TextField(db_default="")
    groups = models.JSONField(default=list, db_default=[])
    """Pairs of a group and the roles that it gives."""
    without_group = models.TextField(db_default="refuse")
    """A word of ``sso.types.Without``."""
    is_required = models.BooleanField(default=False, db_default=False)
    provider_factor = models.BooleanField(default=False, db_default=False)
    factor_words = models.JSONField(default=list, db_default=[])
    is_on = models.BooleanField(default=False, db_default=False)
    revision = models.IntegerField(default=1, db_default=1)
    """Goes up with each change of what is trusted, so that what was agreed to is what is switched on."""
    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    @override
    def __str__(self) -> str:
        """Its number."""
        return f"sso connection {self.pk}"


class SsoIdentity(models.Model):
    """Whom a provider means by a subject: linked at the first sign-in."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"subject": "name"}

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(SsoConnection, on_delete=models.CASCADE, related_name="+")
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="+")
    subject = models.TextField()
    linked_at = models.DateTimeField(db_default=Now())
    used_at = models.DateTimeField(null=True)

    class Meta:
        """A subject is one person, and a person one subject of a provider."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "subject"], name="operators_ssoidentity_subject"),
            models.UniqueConstraint(fields=["connection", "operator"], name="operators_ssoidentity_operator"),
        ]

    @override
    def __str__(self) -> str:
        """Its number."""
        return f"sso identity {self.pk}"


class SsoRequest(models.Model):
    """Somebody who was sent to a provider; each is answered at most once, and is forgotten after a day."""

    PERSONAL: ClassVar[Mapping[str, str]] = {"sealed": "payload"}

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(SsoConnection, on_delete=models.CASCADE, related_name="+")
    purpose = models.TextField()
    """A word of ``sso.types.Purpose``."""
    operator_id = models.BigIntegerField(null=True)
    """Who asked, where somebody was signed in."""
    handle = models.BinaryField(unique=True)
    """SHA-256 of what the provider gives back: the state, or the id of the request."""
    sealed = models.BinaryField()
    """What the answer is checked against; once answered, what it said."""
    ticket = models.BinaryField(null=True)
    """SHA-256 of what the browser shows to pick the answer up."""
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        """Old ones are found by time."""

        indexes: ClassVar = [models.Index(fields=["created_at"], name="operators_ssorequest_created")]

    @override
    def __str__(self) -> str:
        """Its number."""
        return f"sso request {self.pk}"
