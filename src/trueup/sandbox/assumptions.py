"""Rules that nobody could verify against Stripe: what the specification marks as from memory, and what it leaves open.

Each is used by name where it applies, so that a better fact changes one line.
"""

from __future__ import annotations

from typing import Final

from trueup.kernel.money import Rounding

IDEMPOTENCY_SECONDS: Final = 24 * 3600
"""How long an answer is kept for its ``Idempotency-Key``. Stripe documents at least 24 hours."""

CLOCK_KEPT_SECONDS: Final = 30 * 86_400
"""A test clock deletes itself this long after it was made, by the sandbox's own clock. Source: sandbox specification
B.0.3."""

CLOCK_INTERVALS_AT_ONCE: Final = 2
"""How many of the shortest subscription interval a test clock may be advanced at once. Source: B.0.3."""

CLOCK_YEARS_WITHOUT_SUBSCRIPTION: Final = 2
"""How many years a test clock without subscriptions may be advanced at once. Source: B.0.3."""

CLOCK_CUSTOMERS: Final = 3
"""How many customers a test clock may have. Documented for the Dashboard; that the API refuses a fourth is assumed."""

BANK_DEBIT_SECONDS: Final = 60
"""How long a test bank debit is pending before it succeeds or fails. Stripe says no more than that it takes a while."""

BANK_DEBIT_DELAYED_SECONDS: Final = 180
"""The same for the accounts that simulate a delay: "about 3 minutes". Source: https://docs.stripe.com/testing"""

CHARGE_SETTLED_SECONDS: Final = 5
"""When the balance transaction of an ``automatic_async`` payment appears, with ``charge.updated``: within seconds."""

AUTHORIZATION_SECONDS: Final = 7 * 86_400
"""How long an authorization can be captured: ``capture_before`` of all recorded charges is seven days on."""

AVAILABLE_DAYS: Final = 7
"""Money is available at the first midnight (UTC) this many days on. Recorded 2025-10-29.clover; it differs."""

CARD_FEE_PERCENT: Final = "2.9"
"""Stripe's fee on a payment, with ``CARD_FEE_FIXED``: recorded 103 on 2500 and 114 on 2900, rounded half up."""

CARD_FEE_FIXED: Final = 30
"""In minor units of the payment's currency."""

BANK_FEE_PERCENT: Final = "0.8"
"""Stripe's fee on a bank debit, at most ``BANK_FEE_MOST``. Source: https://stripe.com/pricing"""

BANK_FEE_MOST: Final = 500
"""In minor units."""

DISPUTE_FEE: Final = 1500
"""What a dispute costs, in minor units; it is kept when the dispute is won (sandbox specification B.7)."""

DISPUTE_DAYS: Final = 8
"""Evidence is due at the end of the day (UTC) this many days after a dispute began. Recorded at 2026-08-26.dahlia."""

DISPUTE_DECIDED_SECONDS: Final = 5
"""How long after ``winning_evidence`` or ``losing_evidence`` the bank decides: "~5 s" (sandbox specification B.7)."""

INQUIRY_DAYS: Final = 120
"""An inquiry that never became a dispute is closed after this many days (sandbox specification B.7)."""

REFUND_STEP_SECONDS: Final = 5
"""When a refund gets its acquirer reference, succeeds late, or fails: Stripe says "some time later"."""

MINIMUM_CHARGE: Final = 50
"""The smallest payment, in minor units. Stripe has one per currency; a sandbox takes that of the dollar for all."""

LARGEST_CHARGE: Final = 99_999_999
"""The largest payment, in minor units. Source: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""

LINE_ROUNDING: Final = Rounding.HALF_AWAY
"""How fractions of a minor unit of a whole invoice line are rounded. Stripe documents only that they are, per line."""

PERCENT_ROUNDING: Final = Rounding.HALF_AWAY
"""How what a percentage takes off is rounded. No recording has half a cent; away from zero is from memory."""

DRAFT_SECONDS: Final = 3_600
"""How long an invoice that advances by itself stays a draft. ``automatically_finalizes_at`` is a second later.
Source: B.3.2."""

DRAFT_UNACKNOWLEDGED_SECONDS: Final = 72 * 3_600
"""How long a draft waits at most for its ``invoice.created`` to be acknowledged, looking hourly. Source: B.0.6."""

FINALIZED_ATTEMPT_SECONDS: Final = 3_600
"""How long after a request finalised an advancing invoice it is collected. Stripe says about an hour."""

RETRY_DAYS: Final = (1, 3, 5, 7, 9, 11, 13)
"""Days after the first failure at which payment is tried again: eight tries in two weeks. Stripe learns its own."""

WILL_BE_DUE_DAYS: Final = 7
"""Days before the due date at which ``invoice.will_be_due`` is told; not where less time was given. A setting."""

HARD_DECLINES: Final = frozenset(
    "incorrect_number lost_card pickup_card stolen_card revocation_of_authorization revocation_of_all_authorizations"
    " authentication_required highest_risk_level transaction_not_allowed".split()
)
"""Declines after which only another method is charged. Source:
docs.stripe.com/billing/revenue-recovery/smart-retries"""

MINIMUM_CHARGES: Final = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
    "hkd": 400, "huf": 17_500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
"""The least that is charged, in minor units. Source: docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""


def minimum_charge(currency: str) -> int:
    """The least charge of a currency in minor units; 50 where Stripe names none."""
    return MINIMUM_CHARGES.get(currency, 50)


FIRST_BALANCE_TYPE: Final = "initial"
"""The type of the transaction that a ``balance`` given when a customer is made leaves. From memory."""

TAX_ID_OUTCOMES: Final = {"000000000": "verified", "111111111": "unverified"}
"""What becomes of test values of tax ids, by their end; any other stays pending. From Stripe's page on testing them."""

TAX_ID_SECONDS: Final = 5
"""After how many seconds the verification of a tax id is told. Stripe says only that it comes later."""

ENDPOINTS: Final = 16
"""How many webhook endpoints and event destinations an account may have together. Documented for each in the
Dashboard."""

EVENTS_KEPT_SECONDS: Final = 30 * 86_400
"""How long the API gives an event, by the clock that the event lived by. Stripe documents 30 days."""

ROLLED_SECRET_SECONDS: Final = 86_400
"""How long a secret that was rolled signs beside the new one. Source: B.0.5, from memory."""

RETRY_SECONDS: Final = (1_800, 3_600, 7_200)
"""How long after each failed attempt the next is made. Stripe documents three over a few hours for sandboxes, not
when."""

DELIVERY_TIMEOUT: Final = 20.0
"""Seconds in which an endpoint has to have answered. Stripe publishes no number."""

DESTINATIONS_PAGE: Final = 20
"""How many entries a page of /v2 has unless told otherwise; a page has 100 at most."""

INCOMPLETE_SECONDS: Final = 23 * 3_600
"""How long a subscription waits for its first payment before it is ``incomplete_expired``. Source: B.1."""

PENDING_UPDATE_SECONDS: Final = 23 * 3_600
"""How long a pending update waits for its payment. Source: B.4."""

UPCOMING_DAYS: Final = 7
"""Days before a renewal at which ``invoice.upcoming`` is told. A setting of the account; none is documented as
default."""


def upcoming_days(kept: str) -> int:
    """The account's setting of days before a renewal, or ours."""
    return int(kept) if kept else UPCOMING_DAYS


DUNNING_END: Final = "cancel"
"""What becomes of a subscription when retries are over: ``cancel``, ``mark_unpaid`` or ``leave_past_due``; a
setting."""

SEARCH_LAG_SECONDS: Final = 60
"""For how long search does not find what changed, unless set otherwise. Stripe says that usually it is below a
minute."""

MICRODEPOSIT_DAYS: Final = 2
"""In how many days the deposits arrive that verify a bank account: "1-2 business days" in the documentation."""

AMOUNT_MOST: Final = 999_999_999_999
"""The largest amount in minor units of a price, coupon or balance. Stripe documents twelve digits for charges."""

FORFEIT_SECONDS: Final = 5
"""How long a final invoice over a credit stays open before it is uncollectible. Source: B.5, "about 5 s"."""

RESUME_SECONDS: Final = 365 * 86_400
"""How long ``resume_on_payment_success`` waits. Source: https://docs.stripe.com/billing/subscriptions/pause"""

INVOICES_WAIT_FOR_AUTHENTICATION: Final = True
"""Whether an invoice's payment without its holder, that a bank wants authenticated, waits in ``requires_action``, not
failing with ``authentication_required``. Stripe tells ``invoice.payment_action_required`` of it, so it waits."""

CANCELED_DEBIT: Final = ("charge_canceled", "The payment was canceled.")
"""``failure_code`` and ``failure_message`` of a debit whose intent is canceled while it is processing. Not recorded."""

SCHEDULE_EXPIRING_SECONDS: Final = 7 * 86_400
"""How long before its end ``subscription_schedule.expiring`` is told; not where less time was left. Source: B.5."""

SCHEDULE_PHASES: Final = 10
"""How many current and coming phases a schedule may have. Documented in Stripe's page on subscription schedules."""

SCHEDULE_ENDS: Final = {"release": "released", "cancel": "completed", "none": "completed", "renew": "active"}
"""A schedule's status after its last phase, by ``end_behavior``. ``released`` is recorded, with ``released_at`` at the
end of the last phase; ``completed`` after ``cancel`` is from memory. The other two are older than what is documented:
``none`` lets the subscription go on as ``release`` does, ``renew`` appends the last phase again."""

SCHEDULED_INVOICES_WAIT: Final = True
"""Whether what a schedule bills by itself, also the first invoice, is a draft for an hour and the subscription active
meanwhile. From memory: Stripe's support says so of schedules that begin a subscription."""

SCHEDULE_YEARS: Final = 10
"""How far from now a schedule's dates may lie, ahead or back. Stripe has bounds and publishes none."""

FIXED_WHILE_INCOMPLETE: Final = frozenset({"items", "trial_end", "billing_cycle_anchor"})
"""What an update of an ``incomplete`` subscription is refused. Stripe documents that hardly anything may be updated."""

QUANTITY_OF_ANOTHER_PRICE: Final = 1
"""How many an item has after its price was exchanged without naming a quantity. From memory of Stripe's guide."""


def uses_up_discounts(subtotal: int) -> bool:
    """Whether an invoice uses up discounts of ``once``: one that is free, as a trial's, leaves them. From memory."""
    return subtotal > 0
