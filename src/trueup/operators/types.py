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


class Person(Record, frozen=True):
    """An operator, without credentials."""

    id: int
    email: str
    name: str
    is_active: bool


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


class NewToken(Record, frozen=True):
    """A token just made; ``token`` cannot be read again."""

    id: int
    name: str
    token: str
    scopes: tuple[Scope, ...]
