"""The fields that other systems keep about a contact, from one customer's state.

Six of them, by name, are what growth tools know: ``plan``, ``mrr``, ``billing_status``, ``trial_end_date``,
``subscription_start_date`` and ``payment_method``. What they leave out stands beside them, in ``contact_details``.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final

from trueup.customer.types import BILLING_STATUS_4, CustomerState
from trueup.kernel.money import Money
from trueup.kernel.time import day_of

CONTACT_FIELDS: Final = (
    "plan",
    "mrr",
    "billing_status",
    "trial_end_date",
    "subscription_start_date",
    "payment_method",
)
"""The names, in the order in which they are published."""

_ENDED: Final = frozenset({"canceled", "incomplete_expired"})


def contact_fields(state: CustomerState, *, where: tzinfo = UTC) -> dict[str, str | bool | None]:
    """The six fields; ``None`` is unknown or not applicable, and clears the field at the other side.

    - ``plan``: the id of the price of the main item that is subscribed to now; nothing after a subscription has ended.
    - ``mrr``: major units per month as a decimal string (``"49.00"``), of the currency that ``contact_details`` names.
      One currency alone: amounts of others are never added in. ``"0"`` while no currency is known, ``None`` while part
      of it is unknown, as of a tiered price whose tiers Stripe has not told.
    - ``billing_status``: one of ``active``, ``trialing``, ``past_due`` and ``canceled``; see ``billing_status_4``.
    - ``trial_end_date``, ``subscription_start_date``: the ISO 8601 date of the moment in the zone ``where``; the end
      stays after the trial is over, and the start after the subscription is.
    - ``payment_method``: whether one is on file.
    """
    amount = _mrr(state)
    return {
        "plan": _plan(state),
        "mrr": None if state.mrr_unknown else amount.major if amount is not None else "0",
        "billing_status": billing_status_4(state),
        "trial_end_date": _date(state.trial_end, where),
        "subscription_start_date": _date(state.subscribed_since, where),
        "payment_method": state.payment_method_on_file,
    }


def contact_details(state: CustomerState) -> dict[str, str | dict[str, str] | None]:
    """What the six fields cannot say: Stripe's own status, the currency of ``mrr``, and the MRR of every currency.

    ``mrr_by_currency`` maps lower-case codes to decimal strings in major units, rounded for display.
    """
    amount = _mrr(state)
    return {
        "stripe_billing_status": state.billing_status,
        "mrr_currency": amount.currency if amount is not None else None,
        "mrr_by_currency": {one.currency: one.money.major for one in state.mrr},
    }


def billing_status_4(state: CustomerState) -> str | None:
    """The status for systems that know four, by ``BILLING_STATUS_4``; ``None`` for a status of tomorrow and for leads.

    Whoever was deleted in Stripe and ever subscribed is ``canceled``, as nothing can be billed any more. Where only
    collecting is paused (``pause_collection``), Stripe's status is ``active`` and so is this; the stage says paused.
    """
    if state.billing_status is None:
        return None
    return "canceled" if state.deleted else BILLING_STATUS_4.get(state.billing_status)


def _plan(state: CustomerState) -> str | None:
    if state.deleted:
        return None
    current = [plan.price_id for plan in state.plans if plan.status not in _ENDED and plan.price_id is not None]
    return current[0] if current else None


def _mrr(state: CustomerState) -> Money | None:
    """The MRR in the customer's own currency, else that of its main plan, else the only or first one it has.

    A customer who pays in other currencies alone is told in one of those, not as zero.
    """
    found = {one.currency: one.money for one in state.mrr}
    wanted = [state.currency, *(plan.currency for plan in state.plans)]
    for currency in (*wanted, *found):
        if currency in found:
            return found[currency]
    known = next((currency for currency in wanted if currency is not None), None)
    return Money(minor=0, currency=known) if known is not None else None


def _date(moment: datetime | None, where: tzinfo) -> str | None:
    return day_of(moment, where).isoformat() if moment is not None else None
