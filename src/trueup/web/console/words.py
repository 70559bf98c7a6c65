"""What stages, states and fields are called on a page and how they look; nothing else gives them a tone or an icon."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from trueup.audit.anchors.health import Light
from trueup.audit.types import Phase as Told
from trueup.customer.types import Kind, Stage
from trueup.inbox.sweep.types import Code
from trueup.inbox.types import Reason, State
from trueup.kernel.records import Record
from trueup.mirror.reconcile.types import STATE, Cause, Phase
from trueup.mirror.reconcile.types import Kind as Difference
from trueup.web.console import formats

Label = str | Promise


class Look(Record, frozen=True):
    """A word with its tone (``good``, ``warn``, ``bad``, ``info`` or empty) and icon; never a colour alone."""

    label: Label
    tone: str
    icon: str


STAGES: Final[dict[Stage, Look]] = {
    Stage.TRIALING: Look(label=_("Trialing"), tone="info", icon="hourglass"),
    Stage.ACTIVE: Look(label=_("Active"), tone="good", icon="circle-check"),
    Stage.PAST_DUE: Look(label=_("Past due"), tone="bad", icon="circle-alert"),
    Stage.PAUSED: Look(label=_("Paused"), tone="warn", icon="circle-pause"),
    Stage.CHURNED: Look(label=_("Churned"), tone="", icon="circle-slash"),
    Stage.LEAD: Look(label=_("Lead"), tone="", icon="circle-dashed"),
    Stage.DELETED: Look(label=_("Deleted"), tone="", icon="trash-2"),
}
"""In the order of the tabs."""

SUBSCRIPTION_STATUSES: Final[dict[str, Look]] = {
    "trialing": Look(label=_("Trialing"), tone="info", icon="hourglass"),
    "active": Look(label=_("Active"), tone="good", icon="circle-check"),
    "past_due": Look(label=_("Past due"), tone="bad", icon="circle-alert"),
    "unpaid": Look(label=_("Unpaid"), tone="bad", icon="circle-x"),
    "paused": Look(label=_("Paused"), tone="warn", icon="circle-pause"),
    "canceled": Look(label=pgettext_lazy("subscription", "Canceled"), tone="", icon="circle-slash"),
    "incomplete": Look(label=_("Incomplete"), tone="warn", icon="circle-dashed"),
    "incomplete_expired": Look(label=_("Expired"), tone="", icon="circle-slash"),
}
"""Stripe's statuses of a subscription. Source: https://docs.stripe.com/api/subscriptions/object"""

EVENT_STATES: Final[dict[State, Look]] = {
    State.FOLDED: Look(label=_("Folded"), tone="good", icon="check"),
    State.WAITING: Look(label=_("Waiting"), tone="info", icon="clock"),
    State.AWAITING_FETCH: Look(label=_("Awaiting fetch"), tone="info", icon="cloud-download"),
    State.SET_ASIDE: Look(label=_("Set aside"), tone="bad", icon="circle-x"),
    State.DISCARDED: Look(label=_("Given up"), tone="", icon="circle-slash"),
}

EVENT_STATE_HINTS: Final[dict[State, Label]] = {
    State.FOLDED: _("Read, and part of the state of every customer it is about."),
    State.WAITING: _("Stored, and next in line to be read."),
    State.AWAITING_FETCH: _("A thin event: it names its object only, which still has to be fetched from Stripe."),
    State.SET_ASIDE: _(
        "Could not be read after several attempts. It is kept, and can be replayed once the cause is gone."
    ),
    State.DISCARDED: _("Could not be read, and somebody gave it up. It is kept, and a replay reads it after all."),
}

SOURCES: Final[dict[str, str]] = {"stripe": "Stripe"}
"""Names of the systems that facts come from, which are not translated."""

KINDS: Final[dict[Kind, Look]] = {
    Kind.PAYMENT: Look(label=_("Payments"), tone="", icon="credit-card"),
    Kind.INVOICE: Look(label=_("Invoices"), tone="", icon="receipt-text"),
    Kind.SUBSCRIPTION: Look(label=_("Subscriptions"), tone="", icon="repeat-2"),
    Kind.METHOD: Look(label=_("Payment methods"), tone="", icon="wallet-cards"),
    Kind.DISCOUNT: Look(label=_("Discounts"), tone="", icon="ticket-percent"),
    Kind.CUSTOMER: Look(label=_("Customer"), tone="", icon="user-round"),
}
"""Kinds of timeline entries, in the order of the filter."""

QUARANTINE_REASONS: Final[dict[Reason, Label]] = {
    Reason.NOT_JSON: _("The body is not JSON."),
    Reason.NO_ID: _("The body has no event id."),
    Reason.WRONG_MODE: _("The event belongs to the other mode (test or live) than the account."),
    Reason.UNREADABLE: _("A field that has to be read is of a type or size that cannot be."),
    Reason.REFUSED_BY_DATABASE: _("The database cannot store a value in it."),
}

FIELDS: Final[dict[str, tuple[Label, Label]]] = {
    "name": (
        _("Name"),
        _("The customer's name in Stripe; without one its name as a business, else as a person."),
    ),
    "email": (_("Email"), _("The email address on the customer in Stripe.")),
    "country": (_("Country"), _("The country of the customer's address, else of its shipping address.")),
    "currency": (
        _("Currency"),
        _("The currency that Stripe bills this customer in; before the first invoice that of the subscription."),
    ),
    "stage": (
        _("Stage"),
        _("Taken from all subscriptions of the customer together; the one that matters most decides."),
    ),
    "billing_status": (_("Billing status"), _("Stripe's own status of the subscription that decides the stage.")),
    "plans": (
        _("Plans"),
        _("Every item of every subscription that has not ended; once all have, what the newest one had."),
    ),
    "mrr": (
        _("MRR"),
        _(
            "Price times quantity of every licensed item that is being paid for, converted to one month, less "
            "recurring discounts and the tax in prices. Prices by usage are not counted, nor is what a payload does "
            "not tell."
        ),
    ),
    "mrr_changes_at": (
        _("MRR changes"),
        _("When a discount that counts begins or ends next, or a pause ends: the MRR changes then without an event."),
    ),
    "mrr_unknown": (
        _("Not known of MRR"),
        _("What could not be counted as it should, because no payload told it: tiers, a coupon, a tax rate."),
    ),
    "trial_end": (
        _("Trial ends"),
        _("The earliest end of a running trial; without one, when the trial of the leading subscription ended."),
    ),
    "subscribed_since": (
        _("Customer since"),
        _("The earliest start of a subscription that has not ended; once all have, the start of the newest one."),
    ),
    "current_period_end": (
        _("Renews"),
        _("The nearest end of a billing period over the items of subscriptions that bill."),
    ),
    "cancel_at_period_end": (
        _("Cancels at period end"),
        _("Every subscription that has not ended is set to end instead of renewing."),
    ),
    "payment_method_on_file": (
        _("Payment method on file"),
        _(
            "Whether Stripe can charge this customer: by the subscription's method, else the customer's default, "
            "else the one attached last."
        ),
    ),
    "payment_method": (
        _("Payment method"),
        _(
            "What the next invoice will be charged to: the subscription's method, else the customer's default, "
            "else the one attached last."
        ),
    ),
    # https://docs.stripe.com/api/customers/object#customer_object-delinquent
    "delinquent": (
        _("Delinquent"),
        _("Stripe's own flag: an invoice was not paid when it was tried or due, and none has been paid since."),
    ),
    "balance": (_("Balance"), _("Stripe's customer balance. A credit lowers the next invoice, a debit raises it.")),
    "locale": (_("Language"), _("The first of the languages that the customer prefers in Stripe.")),
    "scheduled_changes": (_("Scheduled"), _("Cancellations, new phases and ends of pauses that Stripe was told of.")),
    "last_payment": (_("Last payment"), _("The newest payment that succeeded.")),
    "last_failure": (
        _("Last failure"),
        _("The newest payment that failed. One that succeeded in the end does not count."),
    ),
    "lifetime_paid": (
        _("Paid in all"),
        _("Everything collected from this customer, less the refunds that are known, per currency."),
    ),
    "tags": (_("Tags"), _("The words that your systems stored under tags in the customer's metadata.")),
    "metadata": (_("Metadata"), _("Keys and values that your systems stored on the customer in Stripe.")),
    "last_event_at": (_("Last event"), _("The newest event about this customer or anything it owns.")),
    "as_of": (
        _("As of"),
        _(
            "The moment since which all this holds: the newest event that counts here, or a later one at which time "
            "alone changed something."
        ),
    ),
    "deleted": (_("Deleted"), _("Whether the customer was deleted in Stripe. What was known before is kept.")),
}
"""Fields of a customer's state: their name, and what they mean in one or two sentences."""

INTERVALS: Final[dict[str, tuple[Label, Label]]] = {
    "day": (_("Billed daily"), _("a day")),
    "week": (_("Billed weekly"), _("a week")),
    "month": (_("Billed monthly"), _("a month")),
    "year": (_("Billed yearly"), _("a year")),
}

EVENT_TYPES: Final = (
    "charge.dispute.created",
    "charge.failed",
    "charge.refunded",
    "charge.succeeded",
    "checkout.session.completed",
    "customer.created",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.voided",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "price.created",
    "product.created",
)
"""Suggestions for the type filter; any other type can be typed."""


DIFFERENCES: Final[dict[str, Look]] = {
    Difference.MISSING: Look(label=_("Missing here"), tone="bad", icon="circle-dashed"),
    Difference.STALE: Look(label=_("Differs"), tone="bad", icon="git-compare"),
    Difference.ORPHANED: Look(label=_("Gone at Stripe"), tone="warn", icon="unlink"),
    Difference.RESURRECTED: Look(label=_("Back at Stripe"), tone="warn", icon="rotate-ccw"),
}
"""How something differs from Stripe."""

DIFFERENCE_HINTS: Final[dict[Difference, Label]] = {
    Difference.MISSING: _("Stripe has it, and Trueup does not."),
    Difference.STALE: _("Both have it, and these fields differ."),
    Difference.ORPHANED: _("Trueup has it, and Stripe does not any more."),
    Difference.RESURRECTED: _("Trueup has it as deleted, and Stripe has it."),
}
"""What a kind of difference means."""


def differing(kind: Difference, number: int, *, past: bool = False) -> str:
    """So many differences of a kind: ``1 differs``, ``2 missing here``; ``past`` is for what may be over."""
    shown = formats.number(number)
    match kind:
        case Difference.MISSING:
            told = ngettext("%(n)s missing here", "%(n)s missing here", number)
        case Difference.STALE if past:
            told = ngettext("%(n)s differed", "%(n)s differed", number)
        case Difference.STALE:
            told = ngettext("%(n)s differs", "%(n)s differ", number)
        case Difference.ORPHANED:
            told = ngettext("%(n)s gone at Stripe", "%(n)s gone at Stripe", number)
        case Difference.RESURRECTED:
            told = ngettext("%(n)s back at Stripe", "%(n)s back at Stripe", number)
    return told % {"n": shown}


def type_name(code: str) -> str:
    """What a person calls a type of object: ``payment intent``; and the state that we fold of a customer."""
    if code == STATE:
        return gettext("customer's state")
    return str(OBJECTS[code]) if code in OBJECTS else code.replace("_", " ").replace(".", " ")


OBJECTS: Final[dict[str, Label]] = {
    "balance_transaction": pgettext_lazy("object", "balance transaction"),
    "bank_account": pgettext_lazy("object", "bank account"),
    "card": pgettext_lazy("object", "card"),
    "charge": pgettext_lazy("object", "charge"),
    "checkout.session": pgettext_lazy("object", "checkout session"),
    "coupon": pgettext_lazy("object", "coupon"),
    "credit_note": pgettext_lazy("object", "credit note"),
    "customer": pgettext_lazy("object", "customer"),
    "customer_balance_transaction": pgettext_lazy("object", "change of a balance"),
    "discount": pgettext_lazy("object", "discount"),
    "dispute": pgettext_lazy("object", "dispute"),
    "invoice": pgettext_lazy("object", "invoice"),
    "invoice_payment": pgettext_lazy("object", "payment of an invoice"),
    "invoiceitem": pgettext_lazy("object", "invoice item"),
    "payment_intent": pgettext_lazy("object", "payment intent"),
    "payment_method": pgettext_lazy("object", "payment method"),
    "plan": pgettext_lazy("object", "plan"),
    "price": pgettext_lazy("object", "price"),
    "product": pgettext_lazy("object", "product"),
    "promotion_code": pgettext_lazy("object", "promotion code"),
    "quote": pgettext_lazy("object", "quote"),
    "refund": pgettext_lazy("object", "refund"),
    "review": pgettext_lazy("object", "review"),
    "setup_intent": pgettext_lazy("object", "setup intent"),
    "source": pgettext_lazy("object", "source"),
    "subscription": pgettext_lazy("object", "subscription"),
    "subscription_item": pgettext_lazy("object", "subscription item"),
    "subscription_schedule": pgettext_lazy("object", "subscription schedule"),
    "tax_id": pgettext_lazy("object", "tax ID"),
    "tax_rate": pgettext_lazy("object", "tax rate"),
}
"""Stripe's types of objects, as a word within a sentence."""


EVENT_SOURCES: Final[dict[str, Label]] = {
    "webhook": _("webhook"),
    "sweep": _("sweep"),
    "backfill": _("backfill"),
    "refetch": _("reading"),
    "reconcile": _("comparison"),
    "manual": _("by hand"),
}
"""How an event came."""


CAUSES: Final[dict[Cause, Label]] = {
    Cause.NEVER_CAME: _("No event told of it."),
    Cause.GAP: _("An event before one that came is missing."),
    Cause.SET_ASIDE: _("An event about it was set aside."),
    Cause.GIVEN_UP: _("An event about it was given up."),
    Cause.BEHIND: _("What tells of it still waits."),
    Cause.UNREAD: _("Stripe would not let it be read."),
    Cause.DAMAGED: _("What is stored is not what the log says."),
    Cause.OLDER_RULES: _("An older version of the rules made it."),
    Cause.RULE: _("Our rules make something else of it."),
    Cause.OBJECTS: _("Objects that it follows from differ."),
    Cause.NOT_FOLDED: _("It was not folded since its objects changed."),
}
"""Why something differs."""

PHASES: Final[dict[Phase, Label]] = {
    Phase.LISTS: _("Comparing Stripe's lists"),
    Phase.UNSEEN: _("Looking for what no list showed"),
    Phase.CONFIRM: _("Looking again at what differed"),
    Phase.STATES: _("Comparing customers' states"),
    Phase.VERIFY: _("Comparing what was repaired"),
    Phase.OVER: _("Over"),
}

FETCH_REASONS: Final[dict[str, Label]] = {
    "ambiguous": _("not sure which event was last"),
    "gap": _("an event is missing"),
    "tied": _("to confirm an order within one second"),
    "truncated": _("a list is longer than what came"),
    "thin": _("a thin event names it"),
    "set_aside": _("an event about it was set aside"),
    "asked": _("asked for"),
}
"""Why an object is read from Stripe."""

QUEUES: Final[dict[str, Label]] = {
    "mirror": _("events"),
    "thin": _("thin events"),
    "customer": _("customers' states"),
    "fetch": _("objects to be read from Stripe"),
}
"""Whose rows a queue holds."""

WEBHOOKS: Final[dict[Code, Look]] = {
    Code.ENDPOINT_DISABLED: Look(label=_("Webhook endpoint disabled"), tone="bad", icon="circle-x"),
    Code.ENDPOINT_MISSING: Look(label=_("No webhook endpoint"), tone="bad", icon="circle-x"),
    Code.ENDPOINT_DEAD: Look(label=_("Webhooks do not arrive"), tone="bad", icon="circle-x"),
    Code.WEBHOOKS_SILENT: Look(label=_("Webhooks are silent"), tone="bad", icon="circle-x"),
    Code.EVENTS_MISSED: Look(label=_("Some webhooks were missed"), tone="warn", icon="circle-alert"),
}
"""What stands wrong with an account's webhooks, the worst first."""

WEBHOOKS_FINE: Final = Look(label=_("Webhooks: nothing wrong"), tone="", icon="check")

AUDIT_LIGHTS: Final[dict[Light, Look]] = {
    Light.GREEN: Look(label=_("Proved"), tone="good", icon="shield-check"),
    Light.AMBER: Look(label=_("Not certain"), tone="warn", icon="circle-alert"),
    Light.RED: Look(label=_("Broken"), tone="bad", icon="circle-x"),
}
"""How the audit log stands."""

AUDIT_PHASES: Final[dict[Told, Label]] = {
    Told.DONE: _("done"),
    Told.INTENT: _("about to be done"),
    Told.SUCCEEDED: _("succeeded"),
    Told.FAILED: _("failed"),
}
"""Which part of a change an entry tells."""

AUDIT_PROBLEMS: Final[dict[str, Label]] = {
    "audit_no_outside": _("Nobody outside remembers it, so whoever has this host could rewrite it."),
    "audit_outside_away": _("No place outside could be reached lately."),
    "audit_not_verified": _("It was not verified for two days."),
    "audit_not_signed": _("Entries wait to be signed."),
    "audit_went_back": _("The database has less than was signed, or something else."),
    "audit_verification_failed": _("The last verification found something changed."),
}
"""What is wrong with it, in few words; other codes are told by the alarm that stands for them."""
