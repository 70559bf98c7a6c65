"""One customer's doings, as an application would ask Stripe for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from random import Random
from typing import Any, Final

from trueup.kernel.errors import Refused
from trueup.sandbox.scenarios.companies import Companies, Company
from trueup.sandbox.scenarios.shop import Obj, Shop, Stripe
from trueup.sandbox.subscriptions.periods import add_months

DAY: Final = 86_400
HOUR: Final = 3_600
TRIAL_DAYS: Final = 14

GOOD_CARDS: Final = ("pm_card_visa", "pm_card_visa_debit", "pm_card_mastercard", "pm_card_amex", "pm_card_visa")
FAILING_CARD: Final = "pm_card_chargeCustomerFail"
"""Can be attached; every charge of it is declined."""

FEEDBACK: Final = (
    "too_expensive",
    "unused",
    "missing_features",
    "switched_service",
    "too_complex",
    "low_quality",
    "other",
)

Lived = Iterator[int]
"""What a scenario yields: the unix second at which its life goes on."""


class Life:
    """A customer with at most one subscription that matters. Every method asks the API at once.

    ``rng`` is its own source of chance: lives do not change each other's.
    """

    def __init__(self, stripe: Stripe, shop: Shop, companies: Companies, rng: Random, *, until: int) -> None:
        self.stripe = stripe
        self.shop = shop
        self.companies = companies
        self.rng = rng
        self.until = until
        self.customer: Obj = {}
        self.subscription: Obj = {}

    @cached_property
    def company(self) -> Company:
        """Who it is: the next company, from when it is first asked for."""
        return self.companies.next()

    # --- time --------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The unix second."""
        return self.stripe.now

    def after(self, *, days: float = 0, hours: float = 0) -> int:
        """So long from now, and up to an hour more, so that not all lives go on in one second."""
        return self.now + int(days * DAY + hours * HOUR) + self.rng.randrange(HOUR)

    def between(self, low: int, high: int) -> int:
        """So many days from now, by chance."""
        return self.after(days=self.rng.randint(low, high))

    def before_end(self, low: int, high: int) -> int:
        """So many seconds before ``until``, by chance; now, where that has passed."""
        return max(self.now, self.until - self.rng.randrange(low, high))

    def months_before(self, at: int) -> int:
        """One to six months before the unix second ``at``, as many as have room; now, where there is none for one."""
        months = range(self.rng.randint(1, 6), 0, -1)
        return next((then for count in months if (then := add_months(at, -count)) >= self.now), self.now)

    # --- doings ------------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, **params: Any) -> Obj:
        """Ask the API. Raises ``Refused``."""
        return self.stripe.request(method, path, params)

    def sign_up(self, **more: Any) -> Obj:
        """Become a customer."""
        company = self.company
        self.customer = self.ask(
            "POST",
            "/v1/customers",
            name=company.name,
            email=company.email,
            address={
                "city": company.place.city,
                "country": company.place.country,
                "line1": company.line1,
                "postal_code": company.place.postal_code,
                **({"state": company.place.state} if company.place.state else {}),
            },
            preferred_locales=[company.place.locale],
            **{"metadata": {"user_id": company.user_id, "created_via": "signup", "source": company.source}, **more},
        )
        return self.customer

    def card(self, token: str | None = None) -> Obj:
        """Put a card on file and let it be the default."""
        token = token or self.rng.choice(GOOD_CARDS)
        method = self.ask("POST", f"/v1/payment_methods/{token}/attach", customer=self.customer["id"])
        settings = {"default_payment_method": method["id"]}
        self.ask("POST", f"/v1/customers/{self.customer['id']}", invoice_settings=settings)
        return method

    def subscribe(
        self,
        plan: str | None = None,
        *,
        interval: str = "month",
        seats: int | None = None,
        trial: bool = False,
        missing: str = "cancel",
        coupon: bool = False,
        **more: Any,
    ) -> Obj:
        """Subscribe to a plan; a trial without a card ends as ``missing`` says."""
        plan = plan or self.rng.choice(("starter", "starter", "starter", "pro", "pro"))
        price = self.shop.price(plan, interval, self.company.place.currency)
        terms: dict[str, Any] = {
            "customer": self.customer["id"],
            "items": [{"price": price, "quantity": seats or self.rng.choice((1, 1, 2, 3, 3, 5, 8, 12))}],
            "metadata": {"user_id": self.company.user_id, "plan": plan},
        }
        if trial:
            terms["trial_period_days"] = TRIAL_DAYS
            terms["trial_settings"] = {"end_behavior": {"missing_payment_method": missing}}
        if coupon:
            terms["discounts"] = [{"promotion_code": self.shop.promotion_code}]
        self.subscription = self.ask("POST", "/v1/subscriptions", **(terms | more))
        return self.subscription

    def refresh(self) -> Obj:
        """The subscription as it is now."""
        self.subscription = self.ask("GET", f"/v1/subscriptions/{self.subscription['id']}")
        return self.subscription

    @property
    def item(self) -> Obj:
        """The subscription's first item."""
        found: Obj = self.subscription["items"]["data"][0]
        return found

    def change(self, **params: Any) -> Obj:
        """Change the subscription."""
        self.subscription = self.ask("POST", f"/v1/subscriptions/{self.subscription['id']}", **params)
        return self.subscription

    def switch(self, plan: str, *, interval: str | None = None, **params: Any) -> Obj:
        """Change to another plan, the difference billed at once."""
        interval = interval or self.item["price"]["recurring"]["interval"]
        price = self.shop.price(plan, interval, self.company.place.currency)
        terms = {"proration_behavior": "always_invoice", **params}
        return self.change(items=[{"id": self.item["id"], "price": price}], metadata={"plan": plan}, **terms)

    def seats(self, more: int) -> Obj:
        """So many seats more, or fewer; at least one stays."""
        quantity = max(1, self.item["quantity"] + more)
        return self.change(items=[{"id": self.item["id"], "quantity": quantity}])

    def resume(self) -> Obj:
        """Go on after a pause for want of a card, which takes a payment: now, with the card on file."""
        self.subscription = self.ask("POST", f"/v1/subscriptions/{self.subscription['id']}/resume")
        if self.subscription["status"] == "paused":
            self.ask("POST", f"/v1/invoices/{self.subscription['latest_invoice']}/pay")
        return self.refresh()

    def leave(self, *, at_end: bool = True) -> Obj:
        """Cancel, at the period's end or now, saying why."""
        details = {"feedback": self.rng.choice(FEEDBACK)}
        if at_end:
            return self.change(cancel_at_period_end=True, cancellation_details=details)
        path = f"/v1/subscriptions/{self.subscription['id']}"
        self.subscription = self.ask("DELETE", path, cancellation_details=details)
        return self.subscription

    def charge(self) -> Obj | None:
        """The latest payment that succeeded."""
        listed = self.ask("GET", "/v1/charges", customer=self.customer["id"], limit=10)["data"]
        return next((charge for charge in listed if charge["status"] == "succeeded"), None)

    def refund(self, percent: int = 100) -> Obj | None:
        """Give a share of the latest payment back; nothing where there is none, or it was given back."""
        charge = self.charge()
        if charge is None or charge["amount_refunded"]:
            return None
        amount = charge["amount"] * percent // 100
        return self.ask("POST", "/v1/refunds", charge=charge["id"], amount=amount, reason="requested_by_customer")

    def calm(self) -> bool:
        """Whether the subscription is active or in its trial, and about to go on."""
        found = self.refresh()
        return found["status"] in {"active", "trialing"} and found["cancel_at"] is None

    def attempt(self, what: Any, *args: Any, **params: Any) -> bool:
        """Try something that a card may decline; whether it went well."""
        with suppress(Refused):
            what(*args, **params)
            return True
        return False
