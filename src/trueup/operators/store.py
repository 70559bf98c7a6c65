"""Queries on operators and tokens; ORM objects stay here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.hashers import check_password, is_password_usable, make_password
from django.db.models import Q

from trueup.operators.models import ApiToken, FormerSecret, Operator, Session, SignInAttempt
from trueup.operators.types import Person, Role, Scope, Token

CREDENTIALS_CHANGED: Final = "credentials"
"""A word of ``sessions.types.End``, for those who stand below the sessions."""


def to_person(row: Operator) -> Person:
    """An operator without credentials."""
    return Person(
        id=row.pk,
        email=row.email,
        name=row.name,
        is_active=row.is_active,
        roles=tuple(map(Role, row.roles)),
        access_from=row.access_from,
        access_until=row.access_until,
        language=row.language,
        zone=row.zone,
        last_sign_in_at=row.last_login,
    )


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
        made_by_id=row.made_by_id,
        rotated_at=row.rotated_at,
    )


def find_operator(email: str) -> Person | None:
    """The operator with this address, in any case."""
    row = Operator.objects.filter(email__iexact=email).first()
    return None if row is None else to_person(row)


def operator(operator_id: int) -> Person:
    """The operator with this id."""
    return to_person(Operator.objects.get(pk=operator_id))


def roles(operator_id: int, *, now: datetime) -> tuple[Role, ...]:
    """The roles of the operator with this id; none where there is no such, or where they have no access now."""
    within = (Q(access_from=None) | Q(access_from__lte=now)) & (Q(access_until=None) | Q(access_until__gt=now))
    row = Operator.objects.filter(within, pk=operator_id, is_active=True).values_list("roles", flat=True).first()
    return tuple(map(Role, row or ()))


def find_by_id(operator_id: int) -> Person | None:
    """The operator with this id, if there is one."""
    row = Operator.objects.filter(pk=operator_id).first()
    return None if row is None else to_person(row)


def owners(*, but: int | None = None) -> int:
    """How many active people are owner for good, beside one of them: those whose access ends do not count."""
    found = Operator.objects.filter(is_active=True, access_until=None, roles__contains=[Role.OWNER.value])
    return int(found.exclude(pk=but).count())


def operators() -> list[Person]:
    """All operators, by their address."""
    return [to_person(row) for row in Operator.objects.order_by("email")]


def update_roles(operator_id: int, new: Iterable[Role]) -> None:
    """Replace an operator's roles."""
    Operator.objects.filter(pk=operator_id).update(roles=[role.value for role in new])


def insert_operator(*, email: str, name: str, password: str | None, roles: Iterable[Role]) -> Person:
    """A new operator with a hashed password, or with none that would ever fit."""
    row = Operator(email=email, name=name, password=make_password(password), roles=[role.value for role in roles])
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
    *,
    name: str,
    digest: bytes,
    prefix: str,
    scopes: Iterable[Scope],
    expires_at: datetime | None,
    made_by_id: int | None,
) -> Token:
    """A new token, known by its digest."""
    row = ApiToken(
        name=name,
        digest=digest,
        prefix=prefix,
        scopes=[scope.value for scope in scopes],
        expires_at=expires_at,
        made_by_id=made_by_id,
    )
    row.save(force_insert=True)
    row.refresh_from_db()
    return to_token(row)


def _live(now: datetime) -> Q:
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))


def live_token(token_id: int, *, now: datetime, lock: bool = False) -> Token | None:
    """The token with this id unless it is revoked or expired."""
    found = ApiToken.objects.filter(_live(now), pk=token_id)
    row = (found.select_for_update() if lock else found).first()
    return None if row is None else to_token(row)


def usable_token(digest: bytes, *, now: datetime) -> Token | None:
    """The token with this secret, or with this former one, unless it is revoked or expired.

    Notes its use at most once a minute.
    """
    row = ApiToken.objects.filter(_live(now), digest=digest).first()
    if row is None:
        former = FormerSecret.objects.filter(digest=digest, until__gt=now).values_list("token_id", flat=True).first()
        row = None if former is None else ApiToken.objects.filter(_live(now), pk=former).first()
    if row is None:
        return None
    ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(minutes=1)), pk=row.pk).update(
        last_used_at=now
    )
    return to_token(row)


def rotate_token(
    token_id: int, *, digest: bytes, prefix: str, former_until: datetime, expires_at: datetime | None, now: datetime
) -> Token:
    """Give a token another secret; the one it had is good until ``former_until``, and those before it no more."""
    FormerSecret.objects.filter(token_id=token_id).delete()
    row = ApiToken.objects.get(pk=token_id)
    if former_until > now:
        FormerSecret(token=row, digest=bytes(row.digest), until=former_until).save(force_insert=True)
    row.digest, row.prefix, row.rotated_at, row.expires_at = digest, prefix, now, expires_at
    row.save(update_fields=["digest", "prefix", "rotated_at", "expires_at"])
    return to_token(row)


def tokens() -> list[Token]:
    """All tokens, newest first."""
    return [to_token(row) for row in ApiToken.objects.order_by("-pk")]


def revoke_token(token_id: int, *, now: datetime) -> Token | None:
    """Mark a live token revoked; None when there is no such live token."""
    if not ApiToken.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=now):
        return None
    return to_token(ApiToken.objects.get(pk=token_id))


def revoke_tokens_of(operator_id: int, *, now: datetime) -> list[Token]:
    """Mark all live tokens that a person made revoked."""
    rows = list(ApiToken.objects.select_for_update().filter(made_by_id=operator_id, revoked_at=None).order_by("pk"))
    ApiToken.objects.filter(pk__in=[row.pk for row in rows]).update(revoked_at=now)
    return [to_token(row) for row in rows]


def has_password(operator_id: int, password: str) -> bool:
    """Whether this is the person's password."""
    return check_password(password, Operator.objects.values_list("password", flat=True).get(pk=operator_id))


def has_usable_password(operator_id: int) -> bool:
    """Whether the person has a password."""
    return is_password_usable(Operator.objects.values_list("password", flat=True).get(pk=operator_id))


def end_sessions(operator_id: int, *, why: str, now: datetime, but: int | None = None) -> int:
    """End a person's sessions, except ``but``, for a reason of ``sessions.types.End``; returns how many."""
    found = Session.objects.filter(operator_id=operator_id, ended_at=None)
    return int((found if but is None else found.exclude(pk=but)).update(ended_at=now, end=why))
