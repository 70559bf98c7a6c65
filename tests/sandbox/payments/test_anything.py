"""Whatever is asked of payments in whatever order: no failure of ours, and the money adds up."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest

from tests.sandbox.conftest import Api, Json
from trueup.sandbox.payment_methods import setup_intents
from trueup.sandbox.payments import intents
from trueup.sandbox.server.engine import Engine

CARDS = (
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_chargeCustomerFail",
    "pm_card_threeDSecure2Required",
    "pm_card_createDispute",
    "pm_card_createDisputeInquiry",
    "pm_card_pendingRefund",
    "pm_card_refundFail",
    "pm_card_createIssuerFraudRecord",
    "pm_card_bypassPending",
    "pm_usBankAccount_success",
    "pm_usBankAccount_noAccount",
    "pm_usBankAccount_dispute",
)
STEPS = 150


class Run:
    """Random requests and clock advances of one seed."""

    def __init__(self, api: Api, seed: int) -> None:
        self.api = api
        self.chance = random.Random(seed)
        self.answers: list[bytes] = []
        self.customers: list[tuple[str, str]] = []
        self.ids: dict[str, list[str]] = {"payment_intent": [], "refund": [], "setup_intent": [], "dispute": []}
        for card in CARDS:
            customer = api.post("/v1/customers", email="a@b.c")["id"]
            method = api.post(f"/v1/payment_methods/{card}/attach", customer=customer)["id"]
            self.customers.append((customer, method))

    def go(self) -> None:
        kinds = (
            self._pay, self._pay, self._pay, self._begin, self._confirm, self._capture, self._cancel, self._change,
            self._refund, self._refund, self._cancel_refund, self._argue, self._close, self._set_up,
            self._confirm_setup, self._authenticate, self._detach, self._advance, self._advance,
        )  # fmt: skip
        for _ in range(STEPS):
            self.chance.choice(kinds)()
            self._check()

    def _ask(self, method: str, path: str, params: dict[str, Any]) -> Json:
        answer = self.api.answer(method, path, params)
        assert answer.status < 500, answer.body
        self.answers.append(answer.body)
        return self._keep(answer.body)

    def _keep(self, body: bytes) -> Json:
        found: Json = orjson.loads(body)
        found = found.get("error", {}).get("payment_intent") or found
        if found.get("object") in self.ids and found["id"] not in self.ids[found["object"]]:
            self.ids[found["object"]].append(found["id"])
        return found

    def _one(self, kind: str, default: str) -> str:
        return self.chance.choice(self.ids[kind] or [default])

    def _amount(self) -> int:
        return self.chance.choice((-1, 0, 30, 50, 999, 2500, 10_000, 10**9))

    def _pay(self) -> None:
        customer, method = self.chance.choice(self.customers)
        params: dict[str, Any] = {
            "amount": self.chance.choice((50, 999, 2500, 10_000)),
            "currency": self.chance.choice(("usd", "usd", "eur")),
            "customer": customer,
            "payment_method": method,
            "confirm": True,
            "capture_method": self.chance.choice(("automatic", "automatic_async", "manual")),
            "off_session": self.chance.choice((True, False)),
        }
        self._ask("POST", "/v1/payment_intents", params)

    def _begin(self) -> None:
        customer, _ = self.chance.choice(self.customers)
        self._ask("POST", "/v1/payment_intents", {"amount": self._amount(), "currency": "usd", "customer": customer})

    def _confirm(self) -> None:
        _, method = self.chance.choice(self.customers)
        path = f"/v1/payment_intents/{self._one('payment_intent', 'pi_no')}/confirm"
        self._ask("POST", path, {"payment_method": self.chance.choice((method, "pm_card_visa", "tok_visa"))})

    def _capture(self) -> None:
        path = f"/v1/payment_intents/{self._one('payment_intent', 'pi_no')}/capture"
        self._ask("POST", path, self.chance.choice(({}, {"amount_to_capture": self._amount()})))

    def _cancel(self) -> None:
        self._ask("POST", f"/v1/payment_intents/{self._one('payment_intent', 'pi_no')}/cancel", {})

    def _change(self) -> None:
        params = self.chance.choice(({"amount": self._amount()}, {"metadata": {"a": "b"}}, {"currency": "eur"}))
        self._ask("POST", f"/v1/payment_intents/{self._one('payment_intent', 'pi_no')}", params)

    def _refund(self) -> None:
        params: dict[str, Any] = {"payment_intent": self._one("payment_intent", "pi_no")}
        if self.chance.random() < 0.7:
            params["amount"] = self._amount()
        self._ask("POST", "/v1/refunds", params)

    def _cancel_refund(self) -> None:
        self._ask("POST", f"/v1/refunds/{self._one('refund', 're_no')}/cancel", {})

    def _disputed(self) -> str:
        found = self.api.get("/v1/disputes", limit=100)["data"]
        return str(self.chance.choice(found)["id"]) if found else "du_no"

    def _argue(self) -> None:
        word = self.chance.choice(("winning_evidence", "losing_evidence", "escalate_inquiry_evidence", "a letter"))
        params = {"evidence": {"uncategorized_text": word}, "submit": self.chance.choice((True, False))}
        self._ask("POST", f"/v1/disputes/{self._disputed()}", params)

    def _close(self) -> None:
        self._ask("POST", f"/v1/disputes/{self._disputed()}/close", {})

    def _set_up(self) -> None:
        customer, method = self.chance.choice(self.customers)
        params = {"customer": customer, "payment_method": method, "confirm": self.chance.choice((True, False))}
        self._ask("POST", "/v1/setup_intents", params)

    def _confirm_setup(self) -> None:
        path = f"/v1/setup_intents/{self._one('setup_intent', 'seti_no')}/{self.chance.choice(('confirm', 'cancel'))}"
        self._ask("POST", path, {})

    def _authenticate(self) -> None:
        succeed = self.chance.choice((True, False))
        with self.api.engine.change() as world:
            for intent_id in self.ids["payment_intent"][-5:]:
                intents.authenticate(world, world.get("payment_intent", intent_id), succeed)
            for intent_id in self.ids["setup_intent"][-5:]:
                setup_intents.authenticate(world, world.get("setup_intent", intent_id), succeed)

    def _detach(self) -> None:
        if self.chance.random() < 0.2:
            self._ask("POST", f"/v1/payment_methods/{self.chance.choice(self.customers)[1]}/detach", {})

    def _advance(self) -> None:
        self.api.advance(self.chance.choice((1, 10, 300, 86_400, 9 * 86_400)))

    def _check(self) -> None:
        with self.api.engine.change() as world:
            rows = list(world.select("balance_transaction"))
            assert all(row["net"] == row["amount"] - row["fee"] for row in rows)
            entered: dict[str, int] = {}
            for row in rows:
                entered[row["source"]] = entered.get(row["source"], 0) + row["amount"]
            for charge in world.select("charge"):
                self._check_charge(charge, entered)
            for intent in world.select("payment_intent"):
                assert (intent["status"] == "succeeded") == (intent["amount_received"] > 0)
                assert (intent["status"] == "requires_capture") == (intent["amount_capturable"] > 0)
                assert (intent["status"] == "requires_action") == (intent["next_action"] is not None)
                assert (intent["status"] == "canceled") == (intent["canceled_at"] is not None)

    def _check_charge(self, charge: Json, entered: dict[str, int]) -> None:
        assert charge["amount_captured"] <= charge["amount"]
        assert 0 <= charge["amount_refunded"] <= (charge["amount_captured"] or charge["amount"])
        if charge["balance_transaction"] is not None:
            assert entered[charge["id"]] == charge["amount_captured"]
        else:
            assert charge["id"] not in entered


@pytest.mark.parametrize("seed", range(4))
def test_nothing_that_is_asked_breaks_the_books(api: Api, seed: int) -> None:
    Run(api, seed).go()


def test_the_same_seed_gives_the_same_answers() -> None:
    first, second = Engine(seed="again"), Engine(seed="again")
    runs = [Run(Api(engine), 7) for engine in (first, second)]
    for run in runs:
        run.go()

    assert runs[0].answers == runs[1].answers
    assert len(runs[0].answers) > STEPS / 2
    first.close()
    second.close()
