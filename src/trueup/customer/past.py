"""Customers as they were: the fold over the objects as of a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from trueup.customer.drain import FOLDED_TYPES, catalog_ids, folded_of
from trueup.customer.rules.clock import TEST_CLOCK
from trueup.customer.types import CustomerState
from trueup.mirror import service as mirror
from trueup.mirror.service import CustomerKey
from trueup.mirror.types import ObjectKey
from trueup.runtime import clock

CATALOG_TYPES: Final = ("product", "price", "coupon", TEST_CLOCK)


def state_at(members: Sequence[CustomerKey], *, at: int, known_at: datetime | None) -> CustomerState | None:
    """The state of Stripe customers that are one, the leading one first, at a moment; ``None`` with nothing known.

    ``at`` is in Unix seconds of Stripe's time, and its events count; ``known_at`` as for ``mirror.objects_at``.
    """
    last_event = mirror.last_event_then(members, at=at, known_at=known_at)
    if last_event is None:
        return None
    own = list(mirror.objects_at(customers=members, types=FOLDED_TYPES, at=at, known_at=known_at).values())
    account_id, livemode, _ = members[0]
    named = catalog_ids(own)
    catalog = mirror.objects_at(
        keys=[
            ObjectKey(account_id=account_id, livemode=livemode, object_type=object_type, object_id=object_id)
            for object_type, object_id in named
        ],
        types=CATALOG_TYPES,
        at=at,
        known_at=known_at,
    )
    ids = tuple(dict.fromkeys(object_id for _type, object_id in named))
    # For a moment that has not come yet nothing is foretold: it is as it is now.
    now = min(at, clock.unix())
    row = folded_of(members, own, list(catalog.values()), named=ids, last_event=last_event, now=now, until=at)
    return row.state
