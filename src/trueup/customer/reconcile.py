"""Comparing with Stripe, as a whole: ``mirror.reconcile`` compares objects, and this the states folded from them.

A state is compared with the fold over the customer's objects as Stripe has them: over the mirror's, which were found
equal, and where any of them differ over those that were read.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import msgspec
import orjson

from trueup.accounts import service as accounts
from trueup.accounts.calls import Lane, can_read, get
from trueup.accounts.types import Account
from trueup.connectors.stripe.errors import StripeMissing
from trueup.customer import comparing, store
from trueup.customer.comparing import Compared
from trueup.customer.drain import DRAIN, FOLDED_TYPES, catalog_ids, fold_customers, folded_as, folded_of, held
from trueup.customer.identity import links
from trueup.kernel.actor import system
from trueup.kernel.errors import NotFound
from trueup.mirror import service as mirror
from trueup.mirror.reconcile import service, working
from trueup.mirror.reconcile.types import Cause, Kind, Run
from trueup.mirror.reconcile.working import Lease, StateDifference, Step
from trueup.mirror.service import CustomerKey
from trueup.mirror.types import MirrorObject, ObjectKey
from trueup.runtime import clock, configuration, database, drains, logs

log = logs.get(__name__)

PAGE: Final = 500
"""States that one piece compares."""
PIECE_SECONDS: Final = 5.0
WAIT_SECONDS: Final = 1.0
"""Until customers are looked at again that wait to be folded."""
LONGEST_WAIT: Final = 2.0


def named(within: Sequence[Account], identifiers: Sequence[str]) -> dict[int, tuple[str, ...]]:
    """Whose customers these are, of the accounts ``within``: Stripe's ids by account; accounts of none are left out.

    A customer is named by our id, with all Stripe customers that are one, or by Stripe's. Raises ``NotFound`` for one
    that neither we nor Stripe know, so that a mistyped id is never taken for a customer without differences. Asks
    Stripe about those that we do not know, so never call it inside a transaction.
    """
    found: dict[int, dict[str, None]] = {}
    slugs = {account.id: account.slug for account in within}
    for identifier in identifiers:
        known = store.find(identifier, slugs)
        if known is not None and known.account_slug in slugs.values():
            owner = next(account.id for account in within if account.slug == known.account_slug)
            theirs = known.state.stripe_customer_ids if identifier != known.stripe_customer_id else (identifier,)
            found.setdefault(owner, {}).update(dict.fromkeys(theirs))
            continue
        owners = [account for account in within if _has(account, identifier)]
        if not owners:
            raise NotFound(
                f"There is no customer {identifier}, neither here nor at Stripe.",
                code="customer_unknown",
                hint="List customers with: trueup customers",
            )
        for account in owners:
            found.setdefault(account.id, {})[identifier] = None
    return {account_id: tuple(theirs) for account_id, theirs in found.items()}


def _has(account: Account, identifier: str) -> bool:
    """Whether a Stripe customer is or was one of this account's, by the mirror, else by Stripe."""
    key = ObjectKey(account_id=account.id, livemode=account.livemode, object_type="customer", object_id=identifier)
    if mirror.objects([key]):
        return True
    if not identifier.startswith("cus_"):
        return False
    try:
        get(account, f"/v1/customers/{identifier}", lane=Lane.COMMANDS)
    except StripeMissing:
        return False
    return True


def work(stop: threading.Event, *, seconds: float = PIECE_SECONDS) -> int:
    """Work for some seconds on a run that is due, a piece at least; answers how many were done, 0 when none is due."""
    lease = working.take()
    if lease is None:
        return 0
    pieces, until = 0, clock.monotonic() + seconds
    step = Step()
    try:
        while not stop.is_set():
            step = piece(lease, stop=stop)
            pieces += 1
            if step.over or step.seconds or clock.monotonic() >= until:
                break
    finally:
        if not step.over:
            working.give_back(lease, seconds=step.seconds)
    return pieces


def run_here(run_id: int, *, stop: threading.Event, threads: int = 4, pause: threading.Event | None = None) -> None:
    """Work on a run in this process until it is over or ``stop`` is set; beside a worker it only helps.

    What a repair puts into the log is mirrored and folded here too, so that it ends where no worker runs. ``pause`` is
    waited on while something is on its way.
    """
    rest = pause or stop
    working.read_lists(run_id, threads=threads, stop=stop)
    while not stop.is_set() and service.run(run_id).status.value == "running":
        lease = working.take(run_id)
        if lease is None:
            rest.wait(WAIT_SECONDS)
            continue
        step = Step()
        try:
            step = piece(lease, stop=stop)
            if not step.over and working.run(lease)[0].phase.value == "verify":
                working.mirror_some()
                drains.step(DRAIN)
        finally:
            if not step.over:
                working.give_back(lease)
        if step.seconds:
            rest.wait(min(step.seconds, LONGEST_WAIT))


def let_go() -> None:
    """Close this thread's connection to the database, by a thread that ends."""
    database.close()


def piece(lease: Lease, *, stop: threading.Event) -> Step:
    """Do a bounded piece of a run, whoever's turn it is."""
    step = working.step(lease, stop=stop)
    if not step.states:
        return step
    run, place, patience = working.run(lease)
    if place.startswith(working.STATES):
        return _verify(lease, run, place, patience)
    if not run.whole:
        return working.states_done(lease)
    return _states(lease, run, place, patience)


def _states(lease: Lease, run: Run, place: str, patience: int) -> Step:
    """Compare the states of the next customers; those that wait to be folded are waited for, ``patience`` seconds."""
    after, since = msgspec.json.decode(place, type=tuple[str, int]) if place else ("", 0)
    keys = comparing.page(run, after=after, limit=PAGE)
    if not keys:
        return working.states_done(lease)
    over = since > 0 and clock.unix() - since >= patience
    results = [_settled(run, key, over=over or patience == 0) for key in _differing(run, keys)]
    if None in results:
        with database.transaction():
            working.move(lease, _place(after, since or clock.unix()))
        return Step(seconds=WAIT_SECONDS)
    found = [result for result in results if result is not None]
    with database.transaction():
        kinds = [one.difference.kind for one in found if one.difference is not None]
        for one in found:
            _write(run, one)
        working.count_states(lease, compared=len(keys), kinds=kinds)
        working.move(lease, _place(keys[-1][2], 0))
    return Step()


def _place(after: str, since: int) -> str:
    """After which customer the next is compared, and since when (Unix seconds) somebody is waited for, else 0."""
    return msgspec.json.encode((after, since)).decode()


def _write(run: Run, one: Compared) -> None:
    """Write how a customer compares; to repair, a state is made again from the objects as we have them."""
    found = one.difference
    if found is None:
        working.state_equals(run, one.key[2])
        return
    working.state_differs(run, found)
    if not run.repair or found.cause is Cause.OBJECTS:
        # What follows from objects that are being repaired is folded after them.
        return
    if found.kind is Kind.ORPHANED:
        store.remove([store.own_id(one.key)])
    else:
        fold_customers([one.key])


def _verify(lease: Lease, run: Run, place: str, patience: int) -> Step:
    """Look once more at the states that differed, now that their objects are repaired, and wait for their folds."""
    since = int(place.removeprefix(working.STATES) or 0)
    over = patience == 0 or (since > 0 and clock.unix() - since >= patience)
    for one in working.states_that_differ(run):
        result = _settled(run, (run.account_id, run.livemode, one.object_id), over=over)
        if result is None:
            with database.transaction():
                working.move(lease, f"{working.STATES} {since or clock.unix()}")
            return Step(seconds=WAIT_SECONDS)
        with database.transaction():
            if (left := result.difference) and left.kind is Kind.ORPHANED and left.cause is not Cause.OBJECTS:
                # The row that it followed from was removed, and no fold writes a state of nothing.
                store.remove([store.own_id(result.key)])
                result = Compared(key=result.key)
            if result.difference is None:
                working.count_states(lease, repaired=int(working.state_equals(run, one.object_id, repaired=True)))
    return working.states_done(lease)


def _differing(run: Run, keys: Sequence[CustomerKey]) -> list[CustomerKey]:
    """Those whose state is not what follows from the objects, at a glance and without locks."""
    units = comparing.units(keys)
    stored = comparing.stored([unit[0] for unit in units])
    told = working.told(run, [key[2] for unit in units for key in unit])
    folded = {(row.account_id, row.livemode, row.state.stripe_customer_id): row for row in folded_as(units)}
    return [
        unit[0]
        for unit in units
        if any(key[2] in told for key in unit)
        or (known := stored.get(unit[0])) is None
        or unit[0] not in folded
        or comparing.difference(known, folded[unit[0]]) is not None
    ]


def _settled(run: Run, key: CustomerKey, *, over: bool) -> Compared | None:
    """How a customer's state compares, looked at under its locks; None while it waits to be folded.

    With ``over`` it has waited long enough, and that is why it differs.
    """
    with database.transaction():
        (members,) = held([key])[:1]
        queued = comparing.queued(members)
        known = comparing.stored([members[0]]).get(members[0])
        told = working.told(run, [member[2] for member in members])
        state = _at_stripe(members, [one for found in told.values() for one in found])
    if state is None and known is None:
        return Compared(key=members[0])
    kind, found = Kind.STALE, None
    if known is None:
        kind = Kind.MISSING
    elif state is None:
        kind = Kind.ORPHANED
    else:
        found = comparing.difference(known, state, of_reading=bool(told))
        if found is None:
            return Compared(key=members[0])
    if queued.waiting and not over and not told:
        return None
    cause, explanation = _explained(queued, known, [one for found in told.values() for one in found])
    fields, more = found or ((), 0)
    return Compared(
        key=members[0],
        difference=StateDifference(
            customer=members[0][2],
            kind=kind,
            fields=fields,
            more=more,
            cause=cause,
            explanation=explanation,
            since=None if known is None else known.last_event_at,
        ),
    )


def is_right(key: CustomerKey) -> bool:
    """Whether a customer's state is what follows from the objects as we have them, and nothing waits to be folded.

    Takes the customer's locks for as long as the caller's transaction lasts.
    """
    with database.transaction():
        (members,) = held([key])[:1]
        known = comparing.stored([members[0]]).get(members[0])
        state = _at_stripe(members, ())
        waiting = comparing.queued(members).waiting
    if known is None or state is None:
        return known is None and state is None
    return not waiting and comparing.difference(known, state) is None


def _explained(
    queued: comparing.Queued, known: comparing.Stored | None, told: Sequence[working.Told]
) -> tuple[Cause, str]:
    """Why a state differs, in a sentence without personal data."""
    if told:
        named = ", ".join(f"{one.object_type} {one.object_id} ({one.kind})" for one in told[:3])
        more = f" and {len(told) - 3} more" if len(told) > 3 else ""
        return Cause.OBJECTS, f"It follows from objects that differ: {named}{more}."
    if queued.set_aside is not None:
        return Cause.SET_ASIDE, f"Its fold was set aside: {queued.set_aside}."
    if queued.waiting:
        return Cause.BEHIND, "It waits to be folded."
    return _unfolded(queued, known)


def _unfolded(queued: comparing.Queued, known: comparing.Stored | None) -> tuple[Cause, str]:
    """Why a state differs that nothing keeps from being right."""
    if known is None:
        return Cause.NOT_FOLDED, "It was never folded, or cannot be read."
    if known.fold_version != links.version():
        return Cause.OLDER_RULES, "Older rules folded it, and it is not folded again yet."
    if queued.newer:
        return Cause.NOT_FOLDED, f"It was not folded since its objects changed; it was folded {known.folded_at:%F %T}Z."
    return Cause.DAMAGED, "What is stored is not what follows from its objects, and none of them changed since."


def _at_stripe(members: Sequence[CustomerKey], told: Sequence[working.Told]) -> store.Folded | None:
    """The state that follows from the objects as Stripe has them; None where there is nothing to fold."""
    if not told:
        rows = folded_as([members])
        return rows[0] if rows else None
    found = mirror.objects_of(members, FOLDED_TYPES)
    known = {(one.object_type, one.object_id): one for member in members for one in found.get(member, [])}
    for one in told:
        place = (one.object_type, one.object_id)
        if one.invented:
            known.pop(place, None)
        elif one.object_type in FOLDED_TYPES:
            known[place] = _as_read(known.get(place), *place, one.essence)
    own = list(known.values())
    last = mirror.last_events(members)
    if not own and not last:
        return None
    named = catalog_ids(own)
    keys = [
        ObjectKey(account_id=members[0][0], livemode=members[0][1], object_type=kind, object_id=one)
        for kind, one in named
    ]
    catalog = [one for found in mirror.objects(keys).values() for one in found]
    ids = tuple(dict.fromkeys(object_id for _type, object_id in named))
    return folded_of(members, own, catalog, named=ids, last_event=max(last.values(), default=0), now=clock.unix())


def _as_read(known: MirrorObject | None, object_type: str, object_id: str, essence: str | None) -> MirrorObject:
    """An object as Stripe has it, in the place that ours has in time."""
    data = orjson.loads(essence) if essence is not None else ({} if known is None else known.data)
    if known is not None:
        return msgspec.structs.replace(known, data=data, deleted=essence is None)
    return MirrorObject(
        object_type=object_type,
        object_id=object_id,
        data=data,
        deleted=essence is None,
        created=data.get("created") or 0,
        event_id="",
        event_type="",
    )


def start_nightly() -> int:
    """Start comparing every account that can be read; answers how many. For the clock."""
    started = 0
    for account in accounts.accounts():
        if can_read(account):
            service.start(account=account, repair=configuration.current().reconcile_repair, by=system("reconcile"))
            started += 1
    return started
