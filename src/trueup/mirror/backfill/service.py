"""Backfills as others start, end and watch them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.accounts.calls import Lane
from trueup.accounts.errors import AccountUnknown, ApiKeyMissing
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Conflict, NotFound, Refused, TrueupError
from trueup.kernel.time import from_unix
from trueup.mirror.backfill import errand, estimates, lists, spans, store, walks
from trueup.mirror.backfill.types import Listed, Progress, Run, Status
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import clock, database
from trueup.runtime.pages import Page
from trueup.runtime.wake import wake

_OBJECT: Final = "backfill"
IDLE_SECONDS: Final = 0.2
"""Until a reader of this process looks again when all that is due is being read."""
PATIENCE: Final = 5.0
"""Seconds that a start waits to be told what time it is there."""


def start(*, account: Account, types: Sequence[str] = (), since: int | None = None, by: Actor) -> Run:
    """Start reading an account's objects, or join the backfill of it that runs.

    ``types`` are object types, by default those that customers' states need; ``since`` is a unix second: of lists that
    can be asked by date only what was created from then on is read. Raises ``ApiKeyMissing`` where there is no key to
    read with and ``Refused`` for a type that has no list, and for a moment that has not come yet.
    """
    operators.require(by, Permission.TRUTH_REPAIR)
    chosen = lists.chosen(types, livemode=account.livemode)
    if not calls.can_read(account):
        raise ApiKeyMissing(
            f"{account.slug} has no API key to read with.", hint="Add one: trueup connect --name NAME --api-key KEY"
        )
    if since is not None:
        _require_past(account, since)
    with database.transaction() as connection:
        store.guard(account.id)
        running = store.last_run(account.id)
        if running is not None and running.status is Status.RUNNING:
            return running
        # What the newest whole one came to is still asked for when one of a few types has been read after it.
        whole = None if _whole(chosen, since) else store.last_whole_run(account.id, lists.WHOLE)
        run_id = store.insert_run(
            account_id=account.id,
            livemode=account.livemode,
            types=chosen,
            since=since,
            by=by,
            keep=None if whole is None else whole.id,
        )
        spans.insert(run_id, [new for name in chosen for new in walks.begin(chosen, name, since)])
        audit.record(
            connection,
            by=by,
            action=Action.BACKFILL_STARTED,
            object_type=_OBJECT,
            object_id=str(run_id),
            livemode=account.livemode,
            after={"account_id": account.id, "types": list(chosen), "since": since},
        )
        wake(connection, errand.TOPIC)
    return _known(run_id)


def _require_past(account: Account, since: int) -> None:
    """Refuse a moment that has not come yet: nothing would be read, and that would pass for complete."""
    present = clock.unix()
    if account.api_base is not None:
        # The clock of another API than Stripe's may have been turned.
        try:
            present = calls.get(account, "/v1/customers", {"limit": 1}, lane=Lane.COMMANDS, patience=PATIENCE).second
        except TrueupError:
            # The reading says why that cannot be asked, and waits where that helps.
            return
    if since > present:
        raise Refused(
            f"{from_unix(since):%Y-%m-%d %H:%M} UTC has not come yet at Stripe: it is "
            f"{from_unix(present):%Y-%m-%d %H:%M} there for {account.slug}.",
            code="backfill_since_ahead",
            hint="Name a moment that is over, or leave it out: everything is read then.",
        )


def reads(run: Run, *, types: Sequence[str] = (), since: int | None = None) -> bool:
    """Whether a backfill reads all that ``start`` was asked for; one that it joined may read less."""
    wanted = (set(types) or set(lists.DEFAULT)) - {lists.CLOCK}
    return wanted <= set(run.types) and (run.since is None or (since is not None and run.since <= since))


def _whole(types: Sequence[str], since: int | None) -> bool:
    return since is None and set(lists.WHOLE) <= set(types)


def types() -> tuple[Listed, ...]:
    """Every type that a backfill can be asked for, by name."""
    return tuple(Listed(object_type=name, usual=name in lists.DEFAULT) for name in lists.listed())


def _known(run_id: int) -> Run:
    found = store.run(run_id)
    if found is None:
        raise NotFound(f"There is no backfill {run_id}.", code="backfill_unknown")
    return found


def last(account: Account) -> Run | None:
    """The newest backfill of an account, running or over; None where there never was one."""
    return store.last_run(account.id)


def cancel(*, account: Account, by: Actor) -> Run:
    """End the running backfill of an account; what was read stays, and ``resume`` goes on behind it.

    Raises ``Conflict`` where none runs.
    """
    operators.require(by, Permission.TRUTH_REPAIR)
    with database.transaction() as connection:
        store.guard(account.id)
        run = store.last_run(account.id, lock=True)
        if run is None or run.status is not Status.RUNNING:
            raise Conflict(f"No backfill of {account.slug} runs.", code="backfill_not_running")
        store.end(run.id, Status.CANCELLED)
        audit.record(
            connection,
            by=by,
            action=Action.BACKFILL_CANCELLED,
            object_type=_OBJECT,
            object_id=str(run.id),
            livemode=account.livemode,
            after={"account_id": account.id},
        )
    return _known(run.id)


def resume(*, account: Account, by: Actor) -> Run:
    """Go on with the newest backfill of an account, where it was cancelled or where lists failed; no page twice.

    One that runs is joined. Raises ``Conflict`` where there is none, or it is complete.
    """
    operators.require(by, Permission.TRUTH_REPAIR)
    with database.transaction() as connection:
        store.guard(account.id)
        run = store.last_run(account.id, lock=True)
        if run is not None and run.status is Status.RUNNING:
            return run
        if run is None or run.status is Status.COMPLETE:
            raise Conflict(
                f"There is nothing to resume in the backfill of {account.slug}.",
                code="backfill_not_resumable",
                hint="Start one: trueup backfill",
            )
        store.resume(run.id)
        audit.record(
            connection,
            by=by,
            action=Action.BACKFILL_RESUMED,
            object_type=_OBJECT,
            object_id=str(run.id),
            livemode=account.livemode,
            after={"account_id": account.id},
        )
        wake(connection, errand.TOPIC)
    return _known(run.id)


def read_here(run_id: int, *, threads: int, stop: threading.Event) -> None:
    """Read a backfill in threads of this process until it is over or ``stop`` is set.

    For where no worker runs; beside one it only helps. What was read is mirrored by the worker.
    """

    def read() -> None:
        try:
            while not stop.is_set() and _known(run_id).status is Status.RUNNING:
                if not errand.work(stop, run_id=run_id):
                    stop.wait(IDLE_SECONDS)
        finally:
            database.close()

    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="backfill") as pool:
        for reader in [pool.submit(read) for _ in range(threads)]:
            reader.result()


def progress(account: Account) -> Progress:
    """How far the newest backfill of an account is, or how it ended. Raises ``NotFound`` where there never was one."""
    run = store.last_run(account.id)
    if run is None:
        raise NotFound(
            f"{account.slug} was never backfilled.", code="backfill_never", hint="Start one: trueup backfill"
        )
    return _progress(run, account)


def all_progress() -> Page[Progress]:
    """How far the newest whole backfill of each account is and, behind it, a newer one of less; all on one page."""
    known = {account.id: account for account in accounts.accounts()}
    found = tuple(
        one for run in store.runs() if run.account_id in known for one in _with_whole(run, known[run.account_id])
    )
    return Page(data=found, next=None, total=len(found))


def latest(account: Account) -> tuple[Progress, ...]:
    """As ``all_progress``, of one account. Raises ``NotFound`` where there never was one."""
    newest = progress(account)
    return (newest,) if newest.whole else _with_whole(newest.run, account)


def _with_whole(run: Run, account: Account) -> tuple[Progress, ...]:
    """The newest run of an account, behind the newest whole one where that is another."""
    newest = _progress(run, account)
    whole = None if newest.whole else store.last_whole_run(account.id, lists.WHOLE)
    return (newest,) if whole is None else (_progress(whole, account), newest)


def account_of(slug: str) -> Account:
    """The account of this slug, a connected one too. Raises ``AccountUnknown``."""
    found = next((account for account in accounts.accounts() if account.slug == slug), None)
    if found is None:
        raise AccountUnknown(f"There is no account {slug}.", hint="List them with: trueup accounts")
    return found


def _progress(run: Run, account: Account) -> Progress:
    counts = {count.object_type: count for count in store.counts(run.id)}
    types, left = estimates.by_type(run, counts, store.waiting(run.id))
    pages = sum(one.pages for one in types)
    seconds, before = store.pace(run.id)
    rate = (pages - before) / seconds if seconds > 0 else 0.0
    running = run.status is Status.RUNNING
    moved = [count.moved_at for count in counts.values() if count.moved_at is not None]
    troubles = [count.trouble for count in counts.values() if count.trouble]
    expected = [one.expected for one in types if one.expected is not None]
    return Progress(
        run=run,
        account=account.slug,
        objects=sum(one.listed for one in types),
        new=sum(one.new for one in types),
        changed=sum(one.changed for one in types),
        known=sum(one.known for one in types),
        pages=pages,
        expected=sum(expected) if len(expected) == len(types) else None,
        pages_left=left,
        pages_per_second=round(rate, 2),
        seconds_left=round(left / rate) if running and left is not None and rate > 0 else None,
        readers=sum(count.held for count in counts.values()),
        moved_at=max(moved, default=None),
        trouble=troubles[0] if running and troubles else "",
        types=types,
        unreached=lists.unreached(run.types, since=run.since),
        whole=_whole(run.types, run.since),
    )
