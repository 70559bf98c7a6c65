"""Reading Stripe's lists for somebody else than a backfill: the same spans, clocks and parents, another use of pages.

What reads the lists, ``errand``, hands each page to whoever registered for the purpose that the walk was started with,
in the transaction that moves the cursor: so a page is used once, whatever dies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from trueup.accounts.types import Account
from trueup.connectors.stripe.resources import RESOURCES
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Broken
from trueup.kernel.records import Record
from trueup.mirror.backfill import lists, spans, store
from trueup.mirror.backfill.rules import Span
from trueup.mirror.backfill.spans import New
from trueup.mirror.reads import Read

BACKFILL: Final = "backfill"


class Used(Record, frozen=True):
    """What a page came to: ``new`` were not known, ``changed`` were known otherwise, ``known`` just so."""

    listed: int
    new: int
    changed: int
    known: int


Use = Callable[[Account, int, Sequence[Read]], Used]
"""Given the account, the walk's number and the objects of a page, inside the transaction that moves the cursor."""

_uses: dict[str, Use] = {}


def register(purpose: str, use: Use) -> None:
    """Say what becomes of the pages of walks of a purpose; once, at import."""
    if _uses.setdefault(purpose, use) is not use:
        raise Broken(f"Two read Stripe's lists as {purpose}.", code="walk_purpose_taken")


def use_of(purpose: str) -> Use:
    """What was registered for a purpose."""
    found = _uses.get(purpose)
    if found is None:
        raise Broken(f"Nobody uses pages of {purpose}.", code="walk_purpose_unknown")
    return found


def start(
    *, account: Account, types: Sequence[str], purpose: str, customers: Sequence[str] | None = None, by: Actor
) -> int:
    """Start a walk, in the caller's transaction; answers its number. Whoever starts it wakes ``errand.TOPIC``.

    ``types`` as ``lists.chosen`` gave them, or with ``customers`` (Stripe's ids) as ``within_customer`` did: only what
    is theirs is listed.
    """
    walk_id = store.insert_run(
        account_id=account.id, livemode=account.livemode, types=types, since=None, by=by, purpose=purpose
    )
    new = [first for name in types for first in begin(types, name, None)]
    if customers is not None:
        new = [
            New(place=lists.place(types, name), object_type=name, variant=variant, parents=tuple(customers))
            for name in types
            for variant in range(len(RESOURCES[name].all_params))
        ]
    spans.insert(walk_id, new)
    return walk_id


def begin(types: Sequence[str], name: str, since: int | None) -> list[New]:
    """The spans with which the lists of a type begin; none where they are within another's objects."""
    resource = RESOURCES[name]
    if resource.parent is not None:
        return []
    place = lists.CLOCKS_PLACE if name == lists.CLOCK else lists.place(types, name)
    span = Span(since=since or 0) if resource.created_filter else Span()
    return [
        New(place=place, object_type=name, variant=variant, span=span) for variant in range(len(resource.all_params))
    ]


def within_customer() -> tuple[str, ...]:
    """The types that can be listed for one customer."""
    return tuple(
        name
        for name in lists.DEFAULT
        if name in {*lists.BY_CUSTOMER, "subscription"}
        or ((parent := RESOURCES[name].parent) is not None and parent.object_type == lists.CUSTOMER)
    )


def forget(walk_id: int) -> None:
    """Delete a walk and its spans, whether it is over or not."""
    store.delete_run(walk_id)
