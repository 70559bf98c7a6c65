"""Backfills as others start, end and watch them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.accounts.errors import ApiKeyMissing
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.connectors.stripe.resources import RESOURCES
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Conflict, NotFound
from trueup.mirror.backfill import lists, rules, store
from trueup.mirror.backfill.errand import TOPIC
from trueup.mirror.backfill.rules import Span
from trueup.mirror.backfill.store import Counts, New
from trueup.mirror.backfill.types import Progress, Run, Status, TypeProgress, TypeStatus
from trueup.runtime import database
from trueup.runtime.wake import wake

_OBJECT: Final = "backfill"


def start(*, account: Account, types: Sequence[str] = (), since: int | None = None, by: Actor) -> Run:
    """Start reading an account's objects, or join the backfill of it that runs.

    ``types`` are object types, by default those that customers' states need; ``since`` is a unix second: of lists that
    can be asked by date only what was created from then on is read. Raises ``ApiKeyMissing`` where there is no key to
    read with and ``Refused`` for a type that has no list.
    """
    chosen = lists.chosen(types, livemode=account.livemode)
    if not calls.can_read(account):
        raise ApiKeyMissing(
            f"{account.slug} has no API key to read with.", hint="Add one: trueup connect --name NAME --api-key KEY"
        )
    with database.transaction() as connection:
        store.guard(account.id)
        running = store.last_run(account.id)
        if running is not None and running.status is Status.RUNNING:
            return running
        run_id = store.insert_run(account_id=account.id, livemode=account.livemode, types=chosen, since=since, by=by)
        store.insert_spans(run_id, [new for name in chosen for new in _first(chosen, name, since)])
        audit.record(
            connection,
            by=by,
            action=Action.BACKFILL_STARTED,
            object_type=_OBJECT,
            object_id=str(run_id),
            after={"account_id": account.id, "types": list(chosen), "since": since},
        )
        wake(connection, TOPIC)
    return _known(run_id)


def _first(chosen: Sequence[str], name: str, since: int | None) -> list[New]:
    resource = RESOURCES[name]
    if resource.parent is not None:
        return []
    place = lists.CLOCKS_PLACE if name == lists.CLOCK else lists.place(chosen, name)
    span = Span(since=since or 0) if resource.created_filter else Span()
    return [
        New(place=place, object_type=name, variant=variant, span=span) for variant in range(len(resource.all_params))
    ]


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
            after={"account_id": account.id},
        )
    return _known(run.id)


def resume(*, account: Account, by: Actor) -> Run:
    """Go on with the newest backfill of an account, where it was cancelled or where lists failed; no page twice.

    One that runs is joined. Raises ``Conflict`` where there is none, or it is complete.
    """
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
            after={"account_id": account.id},
        )
        wake(connection, TOPIC)
    return _known(run.id)


def progress(account: Account) -> Progress:
    """How far the newest backfill of an account is, or how it ended. Raises ``NotFound`` where there never was one."""
    run = store.last_run(account.id)
    if run is None:
        raise NotFound(
            f"{account.slug} was never backfilled.", code="backfill_never", hint="Start one: trueup backfill"
        )
    return _progress(run, account)


def all_progress() -> tuple[Progress, ...]:
    """How far the newest backfill of each account is that ever had one."""
    known = {account.id: account for account in accounts.accounts()}
    return tuple(_progress(run, known[run.account_id]) for run in store.runs() if run.account_id in known)


def _progress(run: Run, account: Account) -> Progress:
    counts = {count.object_type: count for count in store.counts(run.id)}
    spans: dict[tuple[str, int], list[tuple[Span, bool]]] = {}
    for name, variant, span, seen in store.open_by_type(run.id):
        spans.setdefault((name, variant), []).append((span, seen))
    types = tuple(_type(name, counts.get(name), spans, counts) for name in run.types)
    pages = sum(one.pages for one in types)
    seconds, before = store.pace(run.id)
    rate = (pages - before) / seconds if seconds > 0 else 0.0
    left = _pages_left(types, counts)
    running = run.status is Status.RUNNING
    moved = [count.moved_at for count in counts.values() if count.moved_at is not None]
    troubles = [count.trouble for count in counts.values() if count.trouble]
    return Progress(
        run=run,
        account=account.slug,
        objects=sum(one.listed for one in types),
        new=sum(one.new for one in types),
        changed=sum(one.changed for one in types),
        known=sum(one.known for one in types),
        pages=pages,
        expected=None if any(one.expected is None for one in types) else sum(one.expected or 0 for one in types),
        pages_left=left,
        pages_per_second=round(rate, 2),
        seconds_left=round(left / rate) if running and left is not None and rate > 0 else None,
        readers=sum(count.held for count in counts.values()),
        moved_at=max(moved, default=None),
        trouble=troubles[0] if running and troubles else "",
        types=types,
        unreached=lists.unreached(run.types, since=run.since),
    )


def _type(
    name: str,
    count: Counts | None,
    spans: dict[tuple[str, int], list[tuple[Span, bool]]],
    counts: dict[str, Counts],
) -> TypeProgress:
    parent = RESOURCES[name].parent
    above = counts.get(parent.object_type) if parent is not None else None
    over = above is None or not above.open
    # Without spans its parents are not listed yet, or there are none.
    found = count or Counts(object_type=name)
    code, error = found.error_code, found.error
    if above is not None and above.failed:
        status, code = TypeStatus.FAILED, "backfill_parent_failed"
        error = f"They are listed for each {above.object_type}, and those could not be read."
    elif found.failed:
        status = TypeStatus.FAILED
    elif found.absent:
        status = TypeStatus.ABSENT
    elif found.open or not over:
        status = TypeStatus.READING if found.pages else TypeStatus.WAITING
    else:
        status = TypeStatus.DONE
    return TypeProgress(
        object_type=name,
        status=status,
        listed=found.listed,
        new=found.new,
        changed=found.changed,
        known=found.known,
        pages=found.pages,
        expected=_expected(name, found, spans, over=over),
        error_code=code,
        error=error,
    )


def _expected(
    name: str, count: Counts, spans: dict[tuple[str, int], list[tuple[Span, bool]]], *, over: bool
) -> int | None:
    """About how many objects of a type there are: those listed, and those that are probably left."""
    if not count.open:
        return count.listed if over else None
    if RESOURCES[name].parent is not None or count.parents_left:
        if not over or not count.parents_done:
            return None
        return count.listed + round(count.listed * count.parents_left / count.parents_done)
    left = 0
    for (kind, _variant), found in spans.items():
        if kind != name:
            continue
        oldest_seen = all(seen for span, seen in found if span.since == 0 or len(found) == 1)
        more = rules.left(
            [span for span, _seen in found], listed=count.listed, newest=count.newest, oldest_seen=oldest_seen
        )
        if more is None or not RESOURCES[name].created_filter:
            return None
        left += more
    return count.listed + left


def _pages_left(types: Sequence[TypeProgress], counts: dict[str, Counts]) -> int | None:
    """About how many pages are to be read yet; None while that is unknown of any type."""
    left = 0
    for one in types:
        count = counts.get(one.object_type)
        if one.status not in {TypeStatus.WAITING, TypeStatus.READING}:
            continue
        if one.expected is None or count is None:
            return None
        left += max(count.open, -(-(one.expected - one.listed) // rules.PAGE), count.parents_left)
    return left
