"""Payment methods and what is asked before they are kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Api
from trueup.sandbox.payment_methods import methods, setup_intents


def _customer(api: Api) -> str:
    customer: str = api.post("/v1/customers", email="ada@example.com", name="Ada")["id"]
    api.types()
    return customer


def test_a_shared_id_becomes_a_payment_method_of_the_customer(api: Api) -> None:
    customer = _customer(api)

    method = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)

    assert method["id"] != "pm_card_visa"
    assert (method["customer"], method["card"]["last4"]) == (customer, "4242")
    assert method["card"]["checks"]["cvc_check"] == "pass"
    assert api.types() == ["payment_method.attached"]
    again = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)
    assert again["id"] != method["id"]
    assert again["card"]["fingerprint"] == method["card"]["fingerprint"]


@pytest.mark.parametrize("method", ["pm_card_visa_chargeDeclined", "pm_card_chargeDeclined"])
def test_a_card_that_is_declined_is_not_attached(api: Api, method: str) -> None:
    customer = api.post("/v1/customers")["id"]
    api.types()

    error = api.post(f"/v1/payment_methods/{method}/attach", customer=customer, error=True)

    assert (error["status"], error["code"], error["decline_code"]) == (402, "card_declined", "generic_decline")
    assert api.get(f"/v1/customers/{customer}/payment_methods")["data"] == []
    assert api.types() == []


def test_a_number_is_not_kept(api: Api) -> None:
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}

    method = api.post("/v1/payment_methods", type="card", card=card)

    assert (method["card"]["exp_month"], method["card"]["exp_year"]) == (12, 2030)
    assert method["card"]["checks"]["cvc_check"] == "unchecked"
    rows = api.engine.store.db.execute("select body from object").fetchall()
    assert not any(b"424242424242" in row[0] for row in rows)


@pytest.mark.parametrize(
    ("card", "code", "param"),
    [
        ({"number": "4242424242424241"}, "incorrect_number", "number"),
        ({"number": "4539578763621486"}, "card_declined", None),
        ({"exp_month": 13}, "invalid_expiry_month", "card[exp_month]"),
        ({"exp_year": 2020}, "invalid_expiry_year", "card[exp_year]"),
    ],
)
def test_what_is_wrong_with_a_card_is_told_at_once(
    api: Api, card: dict[str, object], code: str, param: str | None
) -> None:
    whole = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, **card}

    error = api.post("/v1/payment_methods", type="card", card=whole, error=True)

    assert (error["status"], error["code"], error.get("param")) == (402, code, param)


def test_a_token_is_good_for_one_payment_method(api: Api) -> None:
    card = {"number": "5555555555554444", "exp_month": "12", "exp_year": "2030", "cvc": "123"}
    token = api.post("/v1/tokens", card=card)
    assert token["card"]["brand"] == "MasterCard"

    method = api.post("/v1/payment_methods", type="card", card={"token": token["id"]})

    assert method["card"]["brand"] == "mastercard"
    error = api.post("/v1/payment_methods", type="card", card={"token": token["id"]}, error=True)
    assert error["code"] == "token_already_used"


def test_what_is_detached_never_comes_back(api: Api) -> None:
    customer = _customer(api)
    method = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    api.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method})
    api.types()

    detached = api.post(f"/v1/payment_methods/{method}/detach")

    assert detached["customer"] is None
    told = api.events()
    assert [event["type"] for event in told] == ["payment_method.detached", "customer.updated"]
    assert told[0]["data"]["previous_attributes"] == {"customer": customer}
    assert api.get(f"/v1/customers/{customer}")["invoice_settings"]["default_payment_method"] is None
    assert (
        "may not be used again"
        in api.post(f"/v1/payment_methods/{method}/attach", customer=customer, error=True)["message"]
    )
    assert "detachment is impossible" in api.post(f"/v1/payment_methods/{method}/detach", error=True)["message"]


def test_an_update_tells_what_changed(api: Api) -> None:
    customer = _customer(api)
    method = api.post("/v1/payment_methods/pm_card_mastercard/attach", customer=customer)["id"]
    api.types()

    api.post(
        f"/v1/payment_methods/{method}", billing_details={"name": "Ada"}, card={"exp_year": 2031}, metadata={"a": "b"}
    )

    (event,) = api.events()
    assert event["type"] == "payment_method.updated"
    assert event["data"]["previous_attributes"] == {
        "billing_details": {"name": None},
        "card": {"exp_year": 2027},
        "metadata": {"a": None},
    }


def test_a_bank_sends_a_new_card(api: Api) -> None:
    customer = _customer(api)
    method = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    api.types()

    with api.engine.change() as world:
        methods.renew(world, world.get("payment_method", method), exp_month=5, exp_year=2033)

    (event,) = api.events()
    assert event["type"] == "payment_method.automatically_updated"
    assert event["data"]["previous_attributes"] == {"card": {"exp_month": 1, "exp_year": 2027}}


def test_methods_are_listed_by_customer_and_kind(api: Api) -> None:
    customer = _customer(api)
    card = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    bank = api.post("/v1/payment_methods/pm_usBankAccount_success/attach", customer=customer)["id"]

    assert [one["id"] for one in api.get("/v1/payment_methods", customer=customer)["data"]] == [bank, card]
    assert [one["id"] for one in api.get("/v1/payment_methods", customer=customer, type="card")["data"]] == [card]
    assert [one["id"] for one in api.get(f"/v1/customers/{customer}/payment_methods")["data"]] == [bank, card]
    assert api.get("/v1/payment_methods")["data"] == []
    assert api.get(f"/v1/customers/{customer}/payment_methods/{card}")["id"] == card


def test_a_deleted_customer_loses_its_methods(api: Api) -> None:
    customer = _customer(api)
    method = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    api.types()

    api.delete(f"/v1/customers/{customer}")

    assert api.types() == ["payment_method.detached", "customer.deleted"]
    assert api.get(f"/v1/payment_methods/{method}")["customer"] is None


def test_a_setup_attaches_on_success(api: Api) -> None:
    customer = _customer(api)
    method = api.post("/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]

    setup = api.post(
        "/v1/setup_intents",
        customer=customer,
        payment_method=method,
        confirm=True,
        allowed_payment_method_types=["card"],
        expand=["latest_attempt"],
    )

    assert (setup["status"], setup["usage"], setup["mandate"]) == ("succeeded", "off_session", None)
    assert setup["latest_attempt"]["status"] == "succeeded"
    assert api.types() == ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]
    assert api.get(f"/v1/payment_methods/{method}")["customer"] == customer
    (attempt,) = api.get("/v1/setup_attempts", setup_intent=setup["id"])["data"]
    assert attempt["id"] == setup["latest_attempt"]["id"]


def test_a_declined_setup_is_a_402_that_stays(api: Api) -> None:
    method = api.post("/v1/payment_methods", type="card", card={"token": "tok_chargeDeclinedExpiredCard"})["id"]

    error = api.post(
        "/v1/setup_intents", payment_method=method, confirm=True, allowed_payment_method_types=["card"], error=True
    )

    assert (error["status"], error["code"], error["decline_code"], error["param"]) == (
        402, "expired_card", "expired_card", "exp_month",
    )  # fmt: skip
    kept = api.get("/v1/setup_intents/" + error["setup_intent"]["id"])
    assert (kept["status"], kept["payment_method"]) == ("requires_payment_method", None)
    assert "payment_method_type" not in kept["last_setup_error"]
    assert api.types() == ["setup_intent.created", "setup_intent.setup_failed"]


@pytest.mark.parametrize(
    ("succeed", "status", "told"),
    [
        (True, "succeeded", ["payment_method.attached", "setup_intent.succeeded"]),
        (False, "requires_payment_method", ["setup_intent.setup_failed"]),
    ],
)
def test_the_holder_authenticates_a_setup_or_not(api: Api, succeed: bool, status: str, told: list[str]) -> None:
    customer = _customer(api)
    setup = api.post(
        "/v1/setup_intents", customer=customer, payment_method="pm_card_authenticationRequired", confirm=True
    )
    assert setup["status"] == "requires_action"
    assert setup["next_action"]["type"] == "use_stripe_sdk"
    assert api.types() == ["setup_intent.created", "setup_intent.requires_action"]

    with api.engine.change() as world:
        setup_intents.authenticate(world, world.get("setup_intent", setup["id"]), succeed)

    after = api.get("/v1/setup_intents/" + setup["id"])
    assert (after["status"], after["next_action"]) == (status, None)
    assert api.types() == told


def test_a_bank_account_is_verified_by_what_arrives(api: Api) -> None:
    customer = _customer(api)
    account = {"account_number": "000123456789", "routing_number": "110000000", "account_holder_type": "individual"}
    setup = api.post(
        "/v1/setup_intents",
        customer=customer,
        payment_method_data={"type": "us_bank_account", "us_bank_account": account, "billing_details": {"name": "Ada"}},
        allowed_payment_method_types=["us_bank_account"],
        mandate_data={"customer_acceptance": {"type": "offline", "offline": {}}},
        confirm=True,
    )
    assert setup["next_action"]["type"] == "verify_with_microdeposits"
    path = f"/v1/setup_intents/{setup['id']}/verify_microdeposits"
    assert api.post(path, amounts=[1, 2], error=True)["code"].endswith("amounts_mismatch")

    done = api.post(path, descriptor_code="SM11AA", expand=["mandate"])

    assert done["status"] == "succeeded"
    assert done["mandate"]["type"] == "multi_use"
    assert api.get(f"/v1/mandates/{done['mandate']['id']}")["payment_method"] == done["payment_method"]
    api.types()
    api.post(f"/v1/payment_methods/{done['payment_method']}/detach")
    assert api.types() == ["payment_method.detached", "mandate.updated"]


def test_a_setup_is_canceled_once(api: Api) -> None:
    setup = api.post("/v1/setup_intents")
    api.types()

    canceled = api.post(f"/v1/setup_intents/{setup['id']}/cancel", cancellation_reason="abandoned")

    assert (canceled["status"], canceled["cancellation_reason"]) == ("canceled", "abandoned")
    assert api.types() == ["setup_intent.canceled"]
    error = api.post(f"/v1/setup_intents/{setup['id']}/cancel", error=True)
    assert error["message"] == "You cannot cancel this SetupIntent because it is already canceled."
    error = api.post(f"/v1/setup_intents/{setup['id']}/confirm", error=True)
    assert error["message"].startswith("You cannot confirm this SetupIntent because it's missing a payment method.")


def test_another_customers_method_is_refused(api: Api) -> None:
    customer, other = _customer(api), _customer(api)
    method = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]

    of_other = api.post("/v1/setup_intents", customer=other, payment_method=method, error=True)
    of_nobody = api.post("/v1/setup_intents", payment_method=method, error=True)

    assert of_other["message"].startswith(
        f"The PaymentMethod {method} does not belong to the Customer you supplied {other}."
    )
    assert of_nobody["message"].startswith(
        f"The payment method supplied ({method}) belongs to the Customer {customer}."
    )


@pytest.mark.parametrize(
    "method",
    [
        {"type": "alipay"},
        {"type": "ideal", "ideal": {"bank": "abn_amro"}},
        {"type": "fpx", "fpx": {"bank": "affin_bank"}},
        {"type": "p24", "p24": {"bank": "ing"}, "billing_details": {"email": "a@b.c"}},
        {"type": "wechat_pay"},
        {"type": "sepa_debit", "sepa_debit": {"iban": "AT611904300234573201"}},
        {
            "type": "us_bank_account",
            "us_bank_account": {"account_number": "000123456789", "routing_number": "110000000"},
        },
    ],
)
def test_other_kinds_are_made(api: Api, method: dict[str, Any]) -> None:
    made = api.post("/v1/payment_methods", **method)

    assert made["type"] == method["type"]
    assert isinstance(made[made["type"]], dict)


def test_an_unknown_method_is_missing(api: Api) -> None:
    error = api.get("/v1/payment_methods/pm_nope", error=True)

    assert (error["status"], error["code"], error["param"]) == (404, "resource_missing", "payment_method")
    assert error["message"].startswith("No such PaymentMethod: 'pm_nope'; It's possible")
