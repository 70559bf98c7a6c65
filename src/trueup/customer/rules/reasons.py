"""The rules that a state's values are chosen by, each with a sentence for people. Pure.

``Why.rule`` names one of these. A rule that changes its meaning gets a new name, so that an old answer keeps its
reason.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from trueup.customer.rules.words import day

RULES: Final = {
    "nothing_known": "Nothing has told Trueup about it yet.",
    "customer": "The customer's own field in Stripe.",
    "customer.business_name": "The customer has no name, so its business name.",
    "customer.individual_name": "The customer has no name and no business name, so its name as a person.",
    "customer.shipping": "The billing address names no country, so that of the shipping address.",
    "customer.known": "The customer is known, and no payment method is among what is known of it.",
    "customer.deleted": "The customer was deleted in Stripe, which is final.",
    "customers.sum": "The sum over the Stripe customers that are this one.",
    "customers.all_deleted": "All of the Stripe customers that are this one were deleted.",
    "no_subscription": "There is no subscription that started.",
    "leading": "The leading subscription: the one whose status weighs most, among equals the newest.",
    "leading.past_due": "A subscription owes a payment, which weighs more than any healthy one.",
    "leading.active": "A subscription is active, and none owes a payment.",
    "leading.resumed": "The pause of a subscription has ended by itself, so it is active, and none owes a payment.",
    "leading.trialing": "A subscription is in its trial, and none is active or owes a payment.",
    "leading.paused": "Nothing is collected for the subscription, and none is active, in trial or owes a payment.",
    "leading.churned": "Every subscription has ended, and one of them had started.",
    "leading.lead": "No subscription has started: the first payment is open or never came.",
    "subscriptions.live": "The items of the subscriptions that have not ended.",
    "subscriptions.ended": "The items of the newest subscription; all have ended.",
    "subscriptions.mrr": (
        "The licensed items of subscriptions that are active or past due and not paused, per month, less recurring "
        "discounts and the tax in prices."
    ),
    "subscriptions.discount_began": (
        "The licensed items of subscriptions that are active or past due and not paused, per month, less recurring "
        "discounts; since these facts one of those has begun, which was told of before."
    ),
    "subscriptions.discount_ended": (
        "The licensed items of subscriptions that are active or past due and not paused, per month, less recurring "
        "discounts; since these facts one of those has ended, and is not taken off any more."
    ),
    "subscriptions.collecting_resumed": (
        "The licensed items of subscriptions that are active or past due, per month; since these facts a pause has "
        "ended by itself."
    ),
    "subscriptions.trial": "The earliest end of a running trial.",
    "subscription.trial": "When the trial of the leading subscription ended.",
    "subscriptions.start": "The earliest start of a subscription that counts.",
    "subscriptions.period": "The earliest end of a billing period among the subscriptions that bill.",
    "subscriptions.leaving": "Whether every subscription that has not ended is set to end with its period.",
    "subscriptions.schedule": "What the subscriptions and their schedules say is to come.",
    "method.default": "The payment method that is charged first: a subscription's default, else the customer's.",
    "method.newest": "No payment method is the default, so the one attached last.",
    "method.source": "No payment method is the default, so the first source that the customer lists.",
    "payment.charge": "The newest charge that succeeded.",
    "payment.intent": "The newest payment that succeeded; no charge is known.",
    "payment.invoice": "The newest invoice that was paid; no charge is known.",
    "failure.charge": "The newest charge that failed.",
    "failure.intent": "The newest payment that failed; no failed charge is newer.",
    "paid.charges": "All charges that were collected, less refunds.",
    "paid.intents": "All payments that were collected; no charge is known, so refunds are not either.",
    "paid.invoices": "All invoices that were paid; no charge is known.",
    "metadata.tags": "The words under tags in the customer's metadata.",
    "time": "The newest moment at which time alone changed something: a discount began or ended, or a pause ended.",
    "newest_fact": "The newest event about the customer or anything of its.",
}
"""Rule to sentence."""


def sentence(rule: str, since: datetime | None = None) -> str:
    """What a rule says; the name itself for one that this version does not know any more.

    ``since`` is when time alone made it so, which is said too.
    """
    told = RULES.get(rule, rule)
    return told if since is None else f"{told} That was on {day(since)} at {since:%H:%M} UTC."
