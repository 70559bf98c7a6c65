"""Whatever is asked of invoices in whatever order: no failure of ours, and everything adds up."""

from __future__ import annotations

import random
from typing import Any

import pytest

from trueup.sandbox.invoices.invariants import broken
from trueup.sandbox.server.engine import Engine

Json = dict[str, Any]

CARDS = ("pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_threeDSecure2Required", None)
STEPS = 120


class Run:
    """Random requests and clock advances; every answer has to be Stripe's to give, and is kept."""

    def __init__(self, api: Any, seed: int) -> None:
        self.api = api
        self.chance = random.Random(seed)
        self.answers: list[bytes] = []
        self.coupon = api.post("/v1/coupons", percent_off=30, duration="forever")["id"]
        self.customers = [self._customer(card) for card in CARDS]
        self.kinds = (
            self._item,
            self._item,
            self._draft,
            self._draft,
            self._finalize,
            self._pay,
            self._end,
            self._change,
            self._add,
            self._credit,
            self._take_back,
            self._preview,
            self._advance,
            self._advance,
        )

    def go(self) -> list[bytes]:
        for _ in range(STEPS):
            self.chance.choice(self.kinds)()
            with self.api.engine.change() as world:
                faults = [broken(one) for one in world.select("invoice")]
            assert [found for found in faults if found] == []
        return self.answers

    def _customer(self, card: str | None) -> str:
        customer: Json = self.api.post("/v1/customers", email="a@b.c", balance=self.chance.choice((0, -700, 400)))
        if card:
            method = self.api.post(f"/v1/payment_methods/{card}/attach", customer=customer["id"])
            settings = {"default_payment_method": method["id"]}
            self.api.post(f"/v1/customers/{customer['id']}", invoice_settings=settings)
        return str(customer["id"])

    def _ask(self, method: str, path: str, **params: Any) -> None:
        answer = self.api.answer(method, path, params)
        assert answer.status < 500, (path, params, answer.body)
        self.answers.append(answer.body)

    def _any(self, path: str) -> str:
        found = [one["id"] for one in self.api.get(path, limit=100)["data"]]
        return f"{path}/{self.chance.choice(found) if found else 'none'}"

    def _amount(self) -> int:
        return self.chance.choice((-900, -20, 0, 10, 49, 50, 333, 1000, 99_999))

    def _odds(self, of_ten: int) -> bool:
        return self.chance.randrange(10) < of_ten

    def _item(self) -> None:
        customer = self.chance.choice(self.customers)
        self._ask("POST", "/v1/invoiceitems", customer=customer, amount=self._amount(), currency="usd")

    def _draft(self) -> None:
        more: Json = {"discounts": [{"coupon": self.coupon}]} if self._odds(4) else {}
        if self._odds(3):
            more |= {"collection_method": "send_invoice", "days_until_due": self.chance.randrange(1, 20)}
        more |= {"pending_invoice_items_behavior": "include" if self._odds(8) else "exclude"}
        customer = self.chance.choice(self.customers)
        self._ask("POST", "/v1/invoices", customer=customer, auto_advance=self._odds(7), **more)

    def _finalize(self) -> None:
        self._ask("POST", self._any("/v1/invoices") + "/finalize", auto_advance=self._odds(5))

    def _pay(self) -> None:
        self._ask("POST", self._any("/v1/invoices") + "/pay", paid_out_of_band=self._odds(2))

    def _end(self) -> None:
        how = self.chance.choice(("void", "mark_uncollectible", "send", ""))
        self._ask(*(("POST", f"{self._any('/v1/invoices')}/{how}") if how else ("DELETE", self._any("/v1/invoices"))))

    def _change(self) -> None:
        more: Json = {"discounts": [{"coupon": self.coupon}]} if self._odds(3) else {}
        self._ask("POST", self._any("/v1/invoices"), auto_advance=self._odds(5), **more)

    def _add(self) -> None:
        lines = [{"amount": self._amount(), "description": "More"}]
        self._ask("POST", self._any("/v1/invoices") + "/add_lines", lines=lines)

    def _credit(self) -> None:
        invoice, amount = self._any("/v1/invoices").rpartition("/")[2], abs(self._amount())
        give = {self.chance.choice(("credit_amount", "refund_amount", "memo")): amount}
        self._ask("POST", "/v1/credit_notes", invoice=invoice, amount=amount, **give)

    def _take_back(self) -> None:
        self._ask("POST", self._any("/v1/credit_notes") + "/void")

    def _preview(self) -> None:
        self._ask("POST", "/v1/invoices/create_preview", customer=self.chance.choice(self.customers))

    def _advance(self) -> None:
        self.api.advance(self.chance.choice((60, 3_600, 86_400, 3 * 86_400)))


@pytest.mark.parametrize("seed", range(12))
def test_anything_may_be_asked(api: Any, seed: int) -> None:
    Run(api, seed).go()


def test_the_same_requests_give_the_same_answers(api: Any) -> None:
    first = Run(api, 99).go()
    other = Engine()
    try:
        assert Run(type(api)(other), 99).go() == first
    finally:
        other.close()
