"""Queries on accounts; ORM objects stay here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db.models import F

from trueup.accounts.models import Account as AccountRow
from trueup.accounts.models import Canary, Revision
from trueup.accounts.models import WebhookSecret as SecretRow
from trueup.accounts.types import Access, Account, WebhookSecret
from trueup.runtime import database


def to_account(row: AccountRow) -> Account:
    """An account without its secrets."""
    return Account(
        id=row.pk,
        slug=row.slug,
        name=row.name,
        livemode=row.livemode,
        access=Access(row.access),
        stripe_account_id=row.stripe_account_id,
        parent_id=row.parent_id,
        api_base=row.api_base,
        has_api_key=row.api_key_sealed is not None,
        created_at=row.created_at,
    )


def to_secret(row: SecretRow) -> WebhookSecret:
    """A signing secret's public face."""
    return WebhookSecret(
        id=row.pk, account_id=row.account_id, hint=row.hint, created_at=row.created_at, retired_at=row.retired_at
    )


def bump() -> None:
    """Move the revision, in the transaction of the change it announces."""
    if not Revision.objects.filter(pk=1).update(number=F("number") + 1):
        Revision.objects.bulk_create([Revision(id=1, number=1)], ignore_conflicts=True)


# Whoever does anything for an account asks for it first, so these are statements that the server has planned already.
READ: Final = """
select id, slug, name, livemode, access, stripe_account_id, parent_id, api_base, api_key_sealed is not null, created_at
from accounts_account
"""
BY_SLUG: Final = f"{READ} where slug = %s"
BY_SLUG_LOCKED: Final = f"{BY_SLUG} for update"
BY_ID: Final = f"{READ} where id = %s"
ALL: Final = f"{READ} order by parent_id nulls first, slug"
SEALED_KEY: Final = "select api_key_sealed from accounts_account where id = %s"


def _account(row: tuple[Any, ...]) -> Account:
    fields = dict(zip(Account.__struct_fields__, row, strict=True))
    return Account(**fields | {"access": Access(fields["access"])})


def by_slug(slug: str, *, lock: bool = False) -> Account | None:
    """The account with this slug; ``lock`` keeps it until the transaction ends."""
    row = database.execute(BY_SLUG_LOCKED if lock else BY_SLUG, (slug,)).fetchone()
    return None if row is None else _account(row)


def by_id(account_id: int) -> Account | None:
    """The account with this id."""
    row = database.execute(BY_ID, (account_id,)).fetchone()
    return None if row is None else _account(row)


def all_accounts() -> list[Account]:
    """All accounts, own ones first, then connected ones, by slug."""
    return [_account(row) for row in database.execute(ALL).fetchall()]


def insert(
    *,
    slug: str,
    name: str,
    livemode: bool,
    access: Access,
    stripe_account_id: str | None,
    api_base: str | None,
    api_key_sealed: bytes | None,
) -> Account:
    """A new account of our own."""
    row = AccountRow(
        slug=slug,
        name=name,
        livemode=livemode,
        access=access.value,
        stripe_account_id=stripe_account_id,
        api_base=api_base,
        api_key_sealed=api_key_sealed,
    )
    row.save(force_insert=True)
    row.refresh_from_db()
    return to_account(row)


def update(account_id: int, **changes: object) -> Account:
    """Change columns of an account."""
    AccountRow.objects.filter(pk=account_id).update(**changes)
    return to_account(AccountRow.objects.get(pk=account_id))


def sealed_key(account_id: int) -> bytes | None:
    """The encrypted API key."""
    row = database.execute(SEALED_KEY, (account_id,)).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def insert_secret(account_id: int, *, sealed: bytes, hint: str) -> WebhookSecret:
    """A new active signing secret."""
    row = SecretRow(account_id=account_id, sealed=sealed, hint=hint)
    row.save(force_insert=True)
    row.refresh_from_db()
    return to_secret(row)


def sealed_secrets(account_id: int) -> list[tuple[WebhookSecret, bytes]]:
    """Active signing secrets with their encrypted values, newest first."""
    rows = SecretRow.objects.filter(account_id=account_id, retired_at=None).order_by("-pk")
    return [(to_secret(row), bytes(row.sealed)) for row in rows]


def retire_secret(secret_id: int, *, now: datetime) -> bool:
    """End a signing secret; False when it was not active."""
    return bool(SecretRow.objects.filter(pk=secret_id, retired_at=None).update(retired_at=now))


def canary() -> bytes | None:
    """The sealed canary, if one was planted."""
    value = Canary.objects.values_list("sealed", flat=True).filter(pk=1).first()
    return None if value is None else bytes(value)


def plant_canary(sealed: bytes) -> None:
    """Keep the canary, unless another process was first."""
    Canary.objects.bulk_create([Canary(id=1, sealed=sealed)], ignore_conflicts=True)
