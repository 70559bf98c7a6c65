"""Money that goes back, or is fought over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Api, Json
from tests.sandbox.payments.conftest import pay, payer


def _charged(api: Api, method: str = "pm_card_visa", **more: Any) -> str:
    customer, attached = payer(api, method)
    charge: str = pay(api, customer, attached, **more)["latest_charge"]
    return charge


def _nets(api: Api) -> list[tuple[str, int]]:
    rows = api.get("/v1/balance_transactions", limit=100)["data"]
    assert all(row["net"] == row["amount"] - row["fee"] for row in rows)
    return [(row["reporting_category"], row["net"]) for row in reversed(rows)]


def test_part_goes_back_and_then_the_rest(api: Api) -> None:
    charge = _charged(api, amount=5000, description="Boots")
    api.advance(60)
    api.types()

    refund = api.post("/v1/refunds", charge=charge, amount=2000, reason="duplicate", expand=["balance_transaction"])

    told = api.events()
    assert [event["type"] for event in told] == ["refund.created", "charge.refunded"]
    assert told[1]["data"]["previous_attributes"] == {"amount_refunded": 0}
    row = refund["balance_transaction"]
    assert (row["amount"], row["fee"], row["description"]) == (-2000, 0, "REFUND FOR CHARGE (Boots)")
    assert refund["id"][3:19] == charge[3:19]
    error = api.post("/v1/refunds", charge=charge, amount=4000, error=True)
    assert error["message"] == "Refund amount ($40.00) is greater than unrefunded amount on charge ($30.00)"
    api.post("/v1/refunds", charge=charge)
    after = api.get("/v1/charges/" + charge, expand=["refunds"])
    assert (after["refunded"], after["amount_refunded"], len(after["refunds"]["data"])) == (True, 5000, 2)
    error = api.post("/v1/refunds", charge=charge, error=True)
    assert (error["code"], error["message"]) == (
        "charge_already_refunded",
        f"Charge {charge} has already been refunded.",
    )
    assert _nets(api) == [("charge", 4825), ("refund", -2000), ("refund", -3000)]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "One of the following params should be provided for this request: payment_intent or charge."),
        ({"charge": "ch_nope"}, "No such charge: 'ch_nope'"),
    ],
)
def test_a_refund_is_of_something(api: Api, params: dict[str, str], message: str) -> None:
    assert api.post("/v1/refunds", error=True, **params)["message"] == message


def test_nothing_is_given_back_of_nothing(api: Api) -> None:
    charge = _charged(api)
    error = api.post("/v1/refunds", charge=charge, amount=0, error=True)
    assert (error["message"], error["param"]) == ("This value must be greater than or equal to 1.", "amount")
    held = _charged(api, capture_method="manual")
    assert "You must cancel the PaymentIntent" in api.post("/v1/refunds", charge=held, error=True)["message"]


def test_the_reference_comes_later(api: Api) -> None:
    refund = api.post("/v1/refunds", charge=_charged(api))
    api.types()

    api.advance(10)

    told = api.events()
    assert [event["type"] for event in told] == ["refund.updated", "charge.refund.updated"]
    assert told[0]["data"]["previous_attributes"] == told[1]["data"]["previous_attributes"]
    details = api.get("/v1/refunds/" + refund["id"])["destination_details"]["card"]
    assert (details["reference_status"], len(details["reference"])) == ("available", 23)


def test_a_refund_fails_later(api: Api) -> None:
    charge = _charged(api, "pm_card_refundFail")
    refund = api.post("/v1/refunds", charge=charge)
    assert refund["status"] == "succeeded"
    api.types()

    api.advance(10)

    assert api.types() == ["refund.updated", "charge.refund.updated", "refund.failed", "charge.updated"]
    after = api.get("/v1/refunds/" + refund["id"], expand=["failure_balance_transaction"])
    assert (after["status"], after["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert after["failure_balance_transaction"]["amount"] == 2500
    assert api.get("/v1/charges/" + charge)["amount_refunded"] == 0
    assert _nets(api) == [("charge", 2397), ("refund", -2500), ("refund_failure", 2500)]


def test_a_refund_succeeds_later_or_is_canceled(api: Api) -> None:
    first = api.post("/v1/refunds", charge=_charged(api, "pm_card_pendingRefund"))
    second = api.post("/v1/refunds", charge=_charged(api, "pm_card_pendingRefund"))
    assert first["status"] == second["status"] == "pending"

    canceled = api.post(f"/v1/refunds/{second['id']}/cancel")
    api.advance(10)

    assert canceled["status"] == "canceled"
    assert api.get("/v1/refunds/" + first["id"])["status"] == "succeeded"
    error = api.post(f"/v1/refunds/{first['id']}/cancel", error=True)
    assert error["message"] == "Canceling this refund is unsupported."


def test_metadata_of_a_refund_is_told_under_both_names(api: Api) -> None:
    refund = api.post("/v1/refunds", charge=_charged(api), metadata={"a": "b"})
    api.types()

    api.post("/v1/refunds/" + refund["id"], metadata={"c": "d"})

    assert api.types() == ["refund.updated", "charge.refund.updated"]
    assert api.get("/v1/refunds/" + refund["id"])["metadata"] == {"a": "b", "c": "d"}
    assert [one["id"] for one in api.get("/v1/refunds", payment_intent=refund["payment_intent"])["data"]] == [
        refund["id"]
    ]


def _dispute(api: Api, method: str = "pm_card_createDispute") -> Json:
    charge = _charged(api, method, amount=4400)
    (dispute,) = api.get("/v1/disputes", charge=charge)["data"]
    found: Json = dispute
    return found


def test_a_payer_disputes_and_the_money_is_gone(api: Api) -> None:
    customer, method = payer(api, "pm_card_createDispute")

    intent = pay(api, customer, method, amount=4400, description="Boots")

    assert api.types() == [
        "payment_intent.created",
        "charge.succeeded",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "payment_intent.succeeded",
        "charge.updated",
    ]
    (dispute,) = api.get("/v1/disputes", payment_intent=intent["id"])["data"]
    assert (dispute["id"][:3], dispute["status"], dispute["reason"]) == ("du_", "needs_response", "fraudulent")
    assert dispute["evidence"]["customer_name"] == "Ada"
    assert dispute["evidence"]["product_description"] == "Boots"
    assert dispute["evidence_details"]["due_by"] == 1_767_225_600 + 9 * 86_400 - 1
    (row,) = dispute["balance_transactions"]
    assert (row["amount"], row["fee"], row["net"], row["type"]) == (-4400, 1500, -5900, "adjustment")
    error = api.post("/v1/refunds", charge=dispute["charge"], error=True)
    assert (error["code"], error["message"]) == (
        "charge_disputed",
        f"Charge {dispute['charge']} has been charged back; cannot issue a refund.",
    )
    assert api.get("/v1/charges/" + dispute["charge"])["disputed"]


@pytest.mark.parametrize(
    ("word", "status", "told", "net"),
    [
        ("winning_evidence", "won", ["charge.dispute.funds_reinstated", "charge.dispute.closed"], 4242 - 1500),
        ("losing_evidence", "lost", ["charge.dispute.closed"], 4242 - 1500 - 4400),
    ],
)
def test_the_bank_decides(api: Api, word: str, status: str, told: list[str], net: int) -> None:
    dispute = _dispute(api)
    api.types()

    sent = api.post("/v1/disputes/" + dispute["id"], evidence={"uncategorized_text": word})

    assert (sent["status"], sent["evidence_details"]["submission_count"]) == ("under_review", 1)
    assert api.types() == ["charge.dispute.updated", "charge.updated"]
    api.advance(5)
    assert api.types() == told
    after = api.get("/v1/disputes/" + dispute["id"])
    assert (after["status"], after["is_charge_refundable"]) == (status, status == "won")
    assert sum(amount for _, amount in _nets(api)) == net
    error = api.post(f"/v1/disputes/{dispute['id']}/close", error=True)
    assert error["message"] == "This dispute is already closed"


def test_what_was_won_can_be_refunded(api: Api) -> None:
    dispute = _dispute(api)
    api.post("/v1/disputes/" + dispute["id"], evidence={"uncategorized_text": "winning_evidence"})
    api.advance(5)

    assert api.post("/v1/refunds", charge=dispute["charge"])["amount"] == 4400


def test_evidence_can_be_kept_back(api: Api) -> None:
    dispute = _dispute(api)

    kept = api.post("/v1/disputes/" + dispute["id"], evidence={"customer_name": "Ada L."}, submit=False)

    assert (kept["status"], kept["evidence_details"]["submission_count"]) == ("needs_response", 0)
    assert kept["evidence_details"]["has_evidence"]


def test_giving_in_loses_at_once(api: Api) -> None:
    dispute = _dispute(api, "pm_card_createDisputeProductNotReceived")
    assert dispute["payment_method_details"]["card"]["network_reason_code"] == "13.1"
    api.types()

    assert api.post(f"/v1/disputes/{dispute['id']}/close")["status"] == "lost"

    assert api.types() == ["charge.dispute.closed", "charge.updated"]


def test_who_says_nothing_loses_when_the_time_is_over(api: Api) -> None:
    dispute = _dispute(api)

    api.advance(10 * 86_400)

    after = api.get("/v1/disputes/" + dispute["id"])
    assert (after["status"], after["evidence_details"]["past_due"]) == ("lost", True)


def test_an_inquiry_moves_no_money_and_ends_by_itself(api: Api) -> None:
    dispute = _dispute(api, "pm_card_createDisputeInquiry")
    assert (dispute["status"], dispute["is_charge_refundable"], dispute["balance_transactions"]) == (
        "warning_needs_response", True, [],
    )  # fmt: skip
    assert "charge.dispute.funds_withdrawn" not in api.types()

    api.advance(121 * 86_400)

    assert api.get("/v1/disputes/" + dispute["id"])["status"] == "warning_closed"


def test_an_inquiry_ends_when_the_money_goes_back(api: Api) -> None:
    dispute = _dispute(api, "pm_card_createDisputeInquiry")
    api.types()

    api.post("/v1/refunds", charge=dispute["charge"])

    assert "charge.dispute.closed" in api.types()
    assert api.get("/v1/disputes/" + dispute["id"])["status"] == "warning_closed"


def test_an_inquiry_becomes_a_dispute(api: Api) -> None:
    dispute = _dispute(api, "pm_card_createDisputeInquiry")
    api.advance(60)
    api.types()

    api.post("/v1/disputes/" + dispute["id"], evidence={"uncategorized_text": "escalate_inquiry_evidence"})
    api.advance(5)

    assert api.types() == [
        "charge.dispute.updated",
        "charge.updated",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
    ]
    after = api.get("/v1/disputes/" + dispute["id"])
    assert (after["status"], after["payment_method_details"]["card"]["case_type"]) == ("needs_response", "chargeback")


def test_a_warning_is_over_when_the_money_went_back(api: Api) -> None:
    customer, method = payer(api, "pm_card_createIssuerFraudRecord")
    charge = pay(api, customer, method)["latest_charge"]
    assert "radar.early_fraud_warning.created" in api.types()
    (warning,) = api.get("/v1/radar/early_fraud_warnings", charge=charge)["data"]
    assert warning["actionable"]

    api.post("/v1/refunds", charge=charge)

    assert "radar.early_fraud_warning.updated" in api.types()
    assert not api.get("/v1/radar/early_fraud_warnings/" + warning["id"])["actionable"]


def test_the_balance_ripens(api: Api) -> None:
    charge = _charged(api)
    api.advance(10)
    before = api.get("/v1/balance")
    assert (before["pending"][0]["amount"], before["available"][0]["amount"]) == (2397, 0)

    api.advance(7 * 86_400)

    after = api.get("/v1/balance")
    assert (after["pending"][0]["amount"], after["available"][0]["amount"]) == (0, 2397)
    assert (
        api.get("/v1/charges/" + charge, expand=["balance_transaction"])["balance_transaction"]["status"] == "available"
    )
