"""Payments that fail: how they are tried again, and when Stripe gives up."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from trueup.sandbox.assumptions import RETRY_DAYS
from trueup.sandbox.server.engine import Engine

Json = dict[str, Any]
Make = Callable[..., Json]

HOUR, DAY = 3_600, 86_400
DECLINES = "pm_card_chargeCustomerFail"


@pytest.fixture
def failing(api: Any, payer: Make, bill: Make) -> Json:
    """An invoice whose first automatic payment has just been declined."""
    draft = bill(payer(DECLINES), auto_advance=True)
    api.events()
    api.advance(HOUR)
    found: Json = api.get(f"/v1/invoices/{draft['id']}")
    return found


def _default(api: Any, customer: str, card: str) -> None:
    method = api.post(f"/v1/payment_methods/{card}/attach", customer=customer)
    api.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method["id"]})


def test_a_decline_is_told_and_tried_again_the_next_day(api: Any, failing: Json) -> None:
    assert api.types() == [
        "payment_intent.created",
        "invoice.finalized",
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.updated",
        "invoice.payment_failed",
        "customer.updated",
    ]
    assert (failing["status"], failing["attempted"], failing["attempt_count"]) == ("open", True, 1)
    assert failing["next_payment_attempt"] == failing["effective_at"] + DAY


def test_attempts_go_by_the_table_and_end(api: Any, failing: Json) -> None:
    seen = [failing["next_payment_attempt"]]
    for before, after in pairwise((0, *RETRY_DAYS)):
        api.advance((after - before) * DAY)
        found = api.get(f"/v1/invoices/{failing['id']}")
        seen.append(found["next_payment_attempt"])

    start = failing["effective_at"]
    assert seen == [*(start + day * DAY for day in RETRY_DAYS), None]
    assert (found["attempt_count"], found["status"], found["auto_advance"]) == (1 + len(RETRY_DAYS), "open", False)
    api.events()
    api.advance(60 * DAY)
    assert api.types() == []


def test_the_account_may_have_its_own_table(api: Any, engine: Engine, payer: Make, bill: Make) -> None:
    with engine.change() as world:
        world.store.put_meta("retry_policy", json.dumps([2]))
    draft = bill(payer(DECLINES), auto_advance=True)

    api.advance(HOUR + 2 * DAY)

    found = api.get(f"/v1/invoices/{draft['id']}")
    assert (found["attempt_count"], found["next_payment_attempt"]) == (2, None)


def test_another_method_pays_at_the_next_attempt(api: Any, failing: Json) -> None:
    _default(api, failing["customer"], "pm_card_visa")

    api.advance(DAY)

    paid = api.get(f"/v1/invoices/{failing['id']}")
    assert (paid["status"], paid["attempt_count"], paid["next_payment_attempt"]) == ("paid", 2, None)


def test_requests_do_not_move_the_schedule(api: Any, failing: Json) -> None:
    api.advance(HOUR)

    refused = api.post(f"/v1/invoices/{failing['id']}/pay", error=True)

    assert (refused["status"], refused["type"], refused["code"]) == (402, "card_error", "card_declined")
    again = api.get(f"/v1/invoices/{failing['id']}")
    assert again["attempt_count"] == 1
    assert again["next_payment_attempt"] == failing["next_payment_attempt"]


def test_a_method_that_was_refused_for_good_is_not_charged_again(api: Any, payer: Make, bill: Make) -> None:
    customer = payer("pm_card_threeDSecure2Required")
    draft = bill(customer, auto_advance=True)
    api.advance(HOUR)
    api.events()

    api.advance(DAY)

    assert api.types() == ["invoice.updated", "invoice.payment_failed"]
    tried = api.get(f"/v1/invoices/{draft['id']}")
    assert (tried["status"], tried["attempt_count"]) == ("open", 2)
    _default(api, customer["id"], "pm_card_visa")
    api.advance(2 * DAY)
    assert api.get(f"/v1/invoices/{draft['id']}")["status"] == "paid"


def test_without_a_method_the_attempt_fails(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer(None), auto_advance=True)

    api.advance(HOUR)

    found = api.get(f"/v1/invoices/{draft['id']}")
    assert (found["status"], found["attempt_count"]) == ("open", 1)
    assert "invoice.payment_failed" in api.types()


def test_a_request_without_a_method_is_refused(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer(None))

    refused = api.post(f"/v1/invoices/{draft['id']}/pay", error=True)

    assert refused["status"] == 400
    assert api.get(f"/v1/invoices/{draft['id']}")["status"] == "draft"


def test_who_has_to_authenticate_is_asked(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer("pm_card_threeDSecure2Required"))

    refused = api.post(f"/v1/invoices/{draft['id']}/pay", error=True)

    assert (refused["status"], refused["code"]) == (402, "invoice_payment_intent_requires_action")
    asked = api.get(f"/v1/invoices/{draft['id']}")
    assert (asked["status"], asked["attempted"], asked["attempt_count"]) == ("open", True, 0)
    assert "invoice.payment_action_required" in api.types()


def test_stripes_own_attempt_that_asks_for_the_holder_has_failed(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer("pm_card_threeDSecure2Required"), auto_advance=True)
    api.events()

    api.advance(HOUR)

    assert {"invoice.payment_failed", "invoice.payment_action_required"} <= set(api.types())
    found = api.get(f"/v1/invoices/{draft['id']}")
    assert (found["attempt_count"], found["next_payment_attempt"]) == (1, found["effective_at"] + DAY)


def test_a_declined_request_keeps_what_it_did(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer(DECLINES))

    api.post(f"/v1/invoices/{draft['id']}/pay", error=True)

    found = api.get(f"/v1/invoices/{draft['id']}")
    assert (found["status"], found["attempt_count"], found["next_payment_attempt"]) == ("open", 1, None)
