"""What happened to a customer, in plain words."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from trueup.customer import rules, service
from trueup.customer.rules import sequence
from trueup.customer.types import Entry, Kind
from trueup.mirror import service as mirror
from trueup.mirror.types import ObjectKey
from trueup.runtime.pages import Number, Page, decode_cursor, encode_cursor

NEWEST: Final = (2**62, "")


def history(
    id: str,  # noqa: A002 - the field's name
    *,
    limit: int = 25,
    after: str | None = None,
    kinds: frozenset[Kind] = frozenset(),
    as_of: datetime | None = None,
) -> Page[Entry]:
    """What happened to a customer by our id or Stripe's, newest first; of some kinds only, if given.

    ``as_of`` leaves out what happened after a moment in Stripe's time; its second counts. What all the Stripe customers
    that are one did stands together. What happened in one second stands as one thing causes the other, within a page.
    ``total`` is None: words are found as events are read.
    """
    customer = service.get(id)
    account_id, livemode = customer.account_id, customer.livemode
    members = [(account_id, livemode, one) for one in customer.state.stripe_customer_ids]
    limit = max(1, min(limit, service.LARGEST_PAGE))
    before = NEWEST if as_of is None else (int(as_of.timestamp()) + 1, "")
    if after:
        before = min(before, decode_cursor(after, tuple[Number, str]))
    names = {
        plan.product_id: plan.product_name for plan in customer.state.plans if plan.product_id and plan.product_name
    }
    entries: list[Entry] = []
    while len(entries) <= limit:
        told = [
            fact
            for member in members
            for fact in mirror.history(member, before=before, only=rules.TOLD_TYPES, limit=limit * 2)
        ]
        facts = sorted(told, key=lambda fact: (fact.created, fact.event_id), reverse=True)[: limit * 2]
        if not facts:
            break
        product_keys = {
            ObjectKey(account_id=account_id, livemode=livemode, object_type="product", object_id=product)
            for fact in facts
            for product in rules.products_of(fact)
            if product not in names
        }
        for found in mirror.objects(list(product_keys)).values():
            names |= {item.object_id: str(item.data.get("name") or item.object_id) for item in found}
        entries += [
            entry
            for fact in facts
            if (entry := rules.entry(fact, product_names=names)) is not None and (not kinds or entry.kind in kinds)
        ]
        before = (facts[-1].created, facts[-1].event_id)
    shown, more = entries[:limit], len(entries) > limit
    following = encode_cursor(shown[-1].created, shown[-1].event_id) if more else None
    # Pages go by (second, event id), which is in an index; within a page a second is told as it must have been.
    shown.sort(key=lambda entry: (entry.created, sequence.step(entry.event_type)), reverse=True)
    return Page(data=tuple(shown), next=following, total=None)
