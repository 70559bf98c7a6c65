"""Credit notes: before payment, after it, and both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Json = dict[str, Any]
Make = Callable[..., Json]


@pytest.fixture
def opened(api: Any, payer: Make, bill: Make) -> Json:
    """An open invoice over 1000."""
    found: Json = api.post(f"/v1/invoices/{bill(payer())['id']}/finalize")
    api.events()
    return found


@pytest.fixture
def paid(api: Any, payer: Make, bill: Make) -> Json:
    """A paid invoice over 1000."""
    found: Json = api.post(f"/v1/invoices/{bill(payer())['id']}/pay")
    api.events()
    return found


def test_before_payment_less_is_due(api: Any, opened: Json) -> None:
    note = api.post("/v1/credit_notes", invoice=opened["id"], amount=300, reason="order_change")

    assert (note["type"], note["pre_payment_amount"], note["post_payment_amount"]) == ("pre_payment", 300, 0)
    assert note["number"] == f"{opened['number']}-CN-01"
    found = api.get(f"/v1/invoices/{opened['id']}", expand=["payments"])
    assert (found["total"], found["amount_due"], found["amount_remaining"]) == (1000, 700, 700)
    assert found["pre_payment_credit_notes_amount"] == 300
    assert found["payments"]["data"][0]["amount_requested"] == 700
    types = api.types()
    assert types[0] == "credit_note.created"
    assert "invoice.updated" in types
    assert api.post(f"/v1/invoices/{opened['id']}/pay")["amount_paid"] == 700


def test_all_credited_is_paid(api: Any, opened: Json) -> None:
    line = opened["lines"]["data"][0]
    api.post(
        "/v1/credit_notes",
        invoice=opened["id"],
        lines=[{"type": "invoice_line_item", "invoice_line_item": line["id"], "quantity": 1}],
    )

    found = api.get(f"/v1/invoices/{opened['id']}")
    assert (found["status"], found["amount_due"], found["amount_paid"]) == ("paid", 0, 0)
    assert api.types() == [
        "credit_note.created",
        "payment_intent.canceled",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]


def test_a_note_may_be_taken_back_before_payment(api: Any, opened: Json) -> None:
    note = api.post("/v1/credit_notes", invoice=opened["id"], amount=300)

    void = api.post(f"/v1/credit_notes/{note['id']}/void")

    assert (void["status"], void["voided_at"] is None) == ("void", False)
    found = api.get(f"/v1/invoices/{opened['id']}")
    assert (found["amount_due"], found["pre_payment_credit_notes_amount"]) == (1000, 0)
    assert "credit_note.voided" in api.types()
    assert api.post(f"/v1/credit_notes/{note['id']}/void", error=True)["status"] == 400


def test_after_payment_money_goes_back(api: Any, paid: Json) -> None:
    note = api.post("/v1/credit_notes", invoice=paid["id"], amount=500, refund_amount=500)

    assert (note["type"], note["post_payment_amount"]) == ("post_payment", 500)
    [linked] = note["refunds"]
    refund = api.get(f"/v1/refunds/{linked['refund']}")
    assert (refund["amount"], refund["status"], linked["amount_refunded"]) == (500, "succeeded", 500)
    found = api.get(f"/v1/invoices/{paid['id']}")
    assert (found["status"], found["amount_paid"], found["post_payment_credit_notes_amount"]) == ("paid", 1000, 500)
    assert {"refund.created", "charge.refunded", "credit_note.created", "invoice.updated"} <= set(api.types())
    assert api.post(f"/v1/credit_notes/{note['id']}/void", error=True)["status"] == 400


def test_after_payment_the_customer_may_be_credited(api: Any, paid: Json) -> None:
    note = api.post("/v1/credit_notes", invoice=paid["id"], amount=500, credit_amount=400, out_of_band_amount=100)

    assert note["out_of_band_amount"] == 100
    balance = api.get(f"/v1/customers/{paid['customer']}")["balance"]
    assert balance == -400
    [made] = api.get(f"/v1/customers/{paid['customer']}/balance_transactions")["data"]
    assert (made["id"], made["type"], made["credit_note"]) == (
        note["customer_balance_transaction"],
        "credit_note",
        note["id"],
    )


@pytest.mark.parametrize(
    "given",
    [
        {"amount": 500},
        {"amount": 500, "refund_amount": 400},
        {"amount": 1001, "refund_amount": 1001},
        {"amount": 0},
        {"amount": 500, "credit_amount": 600, "out_of_band_amount": -100},
        {},
    ],
)
def test_what_does_not_come_out_even_is_refused(api: Any, paid: Json, given: Json) -> None:
    refused = api.post("/v1/credit_notes", invoice=paid["id"], **given, error=True)

    assert refused["status"] == 400
    assert api.get("/v1/credit_notes", invoice=paid["id"])["data"] == []
    assert api.types() == []


def test_a_line_is_credited_once(api: Any, paid: Json) -> None:
    line = {"type": "invoice_line_item", "invoice_line_item": paid["lines"]["data"][0]["id"], "amount": 600}
    api.post("/v1/credit_notes", invoice=paid["id"], lines=[line], credit_amount=600)

    refused = api.post("/v1/credit_notes", invoice=paid["id"], lines=[line], credit_amount=600, error=True)

    assert refused["param"] == "lines[0][amount]"
    rest = api.post("/v1/credit_notes", invoice=paid["id"], amount=400, credit_amount=400)
    assert rest["number"].endswith("-CN-02")


def test_a_discount_is_credited_in_proportion(api: Any, payer: Make) -> None:
    customer = payer()["id"]
    coupon = api.post("/v1/coupons", percent_off=10, duration="once")["id"]
    api.post("/v1/invoiceitems", customer=customer, amount=1000, currency="usd")
    draft = api.post(
        "/v1/invoices", customer=customer, pending_invoice_items_behavior="include", discounts=[{"coupon": coupon}]
    )
    paid = api.post(f"/v1/invoices/{draft['id']}/pay")
    line = {"type": "invoice_line_item", "invoice_line_item": paid["lines"]["data"][0]["id"], "amount": 500}

    note = api.post("/v1/credit_notes", invoice=paid["id"], lines=[line], refund_amount=450)

    assert (note["subtotal"], note["discount_amount"], note["total"]) == (500, 50, 450)
    assert note["discount_amounts"] == [{"amount": 50, "discount": paid["discounts"][0]}]


def test_a_preview_credits_nothing(api: Any, paid: Json) -> None:
    shown = api.get("/v1/credit_notes/preview", invoice=paid["id"], amount=500, refund_amount=500)
    lines = api.get("/v1/credit_notes/preview/lines", invoice=paid["id"], amount=500, refund_amount=500)

    assert (shown["total"], len(lines["data"])) == (500, 1)
    assert api.get("/v1/credit_notes")["data"] == []
    assert api.types() == []


def test_notes_are_found_and_described(api: Any, paid: Json) -> None:
    note = api.post("/v1/credit_notes", invoice=paid["id"], amount=500, credit_amount=500, memo="a")
    api.events()

    changed = api.post(f"/v1/credit_notes/{note['id']}", memo="b", metadata={"k": "v"})

    assert (changed["memo"], changed["metadata"]) == ("b", {"k": "v"})
    assert api.types() == ["credit_note.updated"]
    assert api.get(f"/v1/credit_notes/{note['id']}") == changed
    assert api.get("/v1/credit_notes", customer=paid["customer"])["data"] == [changed]
    assert len(api.get(f"/v1/credit_notes/{note['id']}/lines")["data"]) == 1
