"""Statements on customers."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import psycopg

from trueup.customer import rules, stored
from trueup.customer.rules.identity import Trait
from trueup.customer.types import Customer, CustomerRow, CustomerState, Stage
from trueup.kernel.money import exponent
from trueup.kernel.records import Record
from trueup.runtime import arrays, database

LOCK: Final = b"select pg_advisory_xact_lock(k) from unnest(%(keys)b::int8[]) as k"
LOCK_PRODUCTS: Final = b"""
select case when alone then pg_advisory_xact_lock(k) else pg_advisory_xact_lock_shared(k) end
from unnest(%(keys)b::int8[], %(alone)b::bool[]) as row (k, alone)
"""
LOCK_SPACE: Final = 7_413_300_000
BUCKETS: Final = 1024
FOUND: Final = "id in (select customer_id from customer_lookup where search @@ %(query)s::tsquery)"
SEARCH_VERSION: Final = "1"
"""Raised when the words are made differently."""
SPLIT: Final = re.compile(r"[^\w]+|_")

UPSERT: Final = b"""
insert into customer_customer as c (
    id, account_id, livemode, stripe_customer_id, name, email, sort_name, stage, mrr_sort, last_event_at,
    fold_version, folded_at, state
)
select id, account_id, livemode, stripe_customer_id, nullif(name, ''), nullif(email, ''), sort_name, stage,
       mrr_sort::numeric, last_event_at, %(fold_version)b, clock_timestamp(), state
from unnest(
    %(id)b::text[], %(account_id)b::int8[], %(livemode)b::bool[], %(stripe_customer_id)b::text[],
    %(name)b::text[], %(email)b::text[], %(sort_name)b::text[], %(stage)b::text[], %(mrr_sort)b::text[],
    %(last_event_at)b::timestamptz[], %(state)b::text[]
) as row (
    id, account_id, livemode, stripe_customer_id, name, email, sort_name, stage, mrr_sort, last_event_at, state
)
on conflict (id) do update set
    name = excluded.name, email = excluded.email, sort_name = excluded.sort_name, stage = excluded.stage,
    mrr_sort = excluded.mrr_sort, last_event_at = excluded.last_event_at, fold_version = excluded.fold_version,
    folded_at = excluded.folded_at, state = excluded.state
"""

LOOKED_UP: Final = b"""
select k.customer_id, l.digest from unnest(%(id)b::text[]) as k (customer_id)
cross join lateral (select digest from customer_lookup where customer_id = k.customer_id offset 0) l
"""

LOOK_UP: Final = b"""
insert into customer_lookup (customer_id, account_id, livemode, stripe_customer_id, digest, product_ids, search)
select customer_id, account_id, livemode, stripe_customer_id, digest,
       coalesce(string_to_array(nullif(product_ids, ''), ' '), '{}'), array_to_tsvector(string_to_array(search, ' '))
from unnest(
    %(id)b::text[], %(account_id)b::int8[], %(livemode)b::bool[], %(stripe_customer_id)b::text[], %(digest)b::int8[],
    %(product_ids)b::text[], %(search)b::text[]
) as row (customer_id, account_id, livemode, stripe_customer_id, digest, product_ids, search)
on conflict (customer_id) do update set
    digest = excluded.digest, product_ids = excluded.product_ids, search = excluded.search
"""

BY_PRODUCTS: Final = b"""
select distinct l.account_id, l.livemode, l.stripe_customer_id
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(product_id)b::text[])
     as k (account_id, livemode, product_id)
join customer_lookup l on l.product_ids @> array[k.product_id] and l.account_id = k.account_id
    and l.livemode = k.livemode
"""

OUTDATED: Final = b"""
select account_id, livemode, stripe_customer_id from customer_customer
    where fold_version <> %(fold_version)s order by id limit %(limit)s
"""

NAMES: Final = b"""
select k.account_id, k.livemode, k.customer, coalesce(c.name, c.email)
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(customer)b::text[]) as k (account_id, livemode, customer)
left join customer_merged m
    on (m.account_id, m.livemode, m.stripe_customer_id) = (k.account_id, k.livemode, k.customer)
join customer_customer c
    on (c.account_id, c.livemode, c.stripe_customer_id) = (k.account_id, k.livemode, coalesce(m.leader, k.customer))
where coalesce(c.name, c.email) is not null
"""

FORGET: Final = b"""
with looked_up as (delete from customer_lookup where customer_id = any(%(ids)s))
delete from customer_customer where id = any(%(ids)s)
"""

MERGED_INTO: Final = b"""
select c.id from customer_merged m join customer_customer c
    on (c.account_id, c.livemode, c.stripe_customer_id) = (m.account_id, m.livemode, m.leader)
where m.customer_id = %(id)s or m.stripe_customer_id = %(id)s
order by c.last_event_at desc limit 1
"""

COLUMNS: Final = "id, account_id, livemode, last_event_at, folded_at, state"

SORTS: Final = {"name": "sort_name", "mrr": "mrr_sort", "last_event_at": "last_event_at"}
CASTS: Final = {"name": "text", "mrr": "numeric", "last_event_at": "timestamptz"}


class Folded(Record, frozen=True):
    """A state about to be written."""

    id: str
    account_id: int
    livemode: bool
    state: CustomerState
    last_event: int
    """When the newest event about it happened, in Unix seconds."""
    product_ids: tuple[str, ...]
    traits: tuple[tuple[str, tuple[Trait, ...]], ...] = ()
    """What ties each of its Stripe customers, by our id of that one, to the outside."""


@lru_cache(maxsize=16_384)
def own_id(key: tuple[int, bool, str]) -> str:
    """Our id for a Stripe customer of an account and mode.

    The same whenever it is computed, so a rebuild changes no link.
    """
    account_id, livemode, customer = key
    digest = hashlib.sha256(f"{account_id}|{int(livemode)}|{customer}".encode()).digest()
    return "tc_" + base64.b32encode(digest[:15]).decode().lower()


def sort_name(state: CustomerState) -> str:
    """What the list sorts names by: in lower case, the address or id where there is no name."""
    return (state.name or state.email or state.stripe_customer_id).casefold()[:200]


def mrr_sort(state: CustomerState) -> Decimal:
    """The largest MRR in major units, whatever its currency: good for an order, not for a sum."""
    amounts = [Decimal(mrr.numerator) / mrr.denominator / 10 ** exponent(mrr.currency) for mrr in state.mrr]
    return max(amounts, default=Decimal(0)).quantize(Decimal("0.00000001"))


def words_of(text: str) -> list[str]:
    """The searchable words of a text: in lower case, compatibility forms folded, whole and split at punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\x00", "")
    whole = folded.split()
    return [
        word[:200] for word in dict.fromkeys([*whole, *(part for word in whole for part in SPLIT.split(word))]) if word
    ]


def search_words(state: CustomerState, *, own_id: str) -> list[str]:
    """Everything a customer is found by."""
    texts = [state.name or "", state.email or "", *state.metadata.values()]
    # Ids are looked for whole or from their beginning: their parts would only fill the index.
    ids = [*(one.casefold()[:200] for one in state.stripe_customer_ids), own_id]
    return [*ids, *(word for text in texts[:22] for word in words_of(text[:400]))]


def search_query(q: str) -> str:
    """A text query in which every word of ``q`` must begin some word of the customer's.

    Empty when there is nothing to look for.
    """
    folded = unicodedata.normalize("NFKC", q).casefold().replace("\x00", "")
    quoted = ["'" + word[:200].replace("\\", "\\\\").replace("'", "''") + "':*" for word in folded.split()[:12]]
    return " & ".join(quoted)


def lock(customers: Sequence[tuple[int, bool, str]]) -> None:
    """Hold these customers until the transaction ends, so that two workers never fold one at once.

    A customer shares its lock with others of its bucket: PostgreSQL's lock table has room for some thousands, however
    many customers a batch speaks of. Locks are taken in ascending order, so that nobody deadlocks.
    """
    keys = sorted({LOCK_SPACE + _bucket(key) for key in customers})
    psycopg.Cursor(database.connection()).execute(LOCK, {"keys": keys})


def lock_products(*, read: Iterable[tuple[int, bool, str]], changed: Iterable[tuple[int, bool, str]]) -> None:
    """Hold products until the transaction ends: those read beside other readers, those that changed alone.

    Taken after the customers' locks, in ascending order, by everybody.
    """
    alone = {LOCK_SPACE + BUCKETS + _bucket(key): False for key in read}
    alone |= {LOCK_SPACE + BUCKETS + _bucket(key): True for key in changed}
    keys = sorted(alone)
    values = {"keys": keys, "alone": [alone[key] for key in keys]}
    psycopg.Cursor(database.connection()).execute(LOCK_PRODUCTS, values)


def _bucket(key: tuple[int, bool, str]) -> int:
    return zlib.crc32(f"{key[0]}|{key[2]}".encode()) % BUCKETS


def save(rows: Sequence[Folded], *, fold_version: int) -> list[Folded]:
    """Write states over whatever was there.

    Returns the rows whose words, products or traits are not what they were.
    """
    states = [row.state for row in rows]
    values: dict[str, Any] = _named(rows) | {
        "name": arrays.texts([state.name or "" for state in states]),
        "email": arrays.texts([state.email or "" for state in states]),
        "sort_name": arrays.texts([sort_name(state) for state in states]),
        "stage": arrays.texts([state.stage.value for state in states]),
        "mrr_sort": arrays.texts([str(mrr_sort(state)) for state in states]),
        "last_event_at": arrays.unix_times([row.last_event for row in rows]),
        "state": arrays.utf8s([stored.encode(state) for state in states]),
        "fold_version": fold_version,
    }
    psycopg.Cursor(database.connection()).execute(UPSERT, values)
    return _look_up(rows)


def _named(rows: Sequence[Folded]) -> dict[str, Any]:
    return {
        "id": arrays.texts([row.id for row in rows]),
        "account_id": arrays.int8s([row.account_id for row in rows]),
        "livemode": arrays.bools([row.livemode for row in rows]),
        "stripe_customer_id": arrays.texts([row.state.stripe_customer_id for row in rows]),
    }


def _look_up(rows: Sequence[Folded]) -> list[Folded]:
    """Write the words and products of customers where they are not what they were."""
    digests = [_digest(row) for row in rows]
    cursor = psycopg.Cursor(database.connection())
    known = dict(cursor.execute(LOOKED_UP, {"id": arrays.texts([row.id for row in rows])}, binary=True).fetchall())
    changed = [(row, digest) for row, digest in zip(rows, digests, strict=True) if known.get(row.id) != digest]
    moved = [row for row, _digest in changed]
    if moved:
        values = _named(moved) | {
            "digest": arrays.int8s([digest for _row, digest in changed]),
            "product_ids": arrays.texts([" ".join(row.product_ids) for row in moved]),
            "search": arrays.texts([" ".join(search_words(row.state, own_id=row.id)) for row in moved]),
        }
        cursor.execute(LOOK_UP, values)
    return moved


def _digest(row: Folded) -> int:
    """Changes whenever what a customer is found by does."""
    state = row.state
    ids = state.stripe_customer_ids[1:]
    marks = [trait.mark for _id, traits in row.traits for trait in traits]
    texts = (SEARCH_VERSION, *marks, *ids, state.name, state.email, *row.product_ids, "", *state.metadata.values())
    digest = hashlib.blake2b("\x1f".join([text or "" for text in texts]).encode("utf-8", "replace"), digest_size=8)
    return int.from_bytes(digest.digest(), "big", signed=True)


def forget(ids: Sequence[str]) -> None:
    """Drop the states of these customers (our ids) and what they are found by; another fold writes them again."""
    psycopg.Cursor(database.connection()).execute(FORGET, {"ids": list(ids)})


def by_products(products: Sequence[tuple[int, bool, str]]) -> list[tuple[int, bool, str]]:
    """Customers whose plans name one of these products."""
    values = {
        "account_id": [key[0] for key in products],
        "livemode": [key[1] for key in products],
        "product_id": [key[2] for key in products],
    }
    return [
        (row[0], row[1], row[2])
        for row in psycopg.Cursor(database.connection()).execute(BY_PRODUCTS, values, binary=True).fetchall()
    ]


def outdated(*, fold_version: int, limit: int) -> list[tuple[int, bool, str]]:
    """Customers folded by another version of the rules."""
    rows = (
        psycopg.Cursor(database.connection())
        .execute(OUTDATED, {"fold_version": fold_version, "limit": limit})
        .fetchall()
    )
    return [(row[0], row[1], row[2]) for row in rows]


def to_row(row: tuple[Any, ...], slugs: Mapping[int, str]) -> Customer:
    """A customer from ``COLUMNS``."""
    state = stored.decode(row[5])
    label, quantity = rules.plan_label(state)
    return Customer(
        id=row[0],
        account_id=row[1],
        account_slug=slugs.get(row[1], ""),
        livemode=row[2],
        stripe_customer_id=state.stripe_customer_id,
        name=state.name,
        email=state.email,
        stage=state.stage,
        billing_status=state.billing_status,
        plan_label=label,
        quantity=quantity,
        mrr=state.mrr,
        payment_method=state.payment_method,
        payment_method_on_file=state.payment_method_on_file,
        current_period_end=state.current_period_end,
        trial_end=state.trial_end,
        cancel_at_period_end=state.cancel_at_period_end,
        last_event_at=row[3],
        folded_at=row[4],
        state=state,
        merged_ids=tuple(own_id((row[1], row[2], one)) for one in state.stripe_customer_ids[1:]),
    )


def as_row(customer: Customer) -> CustomerRow:
    """A customer without its whole state, as lists show it."""
    return CustomerRow(**{name: getattr(customer, name) for name in CustomerRow.__struct_fields__})


def _filters(*, q: str, stage: Stage | None, account_id: int | None) -> tuple[list[str], dict[str, Any]]:
    where, values = ["true"], dict[str, Any]()
    query = search_query(q)
    if q.strip():
        where.append(FOUND if query else "false")
        values["query"] = query
    if stage is not None:
        where.append("stage = %(stage)s")
        values["stage"] = stage.value
    if account_id is not None:
        where.append("account_id = %(account_id)s")
        values["account_id"] = account_id
    return where, values


def page(
    *,
    q: str,
    stage: Stage | None,
    account_id: int | None,
    sort: str,
    descending: bool,
    limit: int,
    after: tuple[str, str] | None,
    slugs: Mapping[int, str],
) -> list[tuple[CustomerRow, str]]:
    """Rows after a cursor (sort value as text, id) in the asked order, each with its own sort value as text."""
    column = SORTS[sort]
    direction, than = ("desc", "<") if descending else ("asc", ">")
    where, values = _filters(q=q, stage=stage, account_id=account_id)
    if after is not None:
        where.append(f"({column}, id) {than} (%(value)s::{CASTS[sort]}, %(id)s)")
        values |= {"value": after[0], "id": after[1]}
    values["limit"] = limit
    sql = (
        f"select {COLUMNS}, {column}::text from customer_customer c where {' and '.join(where)} "  # noqa: S608 - all parts are constants here
        f"order by c.{column} {direction}, c.id {direction} limit %(limit)s"
    )
    return [(as_row(to_row(row[:6], slugs)), row[6]) for row in database.execute(sql, values).fetchall()]


def counts(*, q: str, account_id: int | None) -> dict[Stage, int]:
    """How many customers are in each stage."""
    where, values = _filters(q=q, stage=None, account_id=account_id)
    sql = f"select stage, count(*) from customer_customer where {' and '.join(where)} group by stage"  # noqa: S608
    found = dict(database.execute(sql, values).fetchall())
    return {stage: found.get(stage.value, 0) for stage in Stage}


def names(customers: Sequence[tuple[int, bool, str]]) -> dict[tuple[int, bool, str], str]:
    """Names, or emails, of these customers."""
    values = {
        "account_id": [key[0] for key in customers],
        "livemode": [key[1] for key in customers],
        "customer": [key[2] for key in customers],
    }
    rows = psycopg.Cursor(database.connection()).execute(NAMES, values, binary=True).fetchall()
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def find(identifier: str, slugs: Mapping[int, str]) -> Customer | None:
    """The customer with our id or Stripe's; the one seen last where two accounts know the same Stripe id.

    One that was merged into another is answered by that one.
    """
    sql = (
        f"select {COLUMNS} from customer_customer where id = %(id)s or stripe_customer_id = %(id)s "  # noqa: S608
        "order by last_event_at desc limit 1"
    )
    row = database.execute(sql, {"id": identifier}).fetchone()
    if row is None:
        leader = psycopg.Cursor(database.connection()).execute(MERGED_INTO, {"id": identifier}).fetchone()
        if leader is not None:
            row = database.execute(sql, {"id": leader[0]}).fetchone()
    return None if row is None else to_row(row, slugs)
