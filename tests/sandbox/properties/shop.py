"""What a run begins with: some prices, a customer with and one without a test clock, each with a subscription."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.sandbox.properties.choices import CARDS, COUPONS, GOOD, MONTH, PRICES, Json, amount, given, which, yes
from tests.sandbox.properties.visitor import Visitor


class Shop(RuleBasedStateMachine):
    """A sandbox, its payers and what it sells."""

    def __init__(self) -> None:
        super().__init__()
        self.visitor = Visitor()

    @initialize(
        prices=st.lists(st.sampled_from(PRICES), min_size=3, max_size=5),
        cards=st.tuples(st.sampled_from(GOOD), st.sampled_from(CARDS)),
        trial=st.sampled_from((None, 2, 14)),
    )
    def open(self, prices: list[Json], cards: tuple[str, str], trial: int | None) -> None:
        product = self.visitor.post("/v1/products", name="Pro")["id"]
        for price in ({**MONTH, "unit_amount": 2500}, *prices):
            self.visitor.post("/v1/prices", product=product, **price)
        self.visitor.post("/v1/coupons", percent_off=25, duration="repeating", duration_in_months=2)
        clock = self.visitor.post("/v1/test_helpers/test_clocks", frozen_time=self.visitor.engine.now())["id"]
        for at, under in enumerate((None, clock)):
            made = self.visitor.post("/v1/customers", **given(email="ada@example.com", test_clock=under))["id"]
            self._attach(made, "pm_card_visa" if at else cards[0])
            items = [{"price": self.visitor.any("price", 0), "quantity": at + 1}]
            self.visitor.post("/v1/subscriptions", **given(customer=made, items=items, trial_period_days=trial))
            if at:
                self._attach(made, cards[1])

    def _attach(self, customer: str, card: str) -> None:
        method = self.visitor.post(f"/v1/payment_methods/{card}/attach", customer=customer)
        if "id" in method:
            settings_ = {"default_payment_method": method["id"]}
            self.visitor.post(f"/v1/customers/{customer}", invoice_settings=settings_)

    def _discount(self, at: int) -> list[Json] | None:
        if at == 1 and self.visitor.count("promotion_code"):
            return [{"promotion_code": self.visitor.any("promotion_code", at)}]
        return [{"coupon": self.visitor.any("coupon", at)}] if at < 5 else None

    def _price(self, at: int) -> str:
        return self.visitor.any("price", at)

    # --- customers and what they pay with

    @rule(card=st.sampled_from(CARDS), clock=yes, at=which, balance=st.sampled_from((None, -700, 400)))
    def customer(self, card: str, clock: bool, at: int, balance: int | None) -> None:
        under = self.visitor.any("test_helpers.test_clock", at) if clock else None
        made = self.visitor.post("/v1/customers", **given(email="a@b.c", test_clock=under, balance=balance))
        if "id" in made:
            self._attach(made["id"], card)

    @rule(at=which, card=st.sampled_from(CARDS))
    def card(self, at: int, card: str) -> None:
        self._attach(self.visitor.any("customer", at), card)

    @rule(at=which)
    def detach(self, at: int) -> None:
        self.visitor.post(f"/v1/payment_methods/{self.visitor.any('payment_method', at)}/detach")

    @rule(at=which, coin=amount)
    def balance(self, at: int, coin: int) -> None:
        path = f"/v1/customers/{self.visitor.any('customer', at)}/balance_transactions"
        self.visitor.post(path, amount=coin, currency="usd")

    @rule(at=which, name=st.sampled_from(("Ada", "", "Grace")))
    def rename(self, at: int, name: str) -> None:
        path = f"/v1/customers/{self.visitor.any('customer', at)}"
        self.visitor.post(path, name=name, metadata={"plan": name})

    @rule(at=which)
    def forget(self, at: int) -> None:
        if at < 8:
            return
        self.visitor.ask("DELETE", f"/v1/customers/{self.visitor.any('customer', at)}")

    # --- what is sold

    @rule(price=st.sampled_from(PRICES), at=which)
    def price(self, price: Json, at: int) -> None:
        self.visitor.post("/v1/prices", product=self.visitor.any("product", at), **price)

    @rule(coupon=st.sampled_from(COUPONS), coded=yes)
    def coupon(self, coupon: Json, coded: bool) -> None:
        made = self.visitor.post("/v1/coupons", **coupon)
        if coded:
            promotion = {"type": "coupon", "coupon": made["id"]}
            self.visitor.post("/v1/promotion_codes", promotion=promotion, max_redemptions=1)

    @rule(at=which, kind=st.sampled_from(("coupon", "price", "promotion_code", "product")), end=yes)
    def change_catalogue(self, at: int, kind: str, end: bool) -> None:
        path = f"/v1/{kind}s/{self.visitor.any(kind, at)}"
        if end and kind in {"coupon", "product"}:
            self.visitor.ask("DELETE", path)
        else:
            self.visitor.post(path, metadata={"seen": at})
