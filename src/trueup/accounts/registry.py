"""What the intake reads of accounts, without Django: slugs, modes, opened secrets, and connected accounts.

All functions take a psycopg connection and commit with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import psycopg

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import system
from trueup.kernel.records import Record
from trueup.runtime.crypto import Sealer

SECRET_PURPOSE: Final = "accounts_webhooksecret.sealed"  # noqa: S105 - the name of a column
KEY_PURPOSE: Final = "accounts_account.api_key_sealed"
REVISION: Final = b"select coalesce((select number from accounts_revision where id = 1), 0)"
ENDPOINTS: Final = b"""
select a.id, a.slug, a.livemode, a.stripe_account_id,
       coalesce(array_agg(s.sealed order by s.id desc) filter (where s.id is not null and s.retired_at is null), '{}')
from accounts_account a left join accounts_webhooksecret s on s.account_id = a.id
where a.parent_id is null group by a.id
"""
CONNECTED: Final = (
    b"select parent_id, livemode, stripe_account_id, id from accounts_account where parent_id is not null"
)
# Own slugs hold no underscore and Stripe's ids no hyphen, so two connected accounts never get the same slug.
APPEAR: Final = b"""
insert into accounts_account (slug, name, livemode, access, stripe_account_id, parent_id, created_at)
select p.slug || '-' || %(stripe)b || case when %(livemode)b then '-live' else '' end, %(stripe)b, %(livemode)b,
p.access,
       %(stripe)b, p.id, now()
from accounts_account p where p.id = %(parent)b
on conflict do nothing returning id, slug
"""
FIND: Final = b"""
select id from accounts_account
where parent_id = %(parent)b and livemode = %(livemode)b and stripe_account_id = %(stripe)b
"""


class Endpoint(Record, frozen=True):
    """A webhook address: whose it is and which secrets verify it, newest first."""

    account_id: int
    slug: str
    livemode: bool
    stripe_account_id: str | None
    secrets: tuple[bytes, ...]


Connected = Mapping[tuple[int, bool, str], int]
"""(parent id, livemode, Stripe's account id) to our account id."""


def revision(connection: psycopg.Connection[tuple[Any, ...]]) -> int:
    """A number that moves with every change of accounts and secrets."""
    row = connection.execute(REVISION).fetchone()
    return int(row[0]) if row else 0


def endpoints(connection: psycopg.Connection[tuple[Any, ...]], sealer: Sealer) -> dict[str, Endpoint]:
    """All webhook addresses by slug, secrets opened."""
    found = {}
    for account_id, slug, livemode, stripe_account_id, sealed in connection.execute(ENDPOINTS).fetchall():
        secrets = tuple(sealer.open(value, purpose=SECRET_PURPOSE) for value in sealed)
        found[slug] = Endpoint(
            account_id=account_id, slug=slug, livemode=livemode, stripe_account_id=stripe_account_id, secrets=secrets
        )
    return found


def connected(connection: psycopg.Connection[tuple[Any, ...]]) -> dict[tuple[int, bool, str], int]:
    """All connected accounts seen so far."""
    return {(row[0], row[1], row[2]): row[3] for row in connection.execute(CONNECTED).fetchall()}


def appear(
    connection: psycopg.Connection[tuple[Any, ...]], *, parent_id: int, livemode: bool, stripe_account_id: str
) -> int:
    """The id of a connected account, made with an audit entry when this is its first event.

    Safe to call from several processes at once.
    """
    values = {"parent": parent_id, "livemode": livemode, "stripe": stripe_account_id}
    with connection.transaction():
        row = connection.execute(APPEAR, values).fetchone()
        if row is not None:
            after = {
                "slug": row[1],
                "stripe_account_id": stripe_account_id,
                "livemode": livemode,
                "parent_id": parent_id,
            }
            by = system("intake")
            audit.record(
                connection,
                by=by,
                action=Action.ACCOUNT_APPEARED,
                object_type="account",
                object_id=str(row[0]),
                livemode=livemode,
                after=after,
            )
            return int(row[0])
    found = connection.execute(FIND, values).fetchone()
    if found is None:
        message = f"connected account under {parent_id} neither inserted nor found"
        raise psycopg.OperationalError(message)
    return int(found[0])
