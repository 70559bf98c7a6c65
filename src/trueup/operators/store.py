"""Queries on operators and tokens; ORM objects stay here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db.models import Q

from trueup.operators.models import ApiToken, Operator, SignInAttempt
from trueup.operators.types import Person, Scope, Token


def to_person(row: Operator) -> Person:
    """An operator without credentials."""
    return Person(id=row.pk, email=row.email, name=row.name, is_active=row.is_active)


def to_token(row: ApiToken) -> Token:
    """A token's public face."""
    return Token(
        id=row.pk,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def find_operator(email: str) -> Person | None:
    """The operator with this address, in any case."""
    row = Operator.objects.filter(email__iexact=email).first()
    return None if row is None else to_person(row)


def operator(operator_id: int) -> Person:
    """The operator with this id."""
    return to_person(Operator.objects.get(pk=operator_id))


def insert_operator(*, email: str, name: str, password: str) -> Person:
    """A new operator with a hashed password."""
    row = Operator(email=email, name=name, password=make_password(password))
    row.save(force_insert=True)
    row.refresh_from_db()
    return to_person(row)


def update_password(operator_id: int, password: str) -> None:
    """Replace an operator's password."""
    Operator.objects.filter(pk=operator_id).update(password=make_password(password))


def operator_count() -> int:
    """How many operators there are."""
    return int(Operator.objects.count())


def attempts(subject: bytes, *, since: datetime) -> list[datetime]:
    """When sign-ins of this subject were attempted that have not succeeded."""
    return list(SignInAttempt.objects.filter(subject=subject, at__gt=since).values_list("at", flat=True))


def insert_attempts(subjects: Iterable[bytes], *, at: datetime) -> list[int]:
    """Count an attempt for each subject; returns the rows' ids."""
    rows = SignInAttempt.objects.bulk_create([SignInAttempt(subject=subject, at=at) for subject in subjects])
    return [row.pk for row in rows]


def forget_attempts(ids: Iterable[int]) -> None:
    """Drop attempts that succeeded."""
    SignInAttempt.objects.filter(pk__in=list(ids)).delete()


def forget_attempts_of(subject: bytes) -> None:
    """Drop all attempts of a subject."""
    SignInAttempt.objects.filter(subject=subject).delete()


def forget_attempts_before(moment: datetime) -> None:
    """Drop attempts that no longer count; rows that another sign-in is dropping are left to it."""
    old = SignInAttempt.objects.select_for_update(skip_locked=True).filter(at__lte=moment).values_list("pk", flat=True)
    SignInAttempt.objects.filter(pk__in=list(old[:1000])).delete()


def insert_token(
    *, name: str, digest: bytes, prefix: str, scopes: Iterable[Scope], expires_at: datetime | None
) -> Token:
    """A new token, known by its digest."""
    row = ApiToken(
        name=name, digest=digest, prefix=prefix, scopes=[scope.value for scope in scopes], expires_at=expires_at
    )
    row.save(force_insert=True)
    row.refresh_from_db()
    return to_token(row)


def usable_token(digest: bytes, *, now: datetime) -> Token | None:
    """The token with this digest unless it is revoked or expired; notes its use at most once a minute."""
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    row = ApiToken.objects.filter(live, digest=digest).first()
    if row is None:
        return None
    ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(minutes=1)), pk=row.pk).update(
        last_used_at=now
    )
    return to_token(row)


def tokens() -> list[Token]:
    """All tokens, newest first."""
    return [to_token(row) for row in ApiToken.objects.order_by("-pk")]


def revoke_token(token_id: int, *, now: datetime) -> Token | None:
    """Mark a live token revoked; None when there is no such live token."""
    if not ApiToken.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=now):
        return None
    return to_token(ApiToken.objects.get(pk=token_id))
