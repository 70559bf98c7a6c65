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
    created_at = models.DateTimeField(db_default=Now())
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
