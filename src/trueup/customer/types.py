"""The nouns of the customer: one state, and the timeline in plain words.

Money is integer minor units with a lower-case currency. Times are aware UTC. ``None`` means unknown or not applicable,
and is never a guess.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from trueup.kernel.money import Money
from trueup.kernel.records import Record
from trueup.mirror.types import FactRef


class Stage(StrEnum):
    """Where a customer stands, over all its subscriptions; ``customer.fold`` documents the precedence."""

    LEAD = "lead"
    """Known, and never had a subscription that started."""
    TRIALING = "trialing"
    """Tries a product; nothing paid for yet."""
    ACTIVE = "active"
    """Pays, or uses a free plan."""
    PAST_DUE = "past_due"
    """Owes a payment of a subscription that has not ended."""
    PAUSED = "paused"
    """Has a subscription that nothing is collected for."""
    CHURNED = "churned"
    """Had a subscription, and the last one has ended."""
    DELETED = "deleted"
    """Deleted in Stripe; this is final."""


BILLING_STATUS_4: Final = {
    "active": "active",
    "trialing": "trialing",
    "past_due": "past_due",
    "canceled": "canceled",
    "unpaid": "past_due",
    "incomplete": "past_due",
    "incomplete_expired": "canceled",
    "paused": "canceled",
}
"""Stripe's eight subscription statuses as the four that are published to systems which know no more.

``unpaid`` and ``incomplete`` owe a payment, so they are ``past_due``; ``incomplete_expired`` has ended; ``paused``
bills nothing and gives nothing, which is nearest to ``canceled``. The eight are always published beside the four.
"""


class Plan(Record, frozen=True):
    """One item of a subscription: what is bought, how many, at what price and how often.

    ``status`` is that of its subscription. ``unit_amount`` is in minor units of ``currency`` per ``interval_count`` of
    ``interval`` (day, week, month, year); it is ``None`` for tiered prices and for fractions of a minor unit, which
    ``unit_amount_decimal`` then holds as Stripe's decimal string. ``quantity`` is ``None`` for metered use.
    """

    subscription_id: str
    item_id: str | None
    price_id: str | None
    product_id: str | None
    product_name: str | None
    nickname: str | None
    quantity: int | None
    interval: str | None
    interval_count: int | None
    unit_amount: int | None
    unit_amount_decimal: str | None
    currency: str | None
    status: str | None


class Mrr(Record, frozen=True):
    """Monthly recurring revenue in one currency: exactly ``numerator / denominator`` minor units per month.

    The fraction is in lowest terms with a positive denominator. ``minor`` is the whole number for display, halves away
    from zero; never add those up.
    """

    currency: str
    numerator: int
    denominator: int
    minor: int

    @property
    def exact(self) -> Fraction:
        """Minor units per month, for arithmetic."""
        return Fraction(self.numerator, self.denominator)

    @property
    def money(self) -> Money:
        """The rounded amount, for display."""
        return Money(minor=self.minor, currency=self.currency)


class PaymentMethod(Record, frozen=True):
    """How a customer pays. ``brand`` is Stripe's word (``visa``), for bank debits the bank's name where it is told."""

    id: str
    type: str | None
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None


class Payment(Record, frozen=True):
    """The newest payment that succeeded: what was collected, when in Stripe's time, and the object that tells it."""

    amount: Money
    at: datetime
    object_type: str
    object_id: str


class Failure(Record, frozen=True):
    """The newest payment that failed. ``reason`` is a few plain words; ``code`` is Stripe's, ``None`` when not told.

    ``advice_code`` is what the bank advises (``confirm_card_data``, ``do_not_try_again``, ``try_again_later``), and
    ``network_advice_code`` the card network's own code for it. ``hard`` says that the code is one of the nine on which
    Stripe's own retries charge nothing until there is a new payment method.
    """

    amount: Money | None
    at: datetime
    object_type: str
    object_id: str
    code: str | None
    reason: str
    advice_code: str | None = None
    network_advice_code: str | None = None
    hard: bool = False


class ChangeKind(StrEnum):
    """What will happen to a subscription by itself."""

    CANCEL = "cancel"
    """It ends."""
    PLANS = "plans"
    """A phase of its schedule begins, with the plans of ``items``."""
    RESUME = "resume"
    """Collecting begins again after a pause."""


class ScheduledItem(Record, frozen=True):
    """One price of a phase to come; ``quantity`` is ``None`` for metered use."""

    price_id: str | None
    quantity: int | None


class ScheduledChange(Record, frozen=True):
    """Something that Stripe has been told to do to a subscription at a time to come."""

    at: datetime
    kind: ChangeKind
    subscription_id: str | None
    items: tuple[ScheduledItem, ...] = ()


class Why(Record, frozen=True):
    """Where a value comes from: the name of the rule that chose it (see ``rules.reasons``), and the facts it used.

    ``since`` is when time alone made the value what it is, in Stripe's time, as when a discount ended; ``None`` where
    the facts did.
    """

    rule: str
    facts: tuple[FactRef, ...]
    since: datetime | None = None


class ExplainedFact(Record, frozen=True):
    """A fact with the event that told it. ``event_type`` is ``None`` when the mirror does not know the event any more.

    It is ``trueup.read`` where the object was read from Stripe's API. ``at`` is in Stripe's time.
    """

    object_type: str
    object_id: str
    event_id: str
    event_type: str | None
    at: datetime


class Explanation(Record, frozen=True):
    """Why one field of a customer's state has its value: the rule in a sentence, and the facts, newest first."""

    customer_id: str
    field: str
    value: Any
    """As the state's JSON has it."""
    rule: str
    reason: str
    facts: tuple[ExplainedFact, ...]
    since: datetime | None = None
    """When time alone made the value what it is, in Stripe's time; ``None`` where the facts did."""


class CustomerState(Record, frozen=True, kw_only=True):
    """All that follows from the facts about one customer. ``customer.fold`` says how each value is found.

    ``why`` maps a field's name to the rule and the facts that set it; every field that has a value has an entry, and
    one without facts says that nothing is known.
    """

    stripe_customer_id: str
    """The Stripe customer that leads; where several are one, ``stripe_customer_ids`` names all, this one first."""
    stripe_customer_ids: tuple[str, ...]
    name: str | None
    email: str | None
    country: str | None
    """ISO 3166-1 alpha-2, from the address, else the shipping address."""
    currency: str | None
    locale: str | None
    """The first of the languages that the customer prefers, as Stripe spells it (``de``, ``pt-BR``)."""
    stage: Stage
    billing_status: str | None
    """Stripe's word for the subscription that decides the stage; see ``BILLING_STATUS_4``."""
    plans: tuple[Plan, ...]
    mrr: tuple[Mrr, ...]
    """One per currency, sorted by currency, zeros left out."""
    mrr_changes_at: datetime | None
    """When a discount that is counted begins or ends next, or a pause ends: the same facts give another MRR then."""
    mrr_unknown: tuple[str, ...]
    """What could not be counted, in sentences: tiers or coupons that no payload told."""
    trial_end: datetime | None
    subscribed_since: datetime | None
    current_period_end: datetime | None
    cancel_at_period_end: bool
    scheduled_changes: tuple[ScheduledChange, ...]
    """What is due to happen, by time; what is late stays until a fact says that it came."""
    payment_method_on_file: bool | None
    """``None`` when the customer itself is not known yet."""
    payment_method: PaymentMethod | None
    delinquent: bool | None
    balance: int | None
    """Minor units of ``currency``; negative is credit in the customer's favour, as in Stripe."""
    last_payment: Payment | None
    last_failure: Failure | None
    lifetime_paid: tuple[Money, ...]
    """What was collected less what was refunded, one per currency, sorted by currency, zeros left out."""
    metadata: dict[str, str]
    tags: tuple[str, ...]
    """The words in the customer's metadata under ``tags``, between commas, sorted."""
    last_event_at: datetime | None
    as_of: datetime | None = None
    """The moment as of which all this holds, in Stripe's time: that of the newest fact here, or a later one at which
    time alone changed something. It holds until the next fact, or ``mrr_changes_at``."""
    deleted: bool
    why: dict[str, Why]


class Contact(Record, frozen=True):
    """What other systems keep about a customer as a contact, as ``rules.contact`` says it.

    ``fields`` are the six that are published, by their exact names; ``details`` are what those leave out.
    """

    fields: dict[str, str | bool | None]
    details: dict[str, str | dict[str, str] | None]


class Tone(StrEnum):
    """How an entry of the timeline should feel."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    PLAIN = ""


class Kind(StrEnum):
    """What an entry of the timeline is about; the filter of the page."""

    CUSTOMER = "customer"
    SUBSCRIPTION = "subscription"
    PAYMENT = "payment"
    INVOICE = "invoice"
    METHOD = "method"
    DISCOUNT = "discount"


class EntryActorKind(StrEnum):
    """Who can make something happen to a customer."""

    API = "api"
    """A request to Stripe's API: your application, or somebody in the dashboard."""
    STRIPE = "stripe"
    """Stripe itself: a renewal, a retry, the end of a trial."""
    CUSTOMER = "customer"
    """The customer, where the payload says so."""
    BANK = "bank"
    """The bank of whoever paid: disputes and warnings of fraud."""


class EntryActor(Record, frozen=True):
    """Who made it happen, as far as the event says. ``told`` is it in plain words, such as ``by Stripe itself``.

    ``request_id`` is the request to Stripe's API, ``None`` where there was none or no id is told.
    """

    kind: EntryActorKind
    told: str
    request_id: str | None = None
    idempotency_key: str | None = None


class Entry(Record, frozen=True):
    """One line of a customer's timeline: what one fact means, in plain English words.

    ``title`` is a sentence fragment without a full stop, ``detail`` adds to it and may be empty. ``created`` is ``at``
    in unix seconds. ``source`` is the system that told it, the event and the object are the fact, and ``actor`` is who
    made it happen, ``None`` where the event does not say.
    """

    at: datetime
    created: int
    event_id: str
    event_type: str
    object_type: str
    object_id: str
    kind: Kind
    tone: Tone
    title: str
    detail: str = ""
    source: str = "stripe"
    amount: Money | None = None
    actor: EntryActor | None = None


class LinkKind(StrEnum):
    """What a link leads to."""

    USER = "user"
    """A user of your application, by your own id."""
    ORGANIZATION = "organization"
    """An organisation, team or workspace of your application, by your own id."""
    CRM = "crm"
    """A record in a CRM, which ``system`` names."""
    EMAIL = "email"
    """An address. It suggests and never decides: two customers with one address stay two."""


class Source(StrEnum):
    """Who told a link."""

    STRIPE = "stripe"
    """The customer's own field in Stripe."""
    METADATA = "metadata"
    """Metadata in Stripe, by a rule of the operator's."""
    OPERATOR = "operator"
    """A person, in the console or on the command line."""
    API = "api"
    """A program."""


class CustomerRow(Record, frozen=True):
    """A customer as lists show it."""

    id: str
    """Ours: stable for an account, mode and Stripe customer."""
    account_id: int
    account_slug: str
    livemode: bool
    stripe_customer_id: str
    name: str | None
    email: str | None
    stage: Stage
    billing_status: str | None
    plan_label: str | None
    quantity: int | None
    mrr: tuple[Mrr, ...]
    payment_method: PaymentMethod | None
    payment_method_on_file: bool | None
    current_period_end: datetime | None
    trial_end: datetime | None
    cancel_at_period_end: bool
    last_event_at: datetime
    """When the newest event about any of its objects happened, in Stripe's time."""
    folded_at: datetime


class Customer(CustomerRow, frozen=True):
    """A customer with its whole state."""

    state: CustomerState
    merged_ids: tuple[str, ...] = ()
    """Our ids of the customers that were merged into this one; this one answers for each of them."""
