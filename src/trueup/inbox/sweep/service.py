"""The sweep: reads Stripe's own list of events, so that nothing is missed whatever became of webhooks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg

from trueup.accounts import service as accounts
from trueup.accounts.errors import AccountUnknown, ApiKeyMissing
from trueup.accounts.types import Account
from trueup.connectors.stripe.errors import StripeParameterMissing, StripePathUnknown
from trueup.inbox.alarms import service as alarms
from trueup.inbox.sweep import endpoints, keeping, listing, rules, store
from trueup.inbox.sweep.rules import Shown
from trueup.inbox.sweep.types import BACKFILL_WANTED, Code, Endpoint, EndpointState, Gap, Sweep, SweepRow, Swept
from trueup.inbox.types import Kind, Source
from trueup.kernel.errors import Conflict, Refused, TrueupError
from trueup.kernel.time import from_unix
from trueup.runtime import clock, database, logs
from trueup.runtime.wake import wake

log = logs.get(__name__)

EVERY: Final = {Kind.SNAPSHOT: 300.0, Kind.THIN: 900.0}
"""Seconds from the start of a sweep to the next: nearly all that the list of thin events holds is read elsewhere."""
PIECE_SECONDS: Final = 10.0
"""How long an account is swept before another has its turn."""
LONGEST_REST: Final = 300.0
"""Seconds at most before another try after a failure."""
AHEAD: Final = timedelta(hours=1)
"""Events so far beyond the cursor are of test clocks that were turned."""
AHEAD_PAGES: Final = 20
ENDPOINT_AGE: Final = timedelta(hours=1)
"""How old what we know of the endpoint may be; where something was missed it is looked at anew."""

OnPage = Callable[[Sweep, float], None]
"""Told after each page how the sweep stands, and how much of it is done, from 0 to 1."""


class SinceAhead(Refused):
    """A sweep was asked to go back to a moment that has not come yet."""

    code = "sweep_since_ahead"


class _Taken(Exception):
    """Another process took the sweep over."""


def run(stop: threading.Event) -> int:
    """Do a piece of the sweep that is due longest; returns 0 when none is due. What goes wrong is on its row."""
    readable = _readable()
    with database.transaction():
        leased = store.lease(accounts=list(readable))
        if leased is None:
            store.enrol(list(readable))
            leased = store.lease(accounts=list(readable))
    if leased is None:
        return 0
    token, sweep = leased
    account = readable[sweep.account_id]
    try:
        _piece(account, sweep, token, stop=stop, until=clock.monotonic() + PIECE_SECONDS)
    except TrueupError as error:
        log.warning("sweep.failed", account=account.id, kind=sweep.kind.value, code=error.code)
    except _Taken:
        log.warning("sweep.taken_over", account=account.id, kind=sweep.kind.value)
    return 1


def sweep(
    slug: str, *, kind: Kind = Kind.SNAPSHOT, since: datetime | None = None, on_page: OnPage | None = None
) -> Swept:
    """Sweep an account's events now, to the end; ``since`` goes back further than the last sweep, at most 30 days.

    One that is under way is gone on with, unless ``since`` is given. Interrupted, it is gone on with by the worker.
    Raises ``Conflict`` while another process sweeps it, ``ApiKeyMissing`` where there is no key, ``SinceAhead``, and
    what Stripe's errors are. Repeating it changes nothing.
    """
    account = named(slug)
    readable = _readable()
    if account.id not in readable:
        raise ApiKeyMissing(f"{slug} has no API key to read with.", hint="Add one: trueup connect --api-key")
    with database.transaction():
        store.enrol([account.id])
        leased = store.lease(accounts=[account.id], kind=kind)
    if leased is None:
        raise Conflict(
            f"The events of {slug} are being swept at this moment.",
            code="sweep_under_way",
            hint="See how far it is: trueup status. A process that died lets go within two minutes.",
        )
    token, found = leased
    try:
        found = _piece(account, found, token, since=since, on_page=on_page)
    except _Taken:
        raise Conflict(
            f"Another process took the sweep of {slug} over.", code="sweep_taken_over", hint="Run it again."
        ) from None
    return Swept(
        account_slug=slug,
        kind=kind,
        since=found.origin,
        until=found.cursor,
        pages=found.pages,
        read=found.read,
        found=found.found,
        lost_since=found.lost_since,
        lost_until=found.lost_until,
        since_asked=since,
    )


def require_past(slugs: Iterable[str], since: datetime) -> None:
    """Raise ``SinceAhead`` where ``since`` has not come yet by the clock of any of these accounts; nothing is written.

    An account that cannot be asked passes: its sweep says why.
    """
    for slug in slugs:
        try:
            present = listing.page(named(slug), Kind.SNAPSHOT, limit=1).at
        except TrueupError:
            continue
        _require_past(slug, since, present)


def _require_past(slug: str, since: datetime, present: datetime) -> None:
    if since >= present:
        raise SinceAhead(
            f"{since:%Y-%m-%d %H:%M} UTC has not come yet at Stripe: it is {present:%Y-%m-%d %H:%M} there for {slug}.",
            hint="Name a moment that is over, or leave it out: what is new is read anyway.",
        )


def readable() -> tuple[Account, ...]:
    """The accounts whose events can be read: with a key of their own, or their platform's."""
    return tuple(_readable().values())


def named(slug: str) -> Account:
    """The account of this name; ``AccountUnknown`` for one that there is not."""
    account = next((one for one in accounts.accounts() if one.slug == slug), None)
    if account is None:
        raise AccountUnknown(f"There is no account {slug}.", hint="List them with: trueup accounts")
    return account


def _readable() -> dict[int, Account]:
    """The accounts with a key to read with, their own or their platform's."""
    ids = accounts.readable()
    return {account.id: account for account in accounts.accounts() if account.id in ids}


def _piece(
    account: Account,
    sweep: Sweep,
    token: UUID,
    *,
    stop: threading.Event | None = None,
    until: float | None = None,
    since: datetime | None = None,
    on_page: OnPage | None = None,
) -> Sweep:
    """Sweep to the end, or until told to stop or the time is over; lets go of the lease whatever happens.

    Killed, it leaves the lease to run out, and the row as the last page left it.
    """
    rest = 0.0
    try:
        sweep = _opened(account, sweep, token, since=since, stop=stop)
        while sweep.since is not None:
            sweep, reached = _page(account, sweep, token, stop=stop)
            if on_page is not None:
                on_page(sweep, 1.0 if sweep.since is None else rules.progress(sweep, reached=reached) or 0.0)
            if (stop is not None and stop.is_set()) or (until is not None and clock.monotonic() > until):
                break
        else:
            sweep = _closed(account, sweep, token)
            begun = sweep.started_at or clock.now()
            rest = max(0.0, EVERY[sweep.kind] - (clock.now() - begun).total_seconds())
    except SinceAhead:
        # The caller's mistake, and no failure of the sweep's: an alarm about the key would lead astray.
        raise
    except TrueupError as error:
        failures = sweep.failures + 1
        sentence = f"{error.message} {error.hint}".strip()
        sweep = msgspec.structs.replace(sweep, failures=failures, error_code=error.code, last_error=sentence)
        rest = min(LONGEST_REST, 10.0 * 2 ** min(failures - 1, 10))
        _write(account, sweep, token)
        raise
    finally:
        store.release(sweep.id, token, seconds=rest)
    return sweep


def _opened(
    account: Account, sweep: Sweep, token: UUID, *, since: datetime | None, stop: threading.Event | None
) -> Sweep:
    """The sweep under way, or a new one that is kept; asks Stripe what time it is there."""
    try:
        present = listing.page(account, sweep.kind, limit=1, stop=stop).at
    except StripePathUnknown:
        if sweep.kind is not Kind.THIN:
            raise
        # An API without /v2 has no thin events.
        return msgspec.structs.replace(sweep, since=None, failures=0, started_at=clock.now())
    skew = round((present - clock.now()).total_seconds())
    sweep = msgspec.structs.replace(sweep, skew_seconds=skew)
    if since is not None:
        _require_past(account.slug, since, present)
    if sweep.since is None or since is not None or rules.stale(sweep, now=present):
        wanted = sweep.backfill_wanted_at
        back_to = None if since is None else from_unix(int(since.timestamp()))
        sweep = rules.begin(sweep, now=present, started_at=clock.now(), back_to=back_to)
        with database.transaction() as connection:
            _require(store.write(sweep, token))
            if sweep.backfill_wanted_at != wanted:
                wake(connection, BACKFILL_WANTED)
                log.error("sweep.events_lost", account=account.id, kind=sweep.kind.value)
    return sweep


def _page(
    account: Account, sweep: Sweep, token: UUID, *, stop: threading.Event | None
) -> tuple[Sweep, datetime | None]:
    """Read a page, and keep its events and how far the sweep is in one transaction.

    Answers the sweep, and when the oldest event of the page was created.
    """
    try:
        page = listing.page(account, sweep.kind, since=sweep.since, until=sweep.until, after=sweep.after, stop=stop)
    except StripeParameterMissing:
        if sweep.after is None:
            raise
        # The event that the last page ended with is no more: Stripe dropped it meanwhile. The slice is read anew.
        page = listing.page(account, sweep.kind, since=sweep.since, until=sweep.until, stop=stop)
    with database.transaction():
        kept = keeping.keep(account, page.bodies, source=Source.SWEEP)
        shown = [
            Shown(type=one.type, created=from_unix(one.created), fresh=one.fresh, source=one.source) for one in kept
        ]
        sweep = rules.turned(sweep, shown=shown, listed=page.listed, after=page.next, ended_at=clock.now())
        _require(store.write(sweep, token))
    return sweep, min((one.created for one in shown), default=None)


def _closed(account: Account, sweep: Sweep, token: UUID) -> Sweep:
    """What is due at the end of a sweep: what test clocks tell, a look at the endpoint now and then, and the alarms."""
    if sweep.kind is Kind.SNAPSHOT and not account.livemode and sweep.cursor is not None:
        sweep = msgspec.structs.replace(sweep, found=sweep.found + _ahead(account, since=sweep.cursor + AHEAD))
    if sweep.kind is Kind.SNAPSHOT and account.parent_id is None:
        known = sweep.endpoint
        if (
            known is None
            or sweep.missed_run
            or known.state in {EndpointState.MISSING, EndpointState.DISABLED}
            or clock.now() - known.checked_at > ENDPOINT_AGE
        ):
            sweep = msgspec.structs.replace(sweep, endpoint=endpoints.look(account))
    _write(account, sweep, token)
    if sweep.found:
        log.info("sweep.found", account=account.id, kind=sweep.kind.value, read=sweep.read, found=sweep.found)
    return sweep


def _ahead(account: Account, *, since: datetime) -> int:
    """Keep the events of test clocks that are ahead of Stripe's own, which no sweep up to the present would reach.

    Of very many only the newest are read; how many were new. None counts as missed: they may have been on their way.
    """
    found, after = 0, None
    for _ in range(AHEAD_PAGES):
        page = listing.page(account, Kind.SNAPSHOT, since=since, after=after)
        found += sum(one.fresh for one in keeping.keep(account, page.bodies, source=Source.SWEEP))
        after = page.next
        if after is None:
            break
    return found


def _write(account: Account, sweep: Sweep, token: UUID) -> None:
    """Keep a sweep, and let the alarms stand that follow from it."""
    now = clock.now() + timedelta(seconds=sweep.skew_seconds)
    standing = rules.standing(sweep, now=now, slug=account.slug, sandbox=account.api_base is not None)
    with database.transaction():
        _require(store.write(sweep, token))
        alarms.settle(source=f"sweep.{sweep.kind.value}", account_id=account.id, alarms=standing)


def _require(held: bool) -> None:  # noqa: FBT001 - the one thing it says
    if not held:
        raise _Taken


def endpoint(account: Account) -> Endpoint:
    """How our webhook endpoint stands at Stripe, asked now. Raises as ``accounts.calls.get`` does."""
    return endpoints.look(account)


def sweeps() -> tuple[SweepRow, ...]:
    """How the sweep of every account stands, by account."""
    slugs = {account.id: account.slug for account in accounts.accounts()}
    return tuple(
        SweepRow(
            account_slug=slugs.get(one.account_id, ""),
            kind=one.kind,
            cursor=one.cursor,
            under_way=one.since is not None,
            progress=rules.progress(one),
            swept_at=one.swept_at,
            pages=one.pages,
            read=one.read,
            found=one.found,
            missed_total=one.missed_total,
            failures=one.failures,
            last_error=one.last_error,
            lost_since=one.lost_since,
            lost_until=one.lost_until,
            endpoint=one.endpoint,
        )
        for one in store.sweeps()
    )


def gaps() -> tuple[Gap, ...]:
    """Where Stripe dropped events that nobody had read, so that a backfill is needed; ``BACKFILL_WANTED`` is woken."""
    return tuple(store.gaps())


def close_gap(account_id: int, *, began: datetime) -> None:
    """Say that a backfill of an account's every object, begun at ``began`` by our clock, has come to its end.

    What was lost later stays. Part of the caller's transaction; repeating it is harmless.
    """
    with database.transaction():
        store.close_gap(account_id, began=began)
        if all(gap.account_id != account_id for gap in store.gaps()):
            for kind in EVERY:
                alarms.clear(source=f"sweep.{kind.value}", account_id=account_id, code=Code.EVENTS_LOST)


def restored(connection: psycopg.Connection[Any]) -> None:
    """Say that the connection's database is a copy from before: what Stripe told since was told to another one.

    The next sweep brings it, and nobody is said to have missed it. Part of the connection's transaction.
    """
    store.watch_anew(connection)


def numbers() -> tuple[int, float]:
    """How many events were ever found by the sweep alone, and how many seconds behind the oldest cursor is."""
    return store.numbers(list(_readable()))
