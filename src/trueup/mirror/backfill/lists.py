"""Which of Stripe's lists a backfill reads, in which order, within what, and what it cannot reach. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from trueup.connectors.stripe.resources import BACKFILL, RESOURCES
from trueup.kernel.errors import Refused
from trueup.mirror.backfill.types import Unreached

CLOCK: Final = "test_helpers.test_clock"
CUSTOMER: Final = "customer"

DEAR: Final = frozenset({"tax_id", "customer_balance_transaction"})
"""Lists within each customer that no customer's state is computed from: a call a customer, so only where asked for."""
BY_CUSTOMER: Final = frozenset(
    {
        "subscription_schedule",
        "invoice",
        "invoiceitem",
        "credit_note",
        "payment_intent",
        "setup_intent",
        "charge",
        "checkout.session",
        "promotion_code",
    }
)
"""Types whose list takes ``customer`` and not ``test_clock``: objects of test clocks are listed by their customer."""

DEFAULT: Final = tuple(kind for kind in BACKFILL if kind not in DEAR)

WHOLE: Final = tuple(kind for kind in DEFAULT if kind != CLOCK)
"""What a backfill reads that leaves nothing usual out. Test clocks come along where there are any."""

NEAREST: Final = 3
"""Types that are offered for a name that is none."""

CLOCKS_PLACE: Final = 0
CLOCK_CUSTOMERS_PLACE: Final = 1
FIRST_PLACE: Final = 10
"""Where the places of plain lists begin, see ``spans.BARRIER``."""


def chosen(asked: Iterable[str], *, livemode: bool) -> tuple[str, ...]:
    """The types that a backfill reads when it is asked for these, none of them meaning the usual ones.

    What a list is within is read with it, and in test mode the test clocks, because nobody else says which customers
    are theirs. Raises ``Refused`` for a type that has no list.
    """
    wanted = dict.fromkeys(asked) or dict.fromkeys(DEFAULT)
    for name in tuple(wanted):
        resource = RESOURCES.get(name)
        if resource is None or resource.list is None:
            raise Refused(
                f"Stripe has no list of {name}.",
                code="backfill_type_unknown",
                hint=f"{_meant(name)}All that it has: trueup backfill types",
            )
        parent = resource.parent
        while parent is not None:
            wanted[parent.object_type] = None
            parent = RESOURCES[parent.object_type].parent
    wanted.pop(CLOCK, None)
    order = (*BACKFILL, *RESOURCES)
    found = sorted(wanted, key=order.index)
    return (CLOCK, *found) if not livemode else tuple(found)


def scope(types: Sequence[str]) -> tuple[str, ...]:
    """Of what a run reads, what it was started for: test clocks come along with every list and are asked for alone."""
    return tuple(name for name in types if name != CLOCK) or tuple(types)


def _meant(name: str) -> str:
    """Which types somebody may have meant, as a question; empty where none is near."""
    asked = name.strip().lower()
    begun = [one for one in listed() if asked and one.startswith(asked)]
    near = begun[:NEAREST] or difflib.get_close_matches(asked, listed(), n=NEAREST)
    return f"Did you mean {' or '.join(near)}? " if near else ""


def listed() -> tuple[str, ...]:
    """Every type that has a list, by name."""
    return tuple(sorted(name for name, resource in RESOURCES.items() if resource.list is not None))


def place(types: Sequence[str], object_type: str) -> int:
    """The turn of a type's plain lists among those of a run."""
    return FIRST_PLACE + types.index(object_type)


def within(types: Sequence[str], parent: str) -> tuple[str, ...]:
    """Those of these types whose lists are within each object of type ``parent``."""
    return tuple(
        name for name in types if (found := RESOURCES[name].parent) is not None and found.object_type == parent
    )


def by_clock(types: Sequence[str]) -> tuple[str, ...]:
    """Those of these types whose lists take ``test_clock``; customers always, since they lead to the rest."""
    return tuple(dict.fromkeys((CUSTOMER, *(name for name in types if RESOURCES[name].by_clock))))


def unreached(types: Sequence[str], *, since: int | None) -> tuple[Unreached, ...]:
    """What a backfill of these types cannot read, and why, beside what its key may not read."""
    found = [
        Unreached(
            what="customers that were deleted",
            why="No list of Stripe's has them. Those that another object names are fetched one by one; others never.",
        ),
        Unreached(
            what="other objects that were deleted",
            why="No list of Stripe's has them: coupons, products, plans, tax ids, invoice items and draft invoices.",
        ),
        Unreached(
            what="payment methods that belong to nobody",
            why="Stripe lists them by customer only. Detached ones cannot be listed.",
        ),
        Unreached(
            what="earlier versions of objects",
            why="Lists say how objects are now. Events tell their past, and Stripe keeps those for 30 days.",
        ),
        *(
            Unreached(
                what=name,
                why=f"Not asked for: it costs a call for each {resource.parent.object_type}. Add --type {name}.",
            )
            for name, resource in RESOURCES.items()
            if resource.parent is not None and resource.list is not None and name not in types
        ),
        *(
            Unreached(what=name, why=f"Not asked for. Add --type {name}.")
            for name, resource in RESOURCES.items()
            if resource.parent is None and resource.list is not None and name not in types and name != CLOCK
        ),
        *(
            Unreached(what=name, why="Stripe has no list of these; they are fetched when an event names them.")
            for name, resource in RESOURCES.items()
            if resource.list is None
        ),
    ]
    if CLOCK in types:
        found.append(
            Unreached(
                what="refunds and disputes of test clocks, when the clock is behind",
                why="Their lists take neither a clock nor a customer, so they count as read at Stripe's own time.",
            )
        )
    if since is not None:
        found.append(
            Unreached(what="objects created before the date that was given", why="--since leaves them out on purpose.")
        )
    return tuple(found)
