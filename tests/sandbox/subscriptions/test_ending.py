"""How subscriptions end: what is told, what is given back, what is billed no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.subscriptions.conftest import give, previous, waiting

Json = dict[str, Any]
Make = Callable[..., Json]

HOUR, DAY = 3_600, 86_400
JANUARY, FEBRUARY = 1_767_225_600, 1_769_904_000
HALF = (FEBRUARY - JANUARY) // 2


def test_an_end_at_the_periods_end_is_set_and_undone(api: Any, begun: Json) -> None:
    found = api.post(f"/v1/subscriptions/{begun['id']}", cancel_at_period_end=True)

    assert (found["status"], found["cancel_at"], found["canceled_at"]) == ("active", FEBRUARY, JANUARY + HALF)
    assert found["cancellation_details"]["reason"] == "cancellation_requested"
    [updated] = api.events()
    assert previous(updated) == {
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"reason": None},
    }
    found = api.post(f"/v1/subscriptions/{begun['id']}", cancel_at_period_end=False)
    assert (found["cancel_at"], found["canceled_at"], found["cancellation_details"]["reason"]) == (None, None, None)
    api.engine.advance(FEBRUARY)
    assert api.get(f"/v1/subscriptions/{begun['id']}")["status"] == "active"


def test_the_end_of_the_period_is_the_end(api: Any, begun: Json) -> None:
    api.post(f"/v1/subscriptions/{begun['id']}", cancel_at_period_end=True)
    api.events()

    api.engine.advance(FEBRUARY + HOUR)

    [deleted] = api.events()
    assert (deleted["type"], deleted["created"]) == ("customer.subscription.deleted", FEBRUARY)
    assert deleted["request"] == {"id": None, "idempotency_key": None}
    found = deleted["data"]["object"]
    assert (found["status"], found["ended_at"], found["canceled_at"]) == ("canceled", FEBRUARY, JANUARY + HALF)
    assert len(api.get("/v1/invoices", subscription=begun["id"])["data"]) == 1


def test_delete_ends_at_once(api: Any, begun: Json) -> None:
    found = api.delete(f"/v1/subscriptions/{begun['id']}", cancellation_details={"feedback": "unused"})

    now = JANUARY + HALF
    assert (found["status"], found["ended_at"], found["canceled_at"]) == ("canceled", now, now)
    assert found["cancellation_details"]["feedback"] == "unused"
    [deleted] = api.events()
    assert deleted["type"] == "customer.subscription.deleted"
    assert deleted["request"]["id"] is not None
    assert waiting(api, begun) == []
    assert api.delete(f"/v1/subscriptions/{begun['id']}", error=True)["status"] == 404
    api.advance(60 * DAY)
    assert api.types() == []


def test_what_was_canceled_hardly_changes(api: Any, begun: Json) -> None:
    api.delete(f"/v1/subscriptions/{begun['id']}")

    found = api.post(f"/v1/subscriptions/{begun['id']}", metadata={"a": "b"}, cancellation_details={"comment": "Bye"})
    assert (found["metadata"], found["cancellation_details"]["comment"]) == ({"a": "b"}, "Bye")

    error = api.post(f"/v1/subscriptions/{begun['id']}", description="Other", error=True)
    assert (error["status"], error["code"]) == (400, "invalid_canceled_subscription_fields")


def test_delete_leaves_open_invoices_uncollected(api: Any, begun: Json) -> None:
    give(api, begun["customer"], "pm_card_chargeCustomerFail")
    api.engine.advance(FEBRUARY + HOUR)
    [owed, _] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert (owed["status"], owed["auto_advance"]) == ("open", True)

    api.delete(f"/v1/subscriptions/{begun['id']}")

    left = api.get(f"/v1/invoices/{owed['id']}")
    assert (left["status"], left["auto_advance"], left["next_payment_attempt"]) == ("open", False, None)


def test_delete_forgets_pending_prorations_and_leaves_other_items(api: Any, begun: Json, price: Any) -> None:
    setup = price(700, None, name="Set-up")
    api.post(f"/v1/subscriptions/{begun['id']}", add_invoice_items=[{"price": setup}])
    api.post(f"/v1/subscription_items/{begun['items']['data'][0]['id']}", quantity=3)
    assert waiting(api, begun) == [700, -1000, 3000]

    api.delete(f"/v1/subscriptions/{begun['id']}")

    assert waiting(api, begun) == [700]
    other = api.post("/v1/invoices", customer=begun["customer"], pending_invoice_items_behavior="include")
    assert other["total"] == 700


def test_an_end_at_the_periods_end_bills_what_is_pending(api: Any, begun: Json) -> None:
    api.post(
        f"/v1/subscriptions/{begun['id']}",
        items=[{"id": begun["items"]["data"][0]["id"], "quantity": 3}],
        cancel_at_period_end=True,
    )
    preview = api.post("/v1/invoices/create_preview", subscription=begun["id"])
    api.engine.advance(FEBRUARY - 1)
    api.events()

    api.engine.advance(FEBRUARY)

    assert api.types() == ["invoice.created", "customer.subscription.deleted"]
    [final, _] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert (final["status"], final["total"], final["auto_advance"]) == ("draft", 2000, True)
    assert preview["total"] == 2000
    api.advance(HOUR)
    assert api.get(f"/v1/invoices/{final['id']}")["status"] == "paid"


def test_a_trial_that_ends_with_the_subscription_is_not_billed(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    subscription = subscribe(payer(), price(), trial_period_days=7, cancel_at_period_end=True)
    api.advance(7 * DAY - 1)
    api.events()

    api.advance(HOUR)

    assert api.types() == ["customer.subscription.deleted"]
    assert len(api.get("/v1/invoices", subscription=subscription["id"])["data"]) == 1


def test_a_first_invoice_that_was_never_paid_is_void_after_the_end(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    subscription = subscribe(payer(None), price(), payment_behavior="default_incomplete")

    found = api.delete(f"/v1/subscriptions/{subscription['id']}")

    assert found["status"] == "canceled"
    assert api.get(f"/v1/invoices/{subscription['latest_invoice']['id']}")["status"] == "void"


def test_a_draft_of_a_subscription_cannot_be_deleted(api: Any, begun: Json) -> None:
    api.engine.advance(FEBRUARY)
    [draft, _] = api.get("/v1/invoices", subscription=begun["id"])["data"]

    error = api.delete(f"/v1/invoices/{draft['id']}", error=True)

    assert error["status"] == 400
    assert api.get(f"/v1/subscriptions/{begun['id']}")["latest_invoice"] == draft["id"]


def test_delete_may_credit_what_is_left(api: Any, begun: Json) -> None:
    api.delete(f"/v1/subscriptions/{begun['id']}", prorate=True)

    assert api.types() == ["invoiceitem.created", "customer.subscription.deleted"]
    assert waiting(api, begun) == [-1000]


def test_a_credit_on_a_final_invoice_is_lost(api: Any, begun: Json) -> None:
    api.delete(f"/v1/subscriptions/{begun['id']}", prorate=True, invoice_now=True)

    assert api.types() == [
        "invoiceitem.created",
        "invoice.created",
        "invoice.finalized",
        "customer.subscription.deleted",
        "customer.updated",
    ]
    [final, _] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert (final["status"], final["total"], final["amount_due"]) == ("open", -1000, 0)
    api.advance(4)
    assert "invoice.marked_uncollectible" not in api.types()
    api.advance(1)
    assert api.types() == ["invoice.marked_uncollectible"]
    [final, _] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert (final["status"], final["status_details"]["uncollectible"]["reason"]) == (
        "uncollectible",
        "subscription_canceled",
    )
    assert api.get(f"/v1/customers/{begun['customer']}")["balance"] == 0


def test_a_final_invoice_bills_what_was_pending(api: Any, begun: Json, price: Any) -> None:
    item = begun["items"]["data"][0]["id"]
    api.post(f"/v1/subscription_items/{item}", quantity=3)

    api.delete(f"/v1/subscriptions/{begun['id']}", invoice_now=True)

    [final, _] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert (final["status"], final["total"]) == ("paid", 2000)
    assert waiting(api, begun) == []


def test_an_end_in_mid_period_credits_what_comes_after_it(api: Any, begun: Json) -> None:
    end = JANUARY + HALF + HALF // 2

    found = api.post(f"/v1/subscriptions/{begun['id']}", cancel_at=end)

    assert (found["cancel_at"], found["cancel_at_period_end"]) == (end, False)
    assert found["items"]["data"][0]["current_period_end"] == end
    assert waiting(api, begun) == [-500]
    found = api.post(f"/v1/subscriptions/{begun['id']}", cancel_at="")
    assert (found["cancel_at"], found["items"]["data"][0]["current_period_end"]) == (None, FEBRUARY)
    assert waiting(api, begun) == [-500, 500]


def test_the_last_period_is_billed_up_to_the_end_that_is_set(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    end = FEBRUARY + 14 * DAY
    subscription = subscribe(payer(), price(), cancel_at=end)

    api.engine.advance(end + HOUR)

    last, first = api.get("/v1/invoices", subscription=subscription["id"])["data"]
    assert (first["total"], last["total"], last["status"]) == (2000, 1000, "paid")
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["ended_at"] == end


@pytest.mark.parametrize(("behavior", "total"), [("create_prorations", 1000), ("none", 2000)])
def test_a_first_period_that_is_cut_short_is_billed_in_part(
    api: Any, payer: Make, price: Any, *, subscribe: Make, behavior: str, total: int
) -> None:
    subscription = subscribe(payer(), price(), cancel_at=JANUARY + HALF, proration_behavior=behavior)

    assert subscription["latest_invoice"]["total"] == total
    assert subscription["items"]["data"][0]["current_period_end"] == JANUARY + HALF


def test_a_deleted_customers_subscriptions_end(api: Any, begun: Json) -> None:
    api.delete(f"/v1/customers/{begun['customer']}")

    types = api.types()
    assert types.index("customer.subscription.deleted") < types.index("customer.deleted")
    assert api.get(f"/v1/subscriptions/{begun['id']}")["status"] == "canceled"
    api.advance(60 * DAY)
    assert api.types() == []
