"""The phases of a run that look at objects, a bounded piece at a time; whoever is killed leaves the run to the next.

Lists are read by whoever reads backfills (``backfill.walks``), several at once. All else is done by whoever holds the
run's lease.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import msgspec

from trueup.accounts.types import Account
from trueup.connectors.stripe.client import API_VERSION
from trueup.connectors.stripe.resources import RESOURCES
from trueup.mirror import fetching
from trueup.mirror.backfill import estimates, walks
from trueup.mirror.backfill import store as walk_store
from trueup.mirror.backfill.types import Status as WalkStatus
from trueup.mirror.backfill.types import TypeProgress, TypeStatus
from trueup.mirror.backfill.walks import Used
from trueup.mirror.order.fingerprint import fingerprint
from trueup.mirror.reading import parse
from trueup.mirror.reads import Read
from trueup.mirror.reconcile import judging, looking, runs
from trueup.mirror.reconcile import seen as sights
from trueup.mirror.reconcile.judging import Outcome
from trueup.mirror.reconcile.runs import Working
from trueup.mirror.reconcile.seen import Seen
from trueup.mirror.reconcile.types import Kind, Phase, Trouble
from trueup.mirror.types import ObjectKey
from trueup.runtime import database, metrics

PURPOSE: Final = "reconcile"
UNSEEN_PAGE: Final = 2_000
SINGLY: Final = 20
"""Objects of one piece that are read singly; each is a call or two."""
WALK_SECONDS: Final = 1.0
"""Until it is looked again whether the lists are read."""


def use_page(account: Account, walk_id: int, found: Sequence[Read]) -> Used:
    """Compare the objects of a page with the mirror, and note those that differ; in the walk's transaction."""
    run = runs.run_of_walk(walk_id)
    if run is None:
        return Used(listed=len(found), new=0, changed=0, known=0)
    run_id, grace = run
    keys = [
        ObjectKey(
            account_id=account.id, livemode=account.livemode, object_type=one.object_type, object_id=one.object_id
        )
        for one in found
    ]
    held = looking.held(keys)
    seen: list[Seen] = []
    new = changed = 0
    for key, one in zip(keys, found, strict=True):
        told = parse(one.body or b"{}")
        difference = looking.compare(key, held.get(key), told, version=API_VERSION)
        state = None if difference is None else fingerprint(told)
        seen.append(Seen(object_type=key.object_type, object_id=key.object_id, state=state))
        new += difference is not None and difference.kind is Kind.MISSING
        changed += difference is not None and difference.kind is not Kind.MISSING
    sights.see(run_id, seen, grace=grace)
    metrics.RECONCILED.labels(result="differs").inc(new + changed)
    metrics.RECONCILED.labels(result="equal").inc(len(found) - new - changed)
    return Used(listed=len(found), new=new, changed=changed, known=len(found) - new - changed)


walks.register(PURPOSE, use_page)


def progress(walk_id: int) -> tuple[tuple[TypeProgress, ...], bool]:
    """How far each type's lists are, and whether all are over."""
    run = walk_store.run(walk_id)
    if run is None:
        return (), True
    counts = {count.object_type: count for count in walk_store.counts(walk_id)}
    types, _left = estimates.by_type(run, counts, walk_store.waiting(walk_id))
    return types, run.status is not WalkStatus.RUNNING


def lists(working: Working) -> float:
    """Look whether the lists are read; then note what was not and go on. Answers the seconds until the next look."""
    run = working.run
    types, over = progress(working.walk_id or 0)
    objects, pages = sum(one.listed for one in types), sum(one.pages for one in types)
    runs.count(run.id, msgspec.structs.replace(run.counts, objects=objects, calls=pages))
    if not over:
        return WALK_SECONDS
    for one in types:
        if one.status is TypeStatus.FAILED:
            told = Trouble(type=one.object_type, code=one.error_code or "unread", told=one.error or "")
            runs.add_trouble(run.id, told)
    if run.customers is not None:
        sights.doubt_these(run.id, [("customer", one) for one in run.customers])
    runs.move(run.id, phase=Phase.UNSEEN)
    return 0.0


def compared(working: Working) -> tuple[str, ...]:
    """The types whose lists were read whole, and with them those that are only read singly, of some customers."""
    if working.run.customers is not None:
        failed = {one.type for one in working.run.troubles}
        return tuple(name for name in RESOURCES if name not in failed)
    types, _over = progress(working.walk_id or 0)
    return tuple(one.object_type for one in types if one.status is TypeStatus.DONE)


def unseen(working: Working) -> float:
    """Pick out what we have and no list showed, a page of our objects at a time."""
    run = working.run
    types = [name for name in compared(working) if fetching.can_fetch(name)]
    after = msgspec.json.decode(working.place, type=tuple[str, str]) if working.place else ("", "")
    last, _found = sights.pick_unseen(run, types=types, after=after, limit=UNSEEN_PAGE)
    if last is None:
        runs.move(run.id, phase=Phase.CONFIRM)
    else:
        runs.move(run.id, place=msgspec.json.encode(last).decode())
    return 0.0


def confirm(working: Working, account: Account, *, verify: bool, stop: threading.Event) -> float | None:
    """Read some of what is in doubt singly; answers the seconds until the next are due, None when none is left.

    Never inside a transaction: Stripe is asked.
    """
    run = working.run
    counts = run.counts
    for doubt in sights.doubts(run.id, limit=SINGLY):
        if stop.is_set():
            return 0.0
        judged = judging.look(working, account, doubt, verify=verify, stop=stop)
        found = dict(counts.found)
        if judged.kind is not None and not verify:
            found[judged.kind.value] = found.get(judged.kind.value, 0) + 1
        counts = msgspec.structs.replace(
            counts,
            calls=counts.calls + 1,
            singly=counts.singly + 1,
            found=found,
            repaired=counts.repaired + (verify and judged.outcome is Outcome.EQUAL),
            silent=counts.silent + (judged.outcome is Outcome.SILENT),
            moving=counts.moving + (judged.outcome is Outcome.MOVING),
        )
    with database.transaction():
        runs.count(run.id, counts)
    left, seconds = sights.doubts_left(run.id)
    return seconds if left else None
