"""Objects that were read from Stripe's API, on their way into the log: the same door that events come through.

What is stored is an envelope of our own around the exact bytes of the object. ``mirror.rules`` reads it like an event,
and ``mirror.order`` says whether it is the newest that is known: being read late does not make an object new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import groupby
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from trueup.accounts.types import Account
from trueup.connectors.stripe.client import API_VERSION
from trueup.inbox import storing
from trueup.inbox.storing import Arrival
from trueup.inbox.types import Kind, Source
from trueup.kernel.errors import Broken
from trueup.kernel.records import Record
from trueup.mirror import rules, store
from trueup.mirror.order.fingerprint import fingerprint
from trueup.mirror.order.history import may_be_refuted
from trueup.mirror.order.types import Verdict
from trueup.mirror.reading import parse
from trueup.mirror.types import ObjectKey
from trueup.runtime import database

_EPOCH_SHIFT: Final = 1_000_000


class Read(Record, frozen=True):
    """One object as the API gave it; ``body`` is its JSON as it came, None where there is no such object any more.

    ``second`` is a unix second of the object's own clock that had not passed when reading began: ``Answer.second``, or
    for an object on a test clock the ``frozen_time`` that was read before. ``lists`` holds, by field, all elements
    (each its JSON) of a list of which ``body`` shows the beginning. ``alone`` says that the object was asked for by its
    id with all that there is to it: asking again would show no more.
    """

    object_type: str
    object_id: str
    body: bytes | None
    second: int
    lists: Mapping[str, Sequence[bytes]] = {}
    alone: bool = False


class Kept(Record, frozen=True):
    """What became of objects that were read: stored, or known already just so."""

    stored: int
    known: int


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool = False


class _Named(msgspec.Struct):
    id: str
    object: str


_page: Final = msgspec.json.Decoder(_Page)
_named: Final = msgspec.json.Decoder(_Named)


def begin() -> datetime:
    """The moment, by the database's clock, before Stripe is asked: what is in the log by then is older than the answer.

    Never inside a transaction: its time stands still.
    """
    connection = database.connection()
    row = connection.execute("select clock_timestamp()").fetchone()
    if row is None:  # pragma: no cover - a select without a table has a row
        raise Broken("The database told no time.", code="no_time")
    moment: datetime = row[0]
    return moment


def split(body: bytes) -> tuple[list[bytes], bool]:
    """A page of a list: the JSON of each object as it came, and whether there is more."""
    page = _page.decode(body)
    return [bytes(one) for one in page.data], page.has_more


def name_of(body: bytes) -> tuple[str, str]:
    """Type and id of an object's JSON."""
    named = _named.decode(body)
    return named.object, named.id


def keep(account: Account, reads: Sequence[Read], *, source: Source, begun: datetime, even_known: bool = False) -> Kept:
    """Store what was read of an account, in the caller's transaction.

    ``begun`` is what ``begin`` gave before Stripe was asked. An object whose newest version is known for certain, in
    the same API version, and says just this, teaches nothing and is left out, unless ``even_known``.
    """
    keyed = {
        ObjectKey(
            account_id=account.id, livemode=account.livemode, object_type=one.object_type, object_id=one.object_id
        ): one
        for one in reads
    }
    keys = sorted(keyed, key=lambda key: (key.object_type, key.object_id))
    heads = store.current(keys)
    told = {key: _told(keyed[key]) for key in keys}
    new = [key for key in keys if even_known or not _is_known(keyed[key], told[key], heads.get(key))]
    # Of an object that may be there though it was told to be gone, that is named by the one that finds it: see
    # ``order.history``.
    since = {key: 0 if _was_gone(heads.get(key)) else keyed[key].second for key in new}
    before = _before(since, begun)
    storing.store(
        [_arrival(key, _Asked(keyed[key], told[key], before.get(key, ()), begun), heads.get(key)) for key in new],
        source=source,
    )
    return Kept(stored=len(new), known=len(keys) - len(new))


def _told(read: Read) -> dict[str, Any] | None:
    if read.body is None:
        return None
    data: dict[str, Any] = parse(read.body)
    return None if data.get("deleted") is True else data


def _is_known(read: Read, told: dict[str, Any] | None, known: store.Current | None) -> bool:
    if known is None:
        return False
    head = known.head
    if told is None:
        return head.deleted
    return (
        not head.deleted
        and not read.lists
        and head.verdict is Verdict.CERTAIN
        and not head.tied
        and head.version == API_VERSION
        and head.state == fingerprint(told)
    )


def _was_gone(known: store.Current | None) -> bool:
    return known is not None and known.head.deleted and may_be_refuted(known.head, known.head.made)


def _before(since: Mapping[ObjectKey, int], begun: datetime) -> dict[ObjectKey, list[tuple[int, str, bool]]]:
    """The facts about these objects that were in the log before reading began, from a second on.

    With each its second, its id, and whether it is a deletion that a reading may refute.
    """
    rows = store.facts_before(since, begun) if since else []
    return {key: [row[1:] for row in found] for key, found in groupby(rows, key=lambda row: row[0])}


class _Asked(NamedTuple):
    """A read, what it says, the facts that were in the log before, and since when."""

    read: Read
    told: dict[str, Any] | None
    before: Sequence[tuple[int, str, bool]]
    begun: datetime


def _arrival(key: ObjectKey, asked: _Asked, known: store.Current | None) -> Arrival:
    read, told, before, begun = asked
    # What was in the log before reading began happened before it, whatever the clocks say.
    second = max([read.second, *(at for at, _fact_id, _gone in before)])
    after = sorted(fact_id for at, fact_id, gone in before if at == second or (gone and told is not None))
    # One that is gone does not say when it was made; the one that was there when reading began is meant.
    made = known.head.made if told is None and known is not None and before else None
    body = read.body or b""
    if told is None:
        body = orjson.dumps({"id": key.object_id, "object": key.object_type, "deleted": True})
    # One object is not read twice from one moment on, so this names the reading, and the same names come in one order.
    named = blake2b(f"{key.object_type} {key.object_id}".encode(), digest_size=6).hexdigest()
    event_id = f"read_{int(begun.timestamp() * _EPOCH_SHIFT):014x}{named}"
    envelope = {
        "id": event_id,
        "object": rules.READ,
        "type": rules.READ,
        "created": second,
        "livemode": key.livemode,
        "api_version": API_VERSION,
        "data": {"object": msgspec.Raw(body)},
        "read": {
            "begun_at": begun,
            "after": after,
            "made": made,
            "alone": read.alone,
            "lists": {name: [msgspec.Raw(one) for one in elements] for name, elements in read.lists.items()},
        },
    }
    return Arrival(
        account_id=key.account_id,
        livemode=key.livemode,
        event_id=event_id,
        created=second,
        type=rules.READ,
        kind=Kind.READ,
        body=msgspec.json.encode(envelope),
        object_type=key.object_type,
        object_id=key.object_id,
        customer=None if told is None else rules.customer_of(key.object_type, told),
        api_version=API_VERSION,
    )
