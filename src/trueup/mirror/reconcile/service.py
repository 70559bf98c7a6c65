"""Comparing accounts with Stripe, as others start, end and watch it. ``customer.reconcile`` runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.accounts.errors import AccountUnknown, ApiKeyMissing
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.connectors.stripe.resources import RESOURCES
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Conflict, NotFound, Refused
from trueup.mirror import fetching
from trueup.mirror.backfill import errand, lists, walks
from trueup.mirror.reconcile import phases, raising, store
from trueup.mirror.reconcile import runs as running
from trueup.mirror.reconcile.types import STATE, Counted, Difference, Drift, Ending, Kind, Run, Status
from trueup.mirror.service import CustomerKey
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import database
from trueup.runtime.pages import Moment, Number, Page, decode_cursor, encode_cursor
from trueup.runtime.wake import wake

TOPIC: Final = "mirror.reconcile"
"""Woken when a run was started."""
GRACE: Final = 30
"""Seconds that an event may take to arrive before its absence counts."""
PATIENCE: Final = 120
"""Seconds that what arrived may wait in a queue before that counts."""
LARGEST_PAGE: Final = 200
KEPT_DAYS: Final = 90
_OBJECT: Final = "reconciliation"
_LAST: Final = 2**63 - 1
_TYPE_UNKNOWN: Final = "reconcile_type_unknown"


def start(
    *,
    account: Account,
    types: Sequence[str] = (),
    customers: Sequence[str] | None = None,
    sample: int | None = None,
    repair: bool = False,
    grace: int = GRACE,
    patience: int = PATIENCE,
    by: Actor,
) -> Run:
    """Start comparing an account with Stripe, or join the run over the same that goes on.

    All of it by default, else some ``types`` alone (customers' states are then left out), the objects of some
    ``customers`` (Stripe's ids), or of ``sample`` customers chosen at random. ``repair`` lets what differs be mended.
    Raises ``ApiKeyMissing`` where there is no key to read with, and ``Refused`` for a type that cannot be compared.
    """
    operators.require(by, Permission.TRUTH_REPAIR)
    if sum((bool(types), customers is not None, sample is not None)) > 1:
        raise Refused(
            "Either types, or customers, or a sample of them can be chosen.",
            code="reconcile_scope",
            hint="Of customers everything is compared that is theirs.",
        )
    if not calls.can_read(account):
        raise ApiKeyMissing(
            f"{account.slug} has no API key to read with.", hint="Add one: trueup connect --name NAME --api-key KEY"
        )
    if sample is not None:
        customers = running.any_customers(account.id, livemode=account.livemode, limit=sample)
    chosen = _types(types, account) if customers is None else walks.within_customer()
    theirs = None if customers is None else tuple(dict.fromkeys(customers))
    with database.transaction() as connection:
        running.guard(account.id)
        for one in running.runs(_slugs(), account_id=account.id, limit=100, before=_LAST, only_running=True):
            if (one.run.types, one.run.customers, one.run.repair) == (chosen, theirs, repair):
                return one.run
        walk_id = walks.start(account=account, types=chosen, purpose=phases.PURPOSE, customers=theirs, by=by)
        run_id = running.insert_run(
            account_id=account.id,
            livemode=account.livemode,
            types=chosen,
            customers=theirs,
            whole=not types,
            repair=repair,
            grace=grace,
            patience=patience,
            walk_id=walk_id,
            by=by,
        )
        audit.record(
            connection,
            by=by,
            action=Action.RECONCILE_STARTED,
            object_type=_OBJECT,
            object_id=str(run_id),
            livemode=account.livemode,
            after={
                "account_id": account.id,
                "types": list(types),
                "customers": None if theirs is None else len(theirs),
                "repair": repair,
            },
        )
        wake(connection, errand.TOPIC)
        wake(connection, TOPIC)
    return run(run_id)


def _types(asked: Sequence[str], account: Account) -> tuple[str, ...]:
    try:
        chosen = lists.chosen(asked, livemode=account.livemode)
    except Refused as error:
        raise Refused(error.message, code=_TYPE_UNKNOWN, hint=error.hint) from error
    cannot = [name for name in chosen if not fetching.can_fetch(name)]
    if cannot:
        raise Refused(f"A {cannot[0]} cannot be read by its id, and so not be compared.", code=_TYPE_UNKNOWN)
    return chosen


NAMES: Final = ("", "state", STATE, *RESOURCES)
"""What ``type_of`` knows."""


def type_of(named: str) -> str:
    """Stripe's name of a type, or what stands for customers' states where ``state`` is named; none stays none.

    Raises ``Refused`` for one that is neither.
    """
    name = STATE if named == "state" else named
    if name and name != STATE and name not in RESOURCES:
        raise Refused(
            f"There is no type {named}.",
            code=_TYPE_UNKNOWN,
            hint="Name it as Stripe does, such as invoice, or state for customers' states.",
        )
    return name


def _slugs() -> dict[int, str]:
    return {account.id: account.slug for account in accounts.accounts()}


def account_of(slug: str) -> Account:
    """The account of this slug. Raises ``AccountUnknown``."""
    found = next((one for one in accounts.accounts() if one.slug == slug), None)
    if found is None:
        raise AccountUnknown(f"There is no account {slug}.", hint="List them with: trueup accounts")
    return found


def run(run_id: int) -> Run:
    """A run by its number. Raises ``NotFound``."""
    found = running.working(run_id, _slugs())
    if found is None:
        raise NotFound(f"There is no reconciliation {run_id}.", code="reconcile_unknown")
    return found.run


def expected(run_id: int) -> int | None:
    """About how many objects the lists of a run have, None while nobody can tell."""
    found = running.working(run_id, {})
    if found is None or found.walk_id is None:
        return None
    types, _over = phases.progress(found.walk_id)
    known = [one.expected for one in types if one.expected is not None]
    return sum(known) if types and len(known) == len(types) else None


def runs(*, account: str = "", limit: int = 50, after: str | None = None) -> Page[Run]:
    """Runs, the newest first; of one account if given its slug."""
    limit = max(1, min(limit, LARGEST_PAGE))
    before = decode_cursor(after, tuple[Number])[0] if after else _LAST
    account_id = account_of(account).id if account else None
    found = [one.run for one in running.runs(_slugs(), account_id=account_id, limit=limit + 1, before=before)]
    following = encode_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(data=tuple(found[:limit]), next=following, total=None)


def cancel(run_id: int, *, by: Actor) -> Run:
    """End a run that goes on; what it found stays. Raises ``Conflict`` where it is over."""
    operators.require(by, Permission.TRUTH_REPAIR)
    known = run(run_id)
    with database.transaction() as connection:
        running.guard(known.account_id)
        working = running.working(run_id, {})
        if working is None or working.run.status is not Status.RUNNING:
            raise Conflict(f"The reconciliation {run_id} is over.", code="reconcile_over")
        running.end(run_id, Status.CANCELLED)
        if working.walk_id is not None:
            walks.forget(working.walk_id)
        raising.drift(known.account_id)
        audit.record(
            connection,
            by=by,
            action=Action.RECONCILE_CANCELLED,
            object_type=_OBJECT,
            object_id=str(run_id),
            livemode=known.livemode,
        )
    return run(run_id)


def differences(
    *,
    account: str = "",
    kind: Kind | None = None,
    type: str = "",  # noqa: A002 - the field's name
    customer: str = "",
    run_id: int | None = None,
    objects_first: bool = False,
    limit: int = 50,
    after: str | None = None,
) -> Page[Difference]:
    """What differs from Stripe at this moment, the newest first.

    By account (a slug), kind, type, Stripe customer, or the run that saw it last. With ``objects_first`` objects
    come before the states that follow from them; its cursors are its own.
    """
    limit = max(1, min(limit, LARGEST_PAGE))
    after_states, before = None, _LAST
    if objects_first:
        after_states, before = decode_cursor(after, tuple[bool, Number]) if after else (False, _LAST)
    elif after:
        before = decode_cursor(after, tuple[Number])[0]
    found = store.differences(
        _slugs(),
        account_id=account_of(account).id if account else None,
        kind=kind,
        object_type=type,
        customer=customer,
        run_id=run_id,
        before=before,
        after_states=after_states,
        limit=limit + 1,
    )
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        following = encode_cursor(last.type == STATE, last.id) if objects_first else encode_cursor(last.id)
    return Page(data=tuple(found[:limit]), next=following, total=None)


def closed(
    *,
    account: str = "",
    kind: Kind | None = None,
    type: str = "",  # noqa: A002 - the field's name
    customer: str = "",
    run_id: int | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[Difference]:
    """What differed from Stripe and is over, the last that ended first, for 90 days; without the values.

    Narrowed as ``differences`` are; ``run_id`` is the run that ended them.
    """
    limit = max(1, min(limit, LARGEST_PAGE))
    found = store.closed(
        _slugs(),
        account_id=account_of(account).id if account else None,
        kind=kind,
        object_type=type,
        customer=customer,
        run_id=run_id,
        before=decode_cursor(after, tuple[Moment, Number]) if after else None,
        limit=limit + 1,
    )
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        following = encode_cursor(last.resolved_at, last.id)
    return Page(data=tuple(found[:limit]), next=following, total=None)


def counted(*, account: str = "", customer: str = "") -> tuple[Counted, ...]:
    """How many differences are open at this moment, by kind and type; of an account (a slug) or a Stripe customer."""
    return tuple(store.counted(account_id=account_of(account).id if account else None, customer=customer))


def customers_differing(*, limit: int) -> list[CustomerKey]:
    """Stripe customers of whom an object or the state is known to differ, at most so many."""
    return store.customers_differing(limit)


def of_run(run_id: int, *, limit: int = LARGEST_PAGE) -> tuple[Difference, ...]:
    """The differences that a run saw last and that are open, objects before states and the newest first."""
    return tuple(
        store.differences(
            _slugs(),
            account_id=None,
            kind=None,
            object_type="",
            customer="",
            run_id=run_id,
            before=_LAST,
            after_states=False,
            limit=limit,
        )
    )


def repaired_by(run_id: int, *, limit: int = LARGEST_PAGE) -> tuple[Difference, ...]:
    """The differences that a run repaired, objects before states and the last one first; without the values."""
    found = store.closed(
        _slugs(),
        account_id=None,
        kind=None,
        object_type="",
        customer="",
        run_id=run_id,
        ending=Ending.REPAIRED,
        limit=limit,
    )
    return tuple(sorted(found, key=lambda one: one.type == STATE))


def drift() -> tuple[Drift, ...]:
    """How many differences are open, by account and kind, and when each account was last compared whole."""
    kinds, at = store.kinds(), running.compared_at()
    return tuple(
        Drift(account_slug=one.slug, kinds=kinds.get(one.id, {}), compared_at=at.get(one.id))
        for one in accounts.accounts()
    )


def tidy() -> int:
    """Delete runs and resolved differences that are older than 90 days; answers how many."""
    with database.transaction():
        return store.tidy(days=KEPT_DAYS) + running.tidy(days=KEPT_DAYS)
