"""The invoice that would come next for a customer, as Stripe works it out at the moment of asking; nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.connectors.stripe.errors import StripeNothingUpcoming
from trueup.customer.money.types import Upcoming, UpcomingLine
from trueup.customer.types import Customer
from trueup.kernel.money import Money
from trueup.mirror.upcast.shape import currency_of, id_of, listed, mapping, moment, text, whole

OVER: Final = frozenset({"canceled", "incomplete_expired"})
"""Statuses of subscriptions that make no invoice any more."""


def subscriptions(customer: Customer) -> tuple[str, ...]:
    """The subscriptions of a customer that may make another invoice, in the order of its plans."""
    return tuple(dict.fromkeys(plan.subscription_id for plan in customer.state.plans if plan.status not in OVER))


def upcoming(customer: Customer, subscription_id: str = "") -> Upcoming | None:
    """What Stripe would charge next for a subscription, without one for what waits for an invoice of the customer.

    Asks Stripe, so never inside a transaction; ``None`` where nothing would come. Raises what ``calls.preview``
    raises: no key, a key without the permission, no answer. What is not known is never guessed from prices.
    """
    account = next(one for one in accounts.accounts() if one.id == customer.account_id)
    asked = {"subscription": subscription_id} if subscription_id else {"customer": customer.state.stripe_customer_id}
    try:
        answer = calls.preview(account, asked)
    except StripeNothingUpcoming:
        return None
    return of_invoice(mapping(orjson.loads(answer.body)))


def of_invoice(data: Mapping[str, Any]) -> Upcoming:
    """Stripe's preview as a value; fields that it leaves out are unknown, never zero. Pure."""
    lines = mapping(data.get("lines"))
    currency = currency_of(data.get("currency")) or ""

    def money(value: object) -> Money | None:
        minor = whole(value)
        return None if minor is None or not currency else Money(minor=minor, currency=currency)

    def together(value: object) -> Money | None:
        found = [whole(mapping(one).get("amount")) for one in listed(value)]
        return money(sum(one for one in found if one is not None)) if any(found) else None

    subscription = mapping(mapping(data.get("parent")).get("subscription_details")).get("subscription")
    total, due = whole(data.get("total")), whole(data.get("amount_due"))
    return Upcoming(
        subscription_id=id_of(subscription),
        made_at=moment(data.get("created")),
        attempted_at=moment(data.get("next_payment_attempt")),
        due_at=moment(data.get("due_date")),
        automatic=data.get("collection_method") != "send_invoice",
        lines=tuple(_line(mapping(one), currency) for one in listed(lines)),
        more=lines.get("has_more") is True,
        subtotal=money(data.get("subtotal")),
        discount=together(data.get("total_discount_amounts")),
        tax=together(data.get("total_taxes")),
        total=money(total),
        from_balance=money(due - total) if total is not None and due is not None and due != total else None,
        due=money(due),
    )


def _line(line: Mapping[str, Any], currency: str) -> UpcomingLine:
    period, parent = mapping(line.get("period")), mapping(line.get("parent"))
    details = mapping(parent.get("subscription_item_details")) or mapping(parent.get("invoice_item_details"))
    amount, known = whole(line.get("amount")), currency_of(line.get("currency")) or currency
    return UpcomingLine(
        description=text(line.get("description")) or "",
        quantity=whole(line.get("quantity")),
        amount=None if amount is None or not known else Money(minor=amount, currency=known),
        begins=moment(period.get("start")),
        ends=moment(period.get("end")),
        proration=details.get("proration") is True,
    )
