"""Statements on customers."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import psycopg

from trueup.customer import rules, stored
from trueup.customer.rules.identity import Trait
from trueup.customer.statements import (
    BY_PRODUCTS,
    CLEAR,
    FORGET,
    LOCK_PRODUCTS,
    LOOK_UP,
    LOOKED_UP,
    MERGED_INTO,
    NAMES,
    OUTDATED,
    TURNED,
    UNTIE,
    UPSERT,
)
from trueup.customer.types import Customer, CustomerRow, CustomerState
from trueup.kernel.money import exponent
from trueup.kernel.records import Record
from trueup.runtime import arrays, database
from trueup.runtime.wake import CHANNEL

LOCK: Final = b"select pg_advisory_xact_lock(k) from unnest(%(keys)b::int8[]) as k"
LOCK_SPACE: Final = 7_413_300_000
BUCKETS: Final = 1024
MOVED_TOPIC: Final = "customer.moved"
SEARCH_VERSION: Final = "1"
"""Raised when the words are made differently."""
SPLIT: Final = re.compile(r"[^\w]+|_")

COLUMNS: Final = "id, account_id, livemode, last_event_at, folded_at, state"


class Folded(Record, frozen=True):
    """A state about to be written."""

    id: str
    account_id: int
    livemode: bool
    state: CustomerState
    last_event: int
    """When the newest event about it happened, in Unix seconds."""
    standing: int
    """As ``rules.standing`` has it."""
    product_ids: tuple[str, ...]
    turns_at: int | None = None
    """When time alone gives it another state, in Unix seconds of our clock."""
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


def save(rows: Sequence[Folded], *, fold_version: int, topic: str) -> list[Folded]:
    """Write states over whatever was there, and wake ``topic``.

    Returns the rows whose words, products or traits are not what they were.
    """
    states = [row.state for row in rows]
    values: dict[str, Any] = _named(rows) | {
        "name": arrays.texts([state.name or "" for state in states]),
        "email": arrays.texts([state.email or "" for state in states]),
        "sort_name": arrays.texts([sort_name(state) for state in states]),
        "stage": arrays.texts([state.stage.value for state in states]),
        "mrr_sort": arrays.texts([str(mrr_sort(state)) for state in states]),
        "billing_status": arrays.texts([state.billing_status or "" for state in states]),
        "trial_end": arrays.unix_times(
            [int(state.trial_end.timestamp()) if state.trial_end else 0 for state in states]
        ),
        "last_event_at": arrays.unix_times([row.last_event for row in rows]),
        "standing": arrays.int8s([row.standing for row in rows]),
        "state": arrays.utf8s([stored.encode(state) for state in states]),
        "fold_version": fold_version,
        "channel": CHANNEL,
        "topic": topic,
        "moved_topic": MOVED_TOPIC,
    }
    turning = [(row, row.turns_at) for row in rows if row.turns_at is not None]
    values |= {f"turn_{name}": value for name, value in _named([row for row, _at in turning]).items()}
    values |= {
        "turn_at": arrays.unix_times([at for _row, at in turning]),
        "settled": arrays.texts([row.id for row in rows if row.turns_at is None]),
    }
    psycopg.Cursor(database.connection()).execute(UPSERT, values)
    return _look_up(rows)


def _seconds(moment: datetime | None) -> int:
    """In Unix seconds; 0 stands for none."""
    return 0 if moment is None else int(moment.timestamp())


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


def remove(ids: Sequence[str]) -> None:
    """Drop the states of customers (our ids) of whom there is no object, and all that followed from them."""
    forget(ids)
    psycopg.Cursor(database.connection()).execute(UNTIE, {"ids": list(ids)})


def clear() -> None:
    """Drop every state and whatever else the fold derived."""
    psycopg.Cursor(database.connection()).execute(CLEAR)


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


def turned(*, until: datetime, limit: int) -> list[tuple[int, bool, str]]:
    """Customers whom time alone has changed by a moment, the longest ago first."""
    values = {"until": until, "limit": limit}
    rows = psycopg.Cursor(database.connection()).execute(TURNED, values).fetchall()
    return [(row[0], row[1], row[2]) for row in rows]


def to_row(row: tuple[Any, ...], slugs: Mapping[int, str]) -> Customer:
    """A customer from ``COLUMNS``."""
    return customer_of(
        stored.decode(row[5]),
        id=row[0],
        key=(row[1], row[2]),
        slug=slugs.get(row[1], ""),
        last_event_at=row[3],
        folded_at=row[4],
    )


def customer_of(
    state: CustomerState,
    *,
    id: str,  # noqa: A002 - the field's name
    key: tuple[int, bool],
    slug: str,
    last_event_at: datetime,
    folded_at: datetime,
) -> Customer:
    """A customer with this state; ``key`` is its account and mode."""
    label, quantity = rules.plan_label(state)
    return Customer(
        id=id,
        account_id=key[0],
        account_slug=slug,
        livemode=key[1],
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
        last_event_at=last_event_at,
        folded_at=folded_at,
        state=state,
        merged_ids=tuple(own_id((*key, one)) for one in state.stripe_customer_ids[1:]),
    )


def as_row(customer: Customer) -> CustomerRow:
    """A customer without its whole state, as lists show it."""
    return CustomerRow(**{name: getattr(customer, name) for name in CustomerRow.__struct_fields__})


def names(customers: Sequence[tuple[int, bool, str]]) -> dict[tuple[int, bool, str], str]:
    """Names, emails or Stripe's ids of these customers, without those that there are not."""
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
