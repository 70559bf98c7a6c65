"""What Stripe refuses to do with invoices, in its words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Make = Callable[..., Json]

NOT_OPEN = "You can only pass in open invoices. This invoice isn't open."


def test_only_what_is_open_ends(api: Any, payer: Make, bill: Make) -> None:
    customer = payer()
    draft, paid, void = bill(customer), bill(customer), bill(customer)
    api.post(f"/v1/invoices/{paid['id']}/pay")
    api.post(f"/v1/invoices/{void['id']}/finalize")
    api.post(f"/v1/invoices/{void['id']}/void")

    def told(invoice: Json, how: str) -> str:
        refused = api.post(f"/v1/invoices/{invoice['id']}/{how}", error=True)
        assert refused["status"] == 400
        assert "code" not in refused
        return str(refused["message"])

    assert told(draft, "void") == NOT_OPEN
    assert told(draft, "mark_uncollectible") == NOT_OPEN
    assert told(paid, "void") == "Invoices with `paid` payments cannot be voided."
    assert told(paid, "mark_uncollectible") == NOT_OPEN
    assert told(paid, "pay") == "Invoice is already paid"
    assert told(paid, "send").startswith("This invoice cannot be sent right now.")
    assert told(void, "void") == NOT_OPEN
    refused = api.delete(f"/v1/invoices/{paid['id']}", error=True)
    assert refused["message"] == "You can only delete draft invoices."


def test_a_finalised_invoice_keeps_its_words(api: Any, payer: Make, bill: Make) -> None:
    paid = bill(payer())
    api.post(f"/v1/invoices/{paid['id']}/pay")

    refused = api.post(f"/v1/invoices/{paid['id']}", description="new", error=True)

    assert (refused["message"], refused["param"]) == (
        "Finalized invoices can't be updated in this way",
        "description",
    )
    assert api.post(f"/v1/invoices/{paid['id']}", metadata={"a": "b"})["metadata"] == {"a": "b"}
    refused = api.post(f"/v1/invoices/{paid['id']}/add_lines", lines=[{"amount": 1}], error=True)
    assert (refused["message"], refused["code"]) == (
        "Invalid invoice: This invoice is no longer editable",
        "invoice_not_editable",
    )


def test_a_due_date_goes_with_sending(api: Any, payer: Make) -> None:
    customer = payer()["id"]

    sent = api.post("/v1/invoices", customer=customer, collection_method="send_invoice", error=True)
    charged = api.post("/v1/invoices", customer=customer, days_until_due=3, error=True)

    assert sent["message"] == (
        "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'."
    )
    assert charged["message"] == (
        "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'."
    )


def test_an_unknown_invoice_is_named_as_each_request_names_it(api: Any) -> None:
    assert api.get("/v1/invoices/in_x", error=True)["param"] == "invoice"
    assert api.delete("/v1/invoices/in_x", error=True)["param"] == "invoice"
    assert api.post("/v1/invoices/in_x/send", error=True)["param"] == "invoice"
    assert api.post("/v1/invoices/in_x/pay", error=True)["param"] == "id"
    assert api.post("/v1/invoices/in_x", error=True)["param"] == "id"
    refused = api.post("/v1/invoices/in_x/void", error=True)
    assert (refused["status"], refused["message"]) == (404, "No such invoice: 'in_x'")


def test_an_item_that_is_invoiced_stays(api: Any, payer: Make, bill: Make) -> None:
    paid = bill(payer())
    [item] = api.get("/v1/invoiceitems", invoice=paid["id"])["data"]
    api.post(f"/v1/invoices/{paid['id']}/pay")

    assert api.delete(f"/v1/invoiceitems/{item['id']}", error=True)["code"] == "invoice_not_editable"
    assert api.post(f"/v1/invoiceitems/{item['id']}", amount=5, error=True)["code"] == "invoice_not_editable"
