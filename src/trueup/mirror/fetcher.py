"""Fetching from Stripe what ``fetching`` holds: lease, look whether it is still worth a call, read, store, forget."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.accounts.calls import Lane
from trueup.accounts.errors import AccountMismatch, ApiKeyMissing
from trueup.accounts.types import Account
from trueup.connectors.stripe.errors import (
    StripeMissing,
    StripeParameterMissing,
    StripeRefused,
    StripeUnauthorized,
)
from trueup.connectors.stripe.resources import RESOURCES, Resource
from trueup.inbox import service as inbox
from trueup.inbox.types import AwaitingRow, Source
from trueup.kernel.errors import Refused, Unavailable
from trueup.mirror import fetching, reading, reads, store
from trueup.mirror import service as mirror
from trueup.mirror.fetching import Reason, Wanted
from trueup.mirror.order.fingerprint import fingerprint
from trueup.mirror.order.types import Head, Trace
from trueup.mirror.reading import parse
from trueup.mirror.reads import Read
from trueup.mirror.rules import customer_of
from trueup.mirror.types import ObjectKey
from trueup.runtime import database, logs
from trueup.runtime.drains import DATABASE_ERRORS, is_the_rows_fault
from trueup.runtime.errands import Errand

log = logs.get(__name__)

AT_ONCE: Final = 10
"""Objects that one round takes; each is a call or two."""
LEASE_SECONDS: Final = 120.0
AWAITING: Final = 500
AWAITING_SECONDS: Final = 10.0
"""How soon a thin event is looked at again whose object is being fetched."""
MOST_ATTEMPTS: Final = 8
TRIES: Final = 3
"""How often an object is read again because it changed while its lists were read."""
NO_FAULT_OF_THE_OBJECT: Final = (StripeUnauthorized, ApiKeyMissing, AccountMismatch)
"""What is wrong with the account's key: every object of it waits until that is mended."""
CLOCK: Final = "test_helpers.test_clock"
EXPANDED: Final[Mapping[str, Mapping[str, Any]]] = {"price": {"expand": ["tiers", "currency_options"]}}
"""What is left out of an object unless it is asked for, and states are computed from."""

_clock: Final = msgspec.json.Decoder(dict[str, Any])


class _Moved(Unavailable):
    """The object changed while its lists were being read, or its clock is being advanced."""

    code = "object_moving"


def run(stop: threading.Event) -> int:
    """Fetch what is due; answers how many objects were dealt with."""
    return fetch_due(stop=stop)


def fetch_due(*, ahead: float = 0.0, stop: threading.Event | None = None) -> int:
    """One round: thin events become requests, then up to ``AT_ONCE`` objects are fetched.

    ``ahead`` takes those that fall due within so many seconds too. Answers how many were dealt with, 0 when nothing was
    due.
    """
    ask_for_thin()
    wanted = fetching.claim(limit=AT_ONCE, seconds=LEASE_SECONDS, ahead=ahead)
    for one in wanted:
        if stop is not None and stop.is_set():
            # Its lease runs out, and another worker takes it.
            break
        fetch(one)
    return len(wanted)


def ask_for_thin() -> int:
    """Have the objects fetched that thin events name; those whose twin or a later fact has come are finished.

    Answers how many thin events were looked at.
    """
    leased = inbox.lease_awaiting(limit=AWAITING, seconds=AWAITING_SECONDS)
    if not leased:
        return 0
    keys = {row.id: _key_of(row) for row in leased}
    known = [key for key in keys.values() if key is not None]
    with database.transaction():
        traces = store.traces(dict.fromkeys(known, 0)) if known else {}
        over: list[int] = []
        told: dict[ObjectKey, int] = {}
        for row in leased:
            key, second = keys[row.id], int(row.created.timestamp())
            if key is None or not fetching.can_fetch(key.object_type):
                if _nothing_to_fetch(row):
                    over.append(row.id)
                continue
            if any(_tells(trace, row.type, second) for trace in traces.get(key, ())):
                over.append(row.id)
            else:
                told[key] = max(second, told.get(key, 0))
        fetching.want(list(told), reason=Reason.THIN, told_at=told)
        if over:
            inbox.finish_awaiting(over)
    for row in leased:
        key = keys[row.id]
        if (key is None or not fetching.can_fetch(key.object_type)) and not _nothing_to_fetch(row):
            inbox.fail_awaiting(row.id, f"unfetchable: {row.object_type} cannot be read from Stripe's API", final=True)
    return len(leased)


def _nothing_to_fetch(row: AwaitingRow) -> bool:
    """Whether a thin event leaves nothing to do, though its object cannot be read by its id.

    ``v1.`` events have a snapshot twin, which the sweep reads where no webhook brings it: of discounts and of invoices
    to come it is all that there is.
    """
    return row.type.startswith("v1.") and row.account_id in accounts.readable()


def _key_of(row: AwaitingRow) -> ObjectKey | None:
    if row.object_type is None or row.object_id is None:
        return None
    return ObjectKey(
        account_id=row.account_id, livemode=row.livemode, object_type=row.object_type, object_id=row.object_id
    )


def _tells(trace: Trace, thin_type: str, second: int) -> bool:
    """Whether a fact says what a thin event only announces: its snapshot twin, a later event, or a later reading."""
    if trace.read:
        return trace.second >= second
    return trace.second > second or (trace.second == second and trace.event_type == thin_type.removeprefix("v1."))


def fetch(wanted: Wanted) -> None:
    """Read one object and store it; what Stripe will not give is set aside, and an outage only waits."""
    known = store.current([wanted.key]).get(wanted.key)
    if not _needed(wanted, known):
        with database.transaction():
            fetching.done(wanted)
        return
    try:
        account = accounts.account(wanted.key.account_id)
        begun = reads.begin()
        read = read_one(account, wanted.key, told_at=wanted.told_at)
        with database.transaction():
            reads.keep(account, [read], source=Source.REFETCH, begun=begun, even_known=True)
            fetching.done(wanted)
    except (Unavailable, *NO_FAULT_OF_THE_OBJECT) as error:
        fetching.again(wanted, f"{error.code}: {error.message}")
    except Refused as error:
        _give_up(wanted, f"{error.code}: {error.message}")
        log.error("fetch.set_aside", reason=wanted.reason.value, type=wanted.key.object_type, code=error.code)
    except Exception as error:
        # Whatever an object does to us, those that were leased with it are read.
        if isinstance(error, DATABASE_ERRORS) and not is_the_rows_fault(error):
            raise
        final = wanted.attempts + 1 >= MOST_ATTEMPTS
        if final:
            _give_up(wanted, type(error).__name__)
        else:
            fetching.again(wanted, type(error).__name__)
        log.warning("fetch.failed", type=wanted.key.object_type, error=type(error).__name__, set_aside=final)


def _give_up(wanted: Wanted, error: str) -> None:
    """Set a row aside, and have its customer folded from what is known: nobody waits for the rest any more."""
    key = wanted.key
    known = store.current([key]).get(key)
    with database.transaction():
        fetching.again(wanted, error, final=True)
        if known is not None and known.customer is not None:
            owner = ObjectKey(
                account_id=key.account_id, livemode=key.livemode, object_type="customer", object_id=known.customer
            )
            mirror.mark_changed([owner])


def _needed(wanted: Wanted, known: store.Current | None) -> bool:
    """Whether what happened since the request left anything to find out."""
    if known is None or wanted.reason in {Reason.SET_ASIDE, Reason.ASKED}:
        return True
    head = known.head
    if wanted.told_at > head.second or (wanted.told_at == head.second and not head.read):
        return True
    return fetching.doubt(head) is not None or _is_cut(wanted.key, head)


def _is_cut(key: ObjectKey, head: Head) -> bool:
    """Whether lists of the newest version show their beginning alone; of a page that was listed they may as well."""
    if head.deleted or not fetching.may_be_cut(key.object_type):
        return False
    told = reading.read([(key, head.second, head.fact_id)]).get(key)
    return told is not None and fetching.is_cut(told.fact)


def read_one(account: Account, key: ObjectKey, *, told_at: int = 0, lane: Lane = Lane.EVENTS) -> Read:
    """The object as Stripe has it now, its lists whole; without a body where Stripe has it no more.

    ``told_at`` is a second at which it is known to have been changed. Raises what ``calls.get`` raises, and
    ``Unavailable`` while it or its test clock is on the move.
    """
    resource = RESOURCES[key.object_type]
    path = resource.one(key.object_id)
    if path is None:
        raise StripeRefused(f"A {key.object_type} cannot be read by its id.")
    clock = _clock_of(account, key, lane)
    second = 0 if clock is None else _frozen(account, clock, lane)
    for _ in range(TRIES):
        try:
            answer = calls.get(account, path, EXPANDED.get(key.object_type), lane=lane)
        except StripeMissing as missing:
            # On a clock that is gone too, what was last known of the object tells the time.
            return Read(
                object_type=key.object_type,
                object_id=key.object_id,
                body=None,
                second=max(told_at, missing.second if clock is None else second),
            )
        data: dict[str, Any] = parse(answer.body)
        named = data.get("test_clock") if clock is None else None
        if clock is None and not isinstance(named, str):
            named = _clock_of_customer(account, key, customer_of(key.object_type, data), lane)
        if isinstance(named, str):
            # Only now it is known which clock it lives by; its time has to be read before the object is.
            clock, second = named, _frozen(account, named, lane)
            continue
        try:
            lists = _lists(account, resource, key.object_id, data, lane)
            whole = not lists or fingerprint(parse(calls.get(account, path, lane=lane).body)) == fingerprint(data)
        except (StripeMissing, StripeParameterMissing):
            # It, or what a page ended with, went while its lists were read: the next look at it says so.
            continue
        if whole:
            return Read(
                object_type=key.object_type,
                object_id=key.object_id,
                body=answer.body,
                second=max(told_at, answer.second if clock is None else second),
                lists=lists,
                alone=True,
            )
    raise _Moved(f"{key.object_id} changed again and again while it was read.")


def _lists(
    account: Account, resource: Resource, object_id: str, data: Mapping[str, Any], lane: Lane
) -> dict[str, Sequence[bytes]]:
    """The whole of every list inside of an object that shows its beginning alone."""
    found: dict[str, Sequence[bytes]] = {}
    for inner in resource.lists:
        if not fetching.goes_on(data, inner.field.split(".")):
            continue
        path, params = inner.whole(object_id)
        elements: list[bytes] = []
        more, after = True, dict[str, str]()
        while more:
            page = calls.get(account, path, {**params, **after, "limit": 100}, lane=lane)
            rows, more = reads.split(page.body)
            elements += rows
            more = more and bool(rows)
            if rows:
                after = {"starting_after": reads.name_of(rows[-1])[1]}
        found[inner.field] = elements
    return found


def _clock_of(account: Account, key: ObjectKey, lane: Lane) -> str | None:
    """The test clock that an object lives by, as far as the mirror knows: its own, or its customer's."""
    if key.object_type == CLOCK:
        return None
    named = store.by_key([key]).get((key.account_id, key.livemode, key.object_id), [])
    own = next((one.data.get("test_clock") for one in named if one.object_type == key.object_type), None)
    if isinstance(own, str):
        return own
    known = store.current([key]).get(key)
    return None if known is None else _clock_of_customer(account, key, known.customer, lane)


def _clock_of_customer(account: Account, key: ObjectKey, named: str | None, lane: Lane) -> str | None:
    """The test clock that a customer lives by whom an object names; Stripe is asked for one that is not mirrored."""
    if named is None or key.livemode or key.object_type in {CLOCK, "customer"}:
        return None
    customer = ObjectKey(account_id=key.account_id, livemode=key.livemode, object_type="customer", object_id=named)
    found = [
        one.data
        for one in store.by_key([customer]).get((key.account_id, key.livemode, named), [])
        if one.object_type == "customer"
    ]
    if not found:
        try:
            found = [parse(calls.get(account, f"/v1/customers/{named}", lane=lane).body)]
        except StripeMissing:
            return None
    clock = found[0].get("test_clock")
    return clock if isinstance(clock, str) else None


def _frozen(account: Account, clock: str, lane: Lane) -> int:
    """What a test clock shows; 0 for one that is gone, and ``_Moved`` while it is being advanced."""
    try:
        told = _clock.decode(calls.get(account, f"/v1/test_helpers/test_clocks/{clock}", lane=lane).body)
    except StripeMissing:
        return 0
    if told.get("status") == "advancing":
        raise _Moved(f"The test clock {clock} is being advanced.")
    frozen = told.get("frozen_time")
    return frozen if isinstance(frozen, int) else 0


ERRAND: Final = Errand(name="fetch", topic=fetching.TOPIC, run=run, threads=4, idle_seconds=1.0)
