"""An invoice's life: draft, finalised, paid, ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trueup.sandbox.server.engine import Engine

Json = dict[str, Any]
Make = Callable[..., Json]

HOUR, DAY = 3_600, 86_400
PAID = ["invoice_payment.paid", "invoice.updated", "invoice.paid", "invoice.payment_succeeded"]


def test_a_draft_is_paid_in_one_request(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer())
    assert api.types() == ["invoiceitem.created", "customer.updated", "invoice.created"]

    paid = api.post(f"/v1/invoices/{draft['id']}/pay", expand=["payments", "confirmation_secret"])

    assert api.types() == [
        "payment_intent.created",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        *PAID,
        "customer.updated",
    ]
    assert (paid["status"], paid["amount_paid"], paid["amount_remaining"]) == ("paid", 1000, 0)
    assert (paid["attempt_count"], paid["attempted"], paid["auto_advance"]) == (1, True, False)
    assert paid["number"].endswith("-0001")
    assert paid["status_transitions"]["finalized_at"] == paid["status_transitions"]["paid_at"] == paid["effective_at"]
    [payment] = paid["payments"]["data"]
    assert (payment["status"], payment["amount_paid"], payment["is_default"]) == ("paid", 1000, True)
    assert paid["confirmation_secret"]["client_secret"].startswith(payment["payment"]["payment_intent"])


def test_the_change_that_paid_an_invoice_is_told_with_what_was_before(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer())
    api.post(f"/v1/invoices/{draft['id']}/pay")

    [updated] = [event for event in api.events() if event["type"] == "invoice.updated"]

    assert updated["data"]["previous_attributes"] == {
        "amount_paid": 0,
        "amount_remaining": 1000,
        "attempt_count": 0,
        "attempted": False,
        "status": "open",
        "status_transitions": {"paid_at": None},
    }


def test_an_advancing_draft_is_finalised_and_charged_after_an_hour(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer(), auto_advance=True)
    assert draft["automatically_finalizes_at"] == draft["created"] + HOUR + 1
    assert draft["next_payment_attempt"] == draft["created"] + HOUR

    api.advance(HOUR - 1)
    assert api.get(f"/v1/invoices/{draft['id']}")["status"] == "draft"
    api.advance(1)

    paid = api.get(f"/v1/invoices/{draft['id']}")
    assert paid["status"] == "paid"
    assert paid["automatically_finalizes_at"] is None
    assert [e["request"]["id"] for e in api.events() if e["type"] == "invoice.paid"] == [None]


def test_advancing_may_be_begun_and_ended(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer(), auto_advance=True)

    ended = api.post(f"/v1/invoices/{draft['id']}", auto_advance=False)
    assert (ended["automatically_finalizes_at"], ended["next_payment_attempt"]) == (None, None)
    api.advance(600)
    begun = api.post(f"/v1/invoices/{draft['id']}", auto_advance=True)

    assert begun["automatically_finalizes_at"] == draft["created"] + HOUR + 1


def test_a_draft_nobody_acknowledged_waits_up_to_three_days(api: Any, engine: Engine, payer: Make, bill: Make) -> None:
    draft = bill(payer(), auto_advance=True)
    with engine.change() as world:
        world.store.put_meta(f"invoice_created_unacked:{draft['id']}", "1")

    api.advance(71 * HOUR)
    assert api.get(f"/v1/invoices/{draft['id']}")["status"] == "draft"
    api.advance(HOUR)

    assert api.get(f"/v1/invoices/{draft['id']}")["status"] == "paid"


def test_a_draft_acknowledged_late_is_finalised_within_the_next_hour(
    api: Any, engine: Engine, payer: Make, bill: Make
) -> None:
    draft = bill(payer(), auto_advance=True)
    with engine.change() as world:
        world.store.put_meta(f"invoice_created_unacked:{draft['id']}", "1")
    api.advance(5 * HOUR)
    with engine.change() as world:
        world.store.put_meta(f"invoice_created_unacked:{draft['id']}", "")

    api.advance(HOUR)

    assert api.get(f"/v1/invoices/{draft['id']}")["status"] == "paid"


def test_finalising_attempts_nothing(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer())
    api.events()

    opened = api.post(f"/v1/invoices/{draft['id']}/finalize", expand=["payments"])

    assert api.types() == ["payment_intent.created", "invoice.finalized", "customer.updated"]
    assert (opened["status"], opened["attempted"], opened["attempt_count"]) == ("open", False, 0)
    assert (opened["starting_balance"], opened["ending_balance"]) == (0, 0)
    assert opened["hosted_invoice_url"].startswith("https://invoice.stripe.com/i/acct_")
    assert opened["payments"]["data"][0]["status"] == "open"
    assert opened["payments"]["data"][0]["amount_paid"] is None
    again = api.post(f"/v1/invoices/{draft['id']}/finalize", error=True)
    assert again["message"] == "This invoice is already finalized, you can't re-finalize a non-draft invoice."


def test_an_invoice_finalised_to_advance_is_collected_an_hour_later(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer())
    opened = api.post(f"/v1/invoices/{draft['id']}/finalize", auto_advance=True)
    assert opened["next_payment_attempt"] == opened["effective_at"] + HOUR

    api.advance(HOUR)

    assert api.get(f"/v1/invoices/{draft['id']}")["status"] == "paid"


def test_an_invoice_of_nothing_is_paid_at_once(api: Any, payer: Make) -> None:
    draft = api.post("/v1/invoices", customer=payer()["id"])
    api.events()

    paid = api.post(f"/v1/invoices/{draft['id']}/finalize", expand=["payments", "confirmation_secret"])

    assert api.types() == ["invoice.finalized", "invoice.paid", "invoice.payment_succeeded", "customer.updated"]
    assert (paid["status"], paid["attempted"], paid["attempt_count"]) == ("paid", True, 0)
    assert paid["payments"]["data"] == []
    assert paid["confirmation_secret"] is None


def test_numbers_count_up(api: Any, payer: Make, bill: Make) -> None:
    customer = payer()
    numbers = [api.post(f"/v1/invoices/{bill(customer)['id']}/{how}")["number"] for how in ("pay", "finalize", "send")]

    assert numbers == [f"{customer['invoice_prefix']}-{n:04d}" for n in (1, 2, 3)]
    assert api.get(f"/v1/customers/{customer['id']}")["next_invoice_sequence"] == 4


def test_credit_of_the_customer_is_used_first(api: Any, payer: Make, bill: Make) -> None:
    customer = payer(balance=-300)
    draft = bill(customer)
    assert (draft["starting_balance"], draft["ending_balance"], draft["amount_due"]) == (-300, None, 700)

    paid = api.post(f"/v1/invoices/{draft['id']}/pay")

    assert (paid["total"], paid["amount_due"], paid["amount_paid"], paid["ending_balance"]) == (1000, 700, 700, 0)
    used = api.get(f"/v1/customers/{customer['id']}/balance_transactions")["data"][0]
    assert (used["amount"], used["type"], used["invoice"]) == (300, "applied_to_invoice", paid["id"])


def test_more_credit_than_due_leaves_the_rest(api: Any, payer: Make, bill: Make) -> None:
    customer = payer(balance=-1500)
    paid = api.post(f"/v1/invoices/{bill(customer)['id']}/finalize")

    assert (paid["status"], paid["amount_due"], paid["ending_balance"]) == ("paid", 0, -500)
    assert api.get(f"/v1/customers/{customer['id']}")["balance"] == -500


def test_a_debt_is_collected_with_the_next_invoice(api: Any, payer: Make, bill: Make) -> None:
    customer = payer(balance=200)
    paid = api.post(f"/v1/invoices/{bill(customer)['id']}/pay")

    assert (paid["total"], paid["amount_paid"], paid["ending_balance"]) == (1000, 1200, 0)
    assert api.get(f"/v1/customers/{customer['id']}")["balance"] == 0


def test_less_than_the_least_charge_becomes_a_debt(api: Any, payer: Make, bill: Make) -> None:
    customer = payer()
    paid = api.post(f"/v1/invoices/{bill(customer, 49)['id']}/finalize")

    assert (paid["status"], paid["amount_due"], paid["attempt_count"], paid["ending_balance"]) == ("paid", 0, 0, 49)
    assert api.get(f"/v1/customers/{customer['id']}")["balance"] == 49
    [debt] = api.get(f"/v1/customers/{customer['id']}/balance_transactions")["data"]
    assert debt["type"] == "invoice_too_small"


def test_a_negative_total_is_credited(api: Any, payer: Make, bill: Make) -> None:
    customer = payer()
    paid = api.post(f"/v1/invoices/{bill(customer, -700)['id']}/finalize")

    assert (paid["status"], paid["total"], paid["amount_due"], paid["ending_balance"]) == ("paid", -700, 0, -700)
    assert api.get(f"/v1/customers/{customer['id']}")["balance"] == -700


def test_paid_elsewhere_cancels_the_payment(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer())
    api.post(f"/v1/invoices/{draft['id']}/finalize")
    api.events()

    paid = api.post(f"/v1/invoices/{draft['id']}/pay", paid_out_of_band=True, expand=["payments"])

    assert (paid["status"], paid["attempted"], paid["amount_paid_off_stripe"]) == ("paid", False, 1000)
    assert paid["payments"]["data"][0]["status"] == "canceled"
    assert api.types() == [
        "payment_intent.canceled",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]


def test_voiding_gives_the_balance_back(api: Any, payer: Make, bill: Make) -> None:
    customer = payer(balance=-300)
    draft = bill(customer)
    api.post(f"/v1/invoices/{draft['id']}/finalize")
    api.events()

    void = api.post(f"/v1/invoices/{draft['id']}/void")

    assert (void["status"], void["amount_due"], void["amount_remaining"]) == ("void", 700, 700)
    assert void["status_transitions"]["voided_at"] is not None
    assert api.types() == ["payment_intent.canceled", "invoice.voided", "customer.updated"]
    assert api.get(f"/v1/customers/{customer['id']}")["balance"] == -300


def test_a_bad_debt_may_still_be_paid(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer())
    api.post(f"/v1/invoices/{draft['id']}/finalize")

    bad = api.post(f"/v1/invoices/{draft['id']}/mark_uncollectible")
    assert bad["status_details"] == {"uncollectible": {"reason": "user_forgiven"}}
    assert "invoice.marked_uncollectible" in api.types()
    paid = api.post(f"/v1/invoices/{draft['id']}/pay")

    assert (paid["status"], paid["status_details"]) == ("paid", None)


def test_what_is_sent_reminds_and_becomes_overdue(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer(), collection_method="send_invoice", days_until_due=30, auto_advance=True)
    assert draft["due_date"] == draft["created"] + 30 * DAY
    assert draft["next_payment_attempt"] is None
    api.events()

    api.advance(HOUR)
    assert api.types() == ["payment_intent.created", "invoice.finalized", "invoice.sent", "customer.updated"]
    api.advance(23 * DAY)
    assert api.types() == ["invoice.will_be_due"]
    api.advance(7 * DAY)

    assert api.types() == ["invoice.overdue", "customer.updated"]
    assert api.get(f"/v1/invoices/{draft['id']}")["status"] == "open"
    assert api.get(f"/v1/customers/{draft['customer']}")["delinquent"] is True


def test_whoever_confirms_the_intent_pays_the_invoice(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer())
    opened = api.post(f"/v1/invoices/{draft['id']}/finalize", expand=["payments"])
    intent = opened["payments"]["data"][0]["payment"]["payment_intent"]

    api.post(f"/v1/payment_intents/{intent}/confirm", payment_method="pm_card_visa")

    assert api.get(f"/v1/invoices/{draft['id']}")["status"] == "paid"


def test_a_payment_of_its_own_may_be_attached(api: Any, payer: Make, bill: Make) -> None:
    customer = payer()
    draft = bill(customer)
    api.post(f"/v1/invoices/{draft['id']}/finalize")
    intent = api.post(
        "/v1/payment_intents",
        amount=400,
        currency="usd",
        customer=customer["id"],
        payment_method=customer["invoice_settings"]["default_payment_method"],
        confirm=True,
        automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
    )

    part = api.post(f"/v1/invoices/{draft['id']}/attach_payment", payment_intent=intent["id"], expand=["payments"])
    assert (part["status"], part["amount_paid"], part["amount_remaining"]) == ("open", 400, 600)
    assert [p["amount_requested"] for p in part["payments"]["data"]] == [600, 400]
    rest = api.post(f"/v1/invoices/{draft['id']}/pay")

    assert (rest["status"], rest["amount_paid"]) == ("paid", 1000)


def test_more_than_was_due_becomes_credit(api: Any, payer: Make, bill: Make) -> None:
    customer = payer()
    draft = bill(customer)
    api.post(f"/v1/invoices/{draft['id']}/finalize")
    intent = api.post(
        "/v1/payment_intents",
        amount=1200,
        currency="usd",
        customer=customer["id"],
        payment_method=customer["invoice_settings"]["default_payment_method"],
        confirm=True,
        automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
    )

    paid = api.post(f"/v1/invoices/{draft['id']}/attach_payment", payment_intent=intent["id"])

    assert (paid["status"], paid["amount_paid"], paid["amount_overpaid"]) == ("paid", 1000, 200)
    assert api.get(f"/v1/customers/{customer['id']}")["balance"] == -200
    assert "invoice.overpaid" in api.types()


def test_a_deleted_draft_takes_its_items_with_it(api: Any, payer: Make, bill: Make) -> None:
    customer = payer()
    draft = bill(customer)
    [item] = api.get("/v1/invoiceitems", customer=customer["id"])["data"]
    api.events()

    assert api.delete(f"/v1/invoices/{draft['id']}") == {"id": draft["id"], "object": "invoice", "deleted": True}

    assert api.types() == ["invoice.deleted"]
    assert api.get("/v1/invoiceitems", customer=customer["id"], pending=True)["data"] == []
    gone = api.post(f"/v1/invoiceitems/{item['id']}", description="x", error=True)
    assert gone["message"] == "This invoice item has been deleted."


def test_lists_filter(api: Any, payer: Make, bill: Make) -> None:
    customer, other = payer(), payer()
    draft, paid = bill(customer), bill(customer)
    api.post(f"/v1/invoices/{paid['id']}/pay")
    sent = bill(other, collection_method="send_invoice", days_until_due=5)

    def ids(**asked: Any) -> list[str]:
        return [invoice["id"] for invoice in api.get("/v1/invoices", **asked)["data"]]

    assert ids() == [sent["id"], paid["id"], draft["id"]]
    assert ids(customer=customer["id"], status="paid") == [paid["id"]]
    assert ids(collection_method="send_invoice") == [sent["id"]]
    assert ids(due_date={"gte": sent["due_date"]}) == [sent["id"]]
    assert len(api.get("/v1/invoice_payments", invoice=paid["id"])["data"]) == 1
    assert api.get("/v1/invoice_payments", status="open")["data"] == []
