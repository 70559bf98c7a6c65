"""The public nouns of operators."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from trueup.kernel.records import Record


class Scope(StrEnum):
    """What a token may do."""

    READ = "read"
    WRITE = "write"
    """Includes reading."""
    AUDIT = "audit"
    """Reading the audit log and its proofs, and nothing else; no other scope includes it."""
    PEOPLE = "people"
    """People, their roles and invitations, and what waits for an approval; no other scope includes it."""
    TOKENS = "tokens"
    """Making, rotating and revoking tokens; no other scope includes it, and it never gives more than it has."""


class Role(StrEnum):
    """What somebody is here for; ``permissions.TABLE`` says what each may do."""

    OWNER = "owner"
    ADMIN = "admin"
    SALES = "sales"
    SUPPORT = "support"
    FINANCE = "finance"
    COMPLIANCE = "compliance"
    OPS = "ops"
    AUDITOR = "auditor"
    """Reads, and changes nothing; within a window of time."""
    DEVELOPER = "developer"


class Person(Record, frozen=True):
    """An operator, without credentials."""

    id: int
    email: str
    name: str
    is_active: bool
    roles: tuple[Role, ...] = ()
    access_from: datetime | None = None
    access_until: datetime | None = None
    """Outside of these they may do nothing; None is no bound. The span is half-open."""
    language: str = ""
    zone: str = ""
    """What they chose; empty means what their browser says."""
    last_sign_in_at: datetime | None = None


class Attempt(Record, frozen=True):
    """A sign-in that is under way; handed back when it succeeds."""

    ids: tuple[int, ...]


class Token(Record, frozen=True):
    """A token's public face; the secret part is shown once, at creation."""

    id: int
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    made_by_id: int | None = None
    """The operator who made it, and whom it never outgrows; None for one made on the host."""
    rotated_at: datetime | None = None


class NewToken(Record, frozen=True):
    """A token just made; ``token`` cannot be read again."""

    id: int
    name: str
    token: str
    scopes: tuple[Scope, ...]
    expires_at: datetime | None = None
    former_until: datetime | None = None
    """Until when the secret before this one is good as well."""
