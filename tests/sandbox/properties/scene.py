"""What a request needs to be there before: made through the API, in an engine of its own."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.conftest import Api
from tests.sandbox.properties.choices import Json
from trueup.sandbox.catalog import discounts

NO_REDIRECTS: Final = {"enabled": True, "allow_redirects": "never"}
MONTHLY: Final = {"currency": "usd", "unit_amount": 2000, "recurring": {"interval": "month"}}


class Scene:
    """Makes things and gives their ids."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def make(self, path: str, **params: Any) -> str:
        """Ask for something new; its id."""
        made: str = self.api.post(path, **params)["id"]
        return made

    def first(self, path: str, **params: Any) -> str:
        """The id of the first in a list."""
        found: str = self.api.get(path, **params)["data"][0]["id"]
        return found

    def customer(self, card: str | None = "pm_card_visa", **more: Any) -> str:
        made = self.make("/v1/customers", email="ada@example.com", name="Ada", **more)
        if card:
            self.card(made, card)
        return made

    def card(self, customer: str, card: str = "pm_card_visa") -> str:
        method = self.make(f"/v1/payment_methods/{card}/attach", customer=customer)
        self.api.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method})
        return method

    def clock(self) -> str:
        return self.make("/v1/test_helpers/test_clocks", frozen_time=self.api.engine.now())

    def product(self) -> str:
        return self.make("/v1/products", name="Pro")

    def price(self, **more: Any) -> str:
        return self.make("/v1/prices", product=self.product(), **{**MONTHLY, **more})

    def plan(self) -> str:
        return self.make("/v1/plans", product=self.product(), currency="usd", amount=900, interval="month")

    def coupon(self) -> str:
        return self.make("/v1/coupons", percent_off=20, duration="repeating", duration_in_months=3)

    def promotion(self) -> str:
        return self.make("/v1/promotion_codes", promotion={"type": "coupon", "coupon": self.coupon()})

    def subscribed(self, customer: str | None = None, **more: Any) -> Json:
        items = [{"price": self.price()}]
        return self.api.post("/v1/subscriptions", customer=customer or self.customer(), items=items, **more)

    def subscription(self, **more: Any) -> str:
        return str(self.subscribed(**more)["id"])

    def paused(self) -> str:
        made = self.subscription()
        self.api.post(f"/v1/subscriptions/{made}/pause", type="subscription")
        return made

    def item(self) -> str:
        return str(self.subscribed()["items"]["data"][0]["id"])

    def schedule(self, **more: Any) -> str:
        return self.make("/v1/subscription_schedules", from_subscription=self.subscription(), **more)

    def draft(self, customer: str | None = None, **more: Any) -> str:
        made = self.make("/v1/invoices", customer=customer or self.customer(), **more)
        owner = self.api.get(f"/v1/invoices/{made}")["customer"]
        self.make("/v1/invoiceitems", customer=owner, invoice=made, amount=1500, currency="usd")
        return made

    def opened(self, **more: Any) -> str:
        made = self.draft(**more)
        self.api.post(f"/v1/invoices/{made}/finalize", auto_advance=False)
        return made

    def line(self) -> tuple[str, str]:
        made = self.draft()
        return made, self.first(f"/v1/invoices/{made}/lines")

    def note(self, invoice: str | None = None) -> str:
        return self.make("/v1/credit_notes", invoice=invoice or self.opened(), amount=500)

    def waiting(self) -> str:
        return self.make("/v1/invoiceitems", customer=self.customer(), amount=700, currency="usd")

    def invoice_payment(self) -> str:
        return self.first("/v1/invoice_payments", invoice=self.opened())

    def intent(self, **more: Any) -> str:
        params = {"amount": 1500, "currency": "usd", "automatic_payment_methods": NO_REDIRECTS}
        return self.make("/v1/payment_intents", **params, **more)

    def paid(self, card: str = "pm_card_visa", **more: Any) -> str:
        return self.intent(payment_method=card, confirm=True, **more)

    def charge(self, card: str = "pm_card_visa", **more: Any) -> str:
        return self.first("/v1/charges", payment_intent=self.paid(card, **more))

    def refund(self) -> str:
        return self.make("/v1/refunds", charge=self.charge())

    def dispute(self) -> str:
        return self.first("/v1/disputes", charge=self.charge("pm_card_createDispute"))

    def warning(self) -> str:
        numbers = {"number": "4000000000005423", "exp_month": 12, "exp_year": 2034}
        card = self.make("/v1/payment_methods", type="card", card=numbers)
        return self.first("/v1/radar/early_fraud_warnings", payment_intent=self.paid(card))

    def transaction(self) -> str:
        self.charge()
        self.api.advance(60)
        return self.first("/v1/balance_transactions")

    def method(self) -> str:
        return self.make("/v1/payment_methods", type="card", card={"token": "tok_visa"})

    def bank(self) -> str:
        details = {"account_number": "000123456789", "routing_number": "110000000", "account_holder_type": "individual"}
        owner = {"name": "Ada", "email": "ada@example.com"}
        return self.make("/v1/payment_methods", type="us_bank_account", us_bank_account=details, billing_details=owner)

    def set_up(self, **more: Any) -> str:
        return self.make("/v1/setup_intents", **{"automatic_payment_methods": NO_REDIRECTS, **more})

    def mandate(self) -> str:
        acceptance = {"customer_acceptance": {"type": "offline", "offline": {}}}
        made = self.api.post(
            "/v1/setup_intents",
            customer=self.customer(None),
            payment_method="pm_usBankAccount_success",
            allowed_payment_method_types=["us_bank_account"],
            mandate_data=acceptance,
            confirm=True,
        )
        return str(made["mandate"])

    def token(self) -> str:
        return self.make("/v1/tokens", card={"number": "4242424242424242", "exp_month": "12", "exp_year": "2034"})

    def tax_id(self, customer: str) -> str:
        return self.make(f"/v1/customers/{customer}/tax_ids", type="eu_vat", value="DE123456789")

    def own_tax_id(self) -> str:
        return self.make("/v1/tax_ids", type="eu_vat", value="DE123456789")

    def movement(self, customer: str) -> str:
        return self.make(f"/v1/customers/{customer}/balance_transactions", amount=-500, currency="usd")

    def discounted_customer(self) -> str:
        """Only old data has this: no request of this version makes it."""
        made, coupon = self.customer(None), self.coupon()
        with self.api.engine.change() as world:
            discounts.start(world, customer=world.get("customer", made), coupon=coupon, param="coupon")
        return made

    def discounted(self) -> str:
        return self.subscription(discounts=[{"coupon": self.coupon()}])

    def endpoint(self) -> str:
        return self.make("/v1/webhook_endpoints", url="https://example.com/hooks", enabled_events=["*"])

    def destination(self) -> str:
        return self.make("/v2/core/event_destinations", **DESTINATION)

    def event(self) -> str:
        self.customer(None)
        return self.first("/v1/events")


DESTINATION: Final = {
    "name": "Hooks",
    "type": "webhook_endpoint",
    "event_payload": "thin",
    "enabled_events": ["*"],
    "webhook_endpoint": {"url": "https://example.com/hooks"},
}
