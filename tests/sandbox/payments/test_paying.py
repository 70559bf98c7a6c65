"""Payments from the first call to the last event."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.payments.conftest import pay, payer
from trueup.sandbox.payment_methods import setup_intents
from trueup.sandbox.payments import intents


def test_a_good_card_pays_at_once_and_is_settled_a_little_later(api: Api) -> None:
    customer, method = payer(api)

    intent = api.post(
        "/v1/payment_intents",
        amount=2500,
        currency="usd",
        customer=customer,
        payment_method=method,
        confirm=True,
        expand=["latest_charge"],
    )

    assert intent["status"] == "succeeded"
    assert intent["amount_received"] == 2500
    assert intent["latest_charge"]["paid"]
    assert intent["latest_charge"]["id"][3:19] == intent["id"][3:19]
    assert api.types() == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]

    api.advance(5)

    (event,) = api.events()
    assert event["type"] == "charge.updated"
    assert event["data"]["previous_attributes"] == {"balance_transaction": None}
    transaction = api.get("/v1/balance_transactions/" + event["data"]["object"]["balance_transaction"])
    assert (transaction["amount"], transaction["fee"], transaction["net"]) == (2500, 103, 2397)


def test_a_declined_card_is_a_402_and_what_happened_stays(api: Api) -> None:
    method = api.post("/v1/payment_methods", type="card", card={"token": "tok_visa_chargeDeclined"})["id"]

    error = api.post(
        "/v1/payment_intents", amount=1000, currency="usd", payment_method=method, confirm=True, error=True
    )

    assert error["status"] == 402
    assert error["code"] == "card_declined"
    assert error["decline_code"] == "generic_decline"
    assert error["payment_intent"]["status"] == "requires_payment_method"
    kept = api.get("/v1/payment_intents/" + error["payment_intent"]["id"])
    assert kept == error["payment_intent"]
    charge = api.get("/v1/charges/" + kept["latest_charge"])
    assert (charge["status"], charge["failure_code"]) == ("failed", "card_declined")
    assert api.types() == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]


@pytest.mark.parametrize(
    ("token", "code", "decline_code", "message"),
    [
        (
            "tok_chargeDeclinedInsufficientFunds",
            "card_declined",
            "insufficient_funds",
            "Your card has insufficient funds.",
        ),
        ("tok_visa_chargeDeclinedLostCard", "card_declined", "lost_card", "Your card was declined."),
        ("tok_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", "Your card was declined."),
        ("tok_chargeDeclinedExpiredCard", "expired_card", None, "Your card has expired."),
        ("tok_chargeDeclinedIncorrectCvc", "incorrect_cvc", None, "Your card's security code is incorrect."),
        (
            "tok_chargeDeclinedProcessingError",
            "processing_error",
            None,
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        ("tok_radarBlock", "card_declined", "fraudulent", "Your card was declined."),
    ],
)
def test_a_refusal_says_why(api: Api, token: str, code: str, decline_code: str | None, message: str) -> None:
    method = api.post("/v1/payment_methods", type="card", card={"token": token})["id"]

    error = api.post(
        "/v1/payment_intents", amount=1000, currency="usd", payment_method=method, confirm=True, error=True
    )

    assert (error["code"], error.get("decline_code"), error["message"]) == (code, decline_code, message)
    charge = api.get("/v1/charges/" + error["charge"])
    assert charge["outcome"]["type"] == ("blocked" if decline_code == "fraudulent" else "issuer_declined")


def test_a_card_that_was_attached_declines_later(api: Api) -> None:
    customer, method = payer(api, "pm_card_chargeCustomerFail")

    error = api.post(
        "/v1/payment_intents",
        amount=900,
        currency="usd",
        customer=customer,
        payment_method=method,
        confirm=True,
        error=True,
    )

    assert error["decline_code"] == "generic_decline"
    intent = error["payment_intent"]["id"]
    good = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    done = api.post(f"/v1/payment_intents/{intent}/confirm", payment_method=good)
    assert (done["status"], done["last_payment_error"]) == ("succeeded", None)
    assert len(api.get("/v1/charges", payment_intent=intent)["data"]) == 2


def test_what_is_authorized_is_captured_in_part(api: Api) -> None:
    customer, method = payer(api)
    intent = pay(api, customer, method, amount=6500, capture_method="manual")
    assert (intent["status"], intent["amount_capturable"], intent["amount_received"]) == ("requires_capture", 6500, 0)
    assert api.types() == ["payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated"]
    error = api.post(f"/v1/payment_intents/{intent['id']}/capture", amount_to_capture=6501, error=True)
    assert error["code"] == "amount_too_large"

    captured = api.post(f"/v1/payment_intents/{intent['id']}/capture", amount_to_capture=5000, expand=["latest_charge"])

    charge = captured["latest_charge"]
    assert (captured["status"], captured["amount_received"], captured["amount_capturable"]) == ("succeeded", 5000, 0)
    assert (charge["amount_captured"], charge["amount_refunded"], charge["refunded"]) == (5000, 0, False)
    assert api.get("/v1/balance_transactions/" + charge["balance_transaction"])["amount"] == 5000
    told = api.events()
    assert [event["type"] for event in told] == ["charge.captured", "payment_intent.succeeded"]
    assert told[0]["data"]["previous_attributes"] == {
        "amount_captured": 0,
        "balance_transaction": None,
        "captured": False,
    }
    error = api.post(f"/v1/payment_intents/{intent['id']}/capture", error=True)
    assert error["message"].startswith("The remaining amount on this PaymentIntent could not be captured")


def test_an_authorization_can_be_raised_where_that_was_asked_for(api: Api) -> None:
    customer, method = payer(api)
    options = {"card": {"request_incremental_authorization": "if_available"}}
    intent = pay(api, customer, method, amount=1000, capture_method="manual", payment_method_options=options)

    raised = api.post(f"/v1/payment_intents/{intent['id']}/increment_authorization", amount=1500)

    assert (raised["amount"], raised["amount_capturable"]) == (1500, 1500)
    plain = pay(api, customer, method, amount=1000, capture_method="manual")
    error = api.post(f"/v1/payment_intents/{plain['id']}/increment_authorization", amount=1500, error=True)
    assert error["code"] == "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("later", "told", "reason"),
    [
        (0, ["refund.created", "charge.refunded", "payment_intent.canceled"], "requested_by_customer"),
        (7 * 86_400, ["refund.created", "charge.expired", "payment_intent.canceled"], "automatic"),
    ],
)
def test_what_is_not_captured_is_let_go(api: Api, later: int, told: list[str], reason: str) -> None:
    customer, method = payer(api)
    intent = pay(api, customer, method, capture_method="manual")
    api.types()

    if later:
        api.advance(later)
    else:
        api.post(f"/v1/payment_intents/{intent['id']}/cancel", cancellation_reason=reason)

    assert api.types() == told
    after = api.get("/v1/payment_intents/" + intent["id"], expand=["latest_charge.refunds"])
    assert (after["status"], after["cancellation_reason"], after["amount_capturable"]) == ("canceled", reason, 0)
    assert (after["latest_charge"]["refunded"], after["latest_charge"]["captured"]) == (True, False)
    assert [refund["balance_transaction"] for refund in after["latest_charge"]["refunds"]["data"]] == [None]
    assert api.get("/v1/balance_transactions")["data"] == []


@pytest.mark.parametrize(
    ("succeed", "status", "told"),
    [
        (True, "succeeded", ["charge.succeeded", "payment_intent.succeeded"]),
        (False, "requires_payment_method", ["payment_intent.payment_failed"]),
    ],
)
def test_the_holder_authenticates_or_not(api: Api, succeed: bool, status: str, told: list[str]) -> None:
    customer, method = payer(api, "pm_card_threeDSecure2Required")
    intent = pay(api, customer, method, return_url="https://example.com/back", expand=[])
    assert intent["status"] == "requires_action"
    assert intent["next_action"]["redirect_to_url"]["return_url"] == "https://example.com/back"
    assert api.types() == ["payment_intent.created", "payment_intent.requires_action"]

    with api.engine.change() as world:
        intents.authenticate(world, world.get("payment_intent", intent["id"]), succeed)

    after = api.get("/v1/payment_intents/" + intent["id"], expand=["latest_charge"])
    assert (after["status"], after["next_action"]) == (status, None)
    assert api.types() == told
    three_d_secure = (
        after["latest_charge"] and after["latest_charge"]["payment_method_details"]["card"]["three_d_secure"]
    )
    assert (three_d_secure is not None) is succeed


def test_nobody_is_there_to_authenticate(api: Api) -> None:
    customer, method = payer(api, "pm_card_authenticationRequiredOnSetup")

    error = api.post(
        "/v1/payment_intents",
        amount=3300,
        currency="usd",
        customer=customer,
        payment_method=method,
        confirm=True,
        off_session=True,
        error=True,
    )

    assert error["status"] == 402
    assert error["code"] == error["decline_code"] == "authentication_required"
    assert error["payment_intent"]["latest_charge"] is None
    assert api.types() == ["payment_intent.created", "payment_intent.payment_failed"]


def test_a_card_that_was_set_up_is_charged_without_its_holder(api: Api) -> None:
    customer, method = payer(api, "pm_card_authenticationRequiredOnSetup")
    setup = api.post("/v1/setup_intents", customer=customer, payment_method=method, confirm=True)
    with api.engine.change() as world:
        setup_intents.authenticate(world, world.get("setup_intent", setup["id"]), succeed=True)

    assert pay(api, customer, method, off_session=True)["status"] == "succeeded"
    assert pay(api, customer, method)["status"] == "requires_action"


def test_an_error_instead_of_an_action_leaves_nothing(api: Api) -> None:
    customer, method = payer(api, "pm_card_threeDSecure2Required")

    error = api.post(
        "/v1/payment_intents",
        amount=1000,
        currency="usd",
        customer=customer,
        payment_method=method,
        confirm=True,
        error_on_requires_action=True,
        error=True,
    )

    assert (error["status"], error["code"]) == (402, "authentication_required")
    assert api.types() == []
    assert api.get("/v1/payment_intents")["data"] == []


def test_what_pays_for_the_future_is_attached(api: Api) -> None:
    customer, _ = payer(api)
    method = api.post("/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]

    pay(api, customer, method, setup_future_usage="off_session")

    assert api.get("/v1/payment_methods/" + method)["customer"] == customer
    assert api.types() == [
        "payment_intent.created",
        "payment_method.attached",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


def test_what_was_used_once_without_a_customer_is_spent(api: Api) -> None:
    method = api.post("/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]
    done = api.post("/v1/payment_intents", amount=1000, currency="usd", payment_method=method, confirm=True)
    assert done["status"] == "succeeded"

    error = api.post(
        "/v1/payment_intents", amount=1000, currency="usd", payment_method=method, confirm=True, error=True
    )

    assert "It may not be used again" in error["message"]


def test_an_intent_is_changed_until_it_is_paid(api: Api) -> None:
    customer, method = payer(api)
    intent = api.post("/v1/payment_intents", amount=1000, currency="usd", customer=customer)["id"]
    assert (
        api.post(f"/v1/payment_intents/{intent}", amount=1200, payment_method=method)["status"]
        == "requires_confirmation"
    )
    assert api.post(f"/v1/payment_intents/{intent}/confirm")["amount_received"] == 1200

    error = api.post(f"/v1/payment_intents/{intent}", amount=1, error=True)

    assert (error["code"], error["param"]) == ("payment_intent_unexpected_state", "amount")
    assert api.post(f"/v1/payment_intents/{intent}", description="later")["description"] == "later"
    assert api.post(f"/v1/payment_intents/{intent}/cancel", error=True)["message"].startswith(
        "You cannot cancel this PaymentIntent because it has a status of succeeded."
    )


@pytest.mark.parametrize(
    ("amount", "code"),
    [(0, "parameter_invalid_integer"), (49, "amount_too_small"), (100_000_000, "amount_too_large")],
)
def test_an_amount_has_bounds(api: Api, amount: int, code: str) -> None:
    assert api.post("/v1/payment_intents", amount=amount, currency="usd", error=True)["code"] == code


def test_what_is_missing_is_named_as_at_stripe(api: Api) -> None:
    paths = "payment_intents/pi_nope charges/ch_nope refunds/re_nope disputes/du_nope setup_intents/seti_nope"
    errors = {path: api.get("/v1/" + path, error=True) for path in [*paths.split(), "balance_transactions/txn_nope"]}

    found = {path: (error["message"], error["param"]) for path, error in errors.items()}

    assert found == {
        "payment_intents/pi_nope": ("No such payment_intent: 'pi_nope'", "intent"),
        "charges/ch_nope": ("No such charge: 'ch_nope'", "id"),
        "refunds/re_nope": ("No such refund: 're_nope'", "id"),
        "disputes/du_nope": ("No such dispute: 'du_nope'", "dispute"),
        "setup_intents/seti_nope": ("No such setupintent: 'seti_nope'", "intent"),
        "balance_transactions/txn_nope": ("No such balance transaction: 'txn_nope'", "id"),
    }


def test_confirming_without_a_method_is_refused_in_stripes_words(api: Api) -> None:
    customer, _ = payer(api)
    bare = api.post("/v1/payment_intents", amount=800, currency="usd")["id"]
    owned = api.post("/v1/payment_intents", amount=800, currency="usd", customer=customer)["id"]

    of_bare = api.post(f"/v1/payment_intents/{bare}/confirm", error=True)["message"]
    of_owned = api.post(f"/v1/payment_intents/{owned}/confirm", error=True)["message"]

    assert of_bare.endswith("or confirm it again directly with a payment method or ConfirmationToken.")
    assert of_owned.endswith(
        f"To confirm the PaymentIntent with {customer}, specify a payment method attached to this customer along with "
        "the customer ID."
    )


def test_charges_without_an_intent_have_had_their_day(api: Api) -> None:
    customer, _ = payer(api)

    assert (
        "end of life" in api.post("/v1/charges", amount=1400, currency="usd", source="tok_visa", error=True)["message"]
    )
    assert api.post("/v1/charges", amount=1400, currency="usd", customer=customer, error=True)["status"] == 402
    assert api.post("/v1/charges", amount=1400, currency="usd", error=True)["code"] == "parameter_missing"
