"""What a customer buys, was asked to pay and paid: the billing tab of its page."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from trueup.customer import service as customers
from trueup.customer.money import upcoming as invoices
from trueup.customer.money.types import Upcoming
from trueup.customer.types import Plan
from trueup.kernel.errors import TrueupError
from trueup.runtime import clock
from trueup.web.console.customer import coming, failure_context
from trueup.web.console.customer_page import respond_drawer, respond_tab, subject
from trueup.web.console.page import address, choice_asked

SHOWN: Final = 12
"""Rows of each list before somebody asks for all."""
LISTS: Final = ("invoices", "payments")


@require_safe
def billing(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/billing``: invoices, every attempt to collect and why it failed, methods, plans, balance.

    ``all`` in the query shows one list whole.
    """
    of = subject(request, customer_id)
    whole = choice_asked(request, "all", LISTS)
    found = customers.billed(of.customer, at=of.at)
    now = of.at or clock.now()
    unpaid = [one for one in found.invoices if one.status == "open"]
    context = {
        "billed": found,
        "invoices": found.invoices if whole == "invoices" else found.invoices[:SHOWN],
        "attempts": found.attempts if whole == "payments" else found.attempts[:SHOWN],
        "more_invoices": 0 if whole == "invoices" else max(0, len(found.invoices) - SHOWN),
        "more_attempts": 0 if whole == "payments" else max(0, len(found.attempts) - SHOWN),
        "all_invoices_url": address(request, all="invoices"),
        "all_attempts_url": address(request, all="payments"),
        "unpaid": len(unpaid),
        "numbers": {one.id: one.number or one.id for one in found.invoices},
        "moment": now,
        "coming": coming(of.customer, now),
        "several_subscriptions": len({plan.subscription_id for plan in of.customer.state.plans}) > 1,
        **failure_context(of.customer),
    }
    return respond_tab(request, of, "customer-billing", "console/customer_billing.html", context)


@require_safe
def upcoming(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/upcoming``: the invoice that would come, asked of Stripe now; ``subscription`` names which.

    What kept Stripe from telling stands in its place: a key that may not, no answer, no invoice to come.
    """
    of = subject(request, customer_id)
    ids = invoices.subscriptions(of.customer)
    chosen = choice_asked(request, "subscription", ids) or (ids[0] if ids else "")
    told: Upcoming | None = None
    trouble: TrueupError | None = None
    try:
        told = invoices.upcoming(of.customer, chosen)
    except TrueupError as error:
        trouble = error
    first: dict[str, Plan] = {}
    for plan in of.customer.state.plans:
        first.setdefault(plan.subscription_id, plan)
    context = {
        "upcoming": told,
        "trouble": trouble,
        "chosen": chosen,
        "others": [(one, first[one], address(request, subscription=one)) for one in ids],
        "moment": clock.now(),
    }
    return respond_drawer(request, of, "console/parts/upcoming.html", context, label=_("Upcoming invoice"))
