"""The state that a customer would have if its objects were as somebody says: for whoever checks states from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trueup.customer.drain import FOLDED_TYPES, catalog_ids, folded_of
from trueup.customer.types import CustomerState
from trueup.mirror.service import CustomerKey
from trueup.mirror.types import MirrorObject
from trueup.runtime import clock


def supposed(
    customer: CustomerKey,
    objects: Sequence[MirrorObject],
    catalog: Mapping[tuple[str, str], MirrorObject],
    *,
    last_event: int,
) -> CustomerState:
    """The state of one Stripe customer from its objects in the newest shape; nothing is read and nothing written.

    ``catalog`` are the products, coupons and test clocks that there are, by type and id; those that are named are
    taken. ``last_event`` is when the newest event about the customer happened, in unix seconds. Merged customers are
    not looked for.
    """
    own = [one for one in objects if one.object_type in FOLDED_TYPES]
    named = catalog_ids(own)
    return folded_of(
        [customer],
        own,
        [catalog[name] for name in named if name in catalog],
        named=tuple(dict.fromkeys(object_id for _type, object_id in named)),
        last_event=last_event,
        now=clock.unix(),
    ).state
