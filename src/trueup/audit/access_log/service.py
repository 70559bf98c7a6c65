"""Who looked at which customer: written by the surfaces when they show one, read by whoever oversees them.

A look is no change, and so no entry of the audit log: there are a thousand times as many, and they are kept for less
long. One row stands for all looks of somebody at one customer within an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from trueup.audit import service as audit
from trueup.audit.access_log import store
from trueup.audit.access_log.types import CustomerKey, Look, Looks, What
from trueup.audit.retention import holds
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Refused
from trueup.runtime import clock
from trueup.runtime.pages import Number, Page, decode_cursor, encode_cursor

KEPT: Final = timedelta(days=731)
"""How long a look is kept: two years, with a day for leap years."""
PIECE: Final = 5000
"""Rows that are deleted at once."""


def note(who: Actor, customers: Sequence[CustomerKey], what: What, *, origin: str | None = None) -> None:
    """Write down that somebody is shown something of these customers; call it before the answer goes out.

    For lists on a page it is not called, only where one customer is shown, and for files, piece by piece: those are
    written after their request has ended, and give the ``origin`` that it had.
    """
    if not customers:
        return
    values = {
        "at": clock.now(),
        "actor_kind": who.kind.value,
        "actor_id": who.id,
        "behind_kind": who.behind.kind.value if who.behind else "",
        "behind_id": who.behind.id if who.behind else "",
        "what": what.value,
        "origin": audit.ORIGIN.get() if origin is None else origin,
    }
    store.note(values, customers)


def looks(which: Looks, *, limit: int = 50, after: str | None = None) -> Page[Look]:
    """Looks, the newest hour first; ``Refused`` for a kind of actor that there is not."""
    wanted: dict[str, Any] = {}
    if which.actor:
        kind, _, identifier = which.actor.partition(":")
        if kind not in set(ActorKind):
            raise Refused(
                f"There is no kind of actor {kind}.",
                code="audit_actor_unknown",
                hint=f"Write one of {', '.join(ActorKind)}, or somebody, as operator:7.",
            )
        wanted |= {"actor_kind": kind} | ({"actor_id": identifier} if identifier else {})
    if which.customer:
        wanted["customer"] = which.customer
    if which.what is not None:
        wanted["what"] = which.what.value
    return _page(wanted, None, since=which.since, until=which.until, limit=limit, after=after)


def of_customers(customers: Sequence[CustomerKey], *, limit: int = 50, after: str | None = None) -> Page[Look]:
    """Who looked at any of these, which are one customer to us; the newest hour first."""
    return _page({}, customers, since=None, until=None, limit=limit, after=after)


def _page(
    wanted: dict[str, Any],
    customers: Sequence[CustomerKey] | None,
    *,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    after: str | None,
) -> Page[Look]:
    before_id = audit.NEWEST if after is None else decode_cursor(after, tuple[Number])[0]
    found = store.looks(wanted, customers=customers, since=since, until=until, before_id=before_id, limit=limit + 1)
    following = encode_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(data=tuple(found[:limit]), next=following, total=None)


def prune() -> int:
    """Delete looks that were kept for their two years; returns how many. A legal hold, of whatever, keeps them all."""
    deleted = 0
    while not holds.standing() and (some := store.prune(clock.now() - KEPT, limit=PIECE)):
        deleted += some
    return deleted
