"""Why a payment failed, in words that a support person can use."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.customer.rules.declines import NEVER_RETRIED, REASONS, Explanation, advice_of, explain, explain_error

DOCUMENTED = """
    approve_with_id authentication_not_handled authentication_required call_issuer card_not_supported
    card_velocity_exceeded currency_not_supported do_not_honor do_not_try_again duplicate_transaction expired_card
    fraudulent generic_decline incorrect_cvc incorrect_number incorrect_pin incorrect_zip insufficient_funds
    invalid_account invalid_amount invalid_cvc invalid_expiry_month invalid_expiry_year invalid_number
    issuer_not_available lost_card merchant_blacklist mobile_device_authentication_required
    new_account_information_available no_action_taken not_permitted offline_pin_required online_or_offline_pin_required
    pickup_card pin_try_exceeded processing_error reenter_transaction restricted_card revocation_of_all_authorizations
    revocation_of_authorization security_violation service_not_allowed stolen_card stop_payment_order testmode_decline
    transaction_not_allowed try_again_later withdrawal_count_limit_exceeded
""".split()
"""https://docs.stripe.com/declines/codes, cards."""

NOT_ABOUT_A_PAYMENT = tuple(
    """
    account_country account_error account_information account_token acss_ action_blocked alipay_ api_key application_
    approval_ balance_invalid bank_account_exists bitcoin capability capture cardholder_ charge_already charge_disputed
    charge_expired charge_invalid charge_not clearing country_ coupon customer_ dispute_ email_ failed_tax financial_
    forwarding_ idempotency instant_ intent_ invalid_canceled invalid_charge invalid_char invalid_mandate_reference
    invalid_source invalid_tax invoice_ livemode lock_ missing not_allowed out_of ownership parameter payment_evaluation
    payment_intent_invalid payment_intent_konbini payment_intent_rate payment_intent_unexpected
    payment_method_bank_account_already payment_method_configuration payment_method_invalid payment_method_unsupported
    payment_method_microdeposit_processing payment_method_microdeposit_verification_descriptor payout platform
    postal_code_invalid product_ progressive rate_ refund_ request_ resource_ return_ secret_ service_period
    setup_intent_invalid setup_intent_mobile setup_intent_unexpected shipping_ siret sku_ smart_ state_ status_ storer
    stripe_tax subscription_ tax terminal testmode_charges tls token_ transfer url_
    """.split()
)
"""How the codes begin that no attempt to pay ends with."""


def test_every_documented_decline_has_words() -> None:
    assert set(DOCUMENTED) - set(REASONS) == set()


def test_every_code_that_the_schema_names_has_words_unless_it_is_not_about_a_payment(shared: Path) -> None:
    schema = json.loads((shared / "stripe" / "schema-16.1.0.json").read_bytes())
    codes = schema["payment_intent"]["fields"]["last_payment_error"]["fields"]["code"]["values"]

    unknown = [code for code in codes if not explain(code, None).known]

    assert len(codes) > 150
    assert [code for code in unknown if not code.startswith(NOT_ABOUT_A_PAYMENT)] == []
    assert [explain(code, None).plain for code in unknown if "_" in explain(code, None).plain] == []


def test_every_code_in_the_recordings_has_words(shared: Path) -> None:
    recorded: set[str] = set()
    for file in (shared / "stripe" / "corpus").rglob("*.json"):
        recorded.update(re.findall(r'"(?:decline_code|failure_code)": ?"([a-z_]+)"', file.read_text(encoding="utf-8")))

    assert recorded >= {"card_declined", "authentication_required"}
    assert recorded - set(REASONS) == set()


@pytest.mark.parametrize("_case_code", sorted(REASONS))
def test_every_reason_is_one_short_sentence_and_a_fragment(_case_code: str) -> None:
    found = explain(_case_code, "Stripe's own words.")

    assert (found.code, found.known) == (_case_code, True)
    assert re.fullmatch(r"[A-Z][^.]{8,90}\.", found.plain)
    assert re.fullmatch(r"[^.]{4,40}", found.short)
    assert "_" not in found.plain + found.short


def test_what_stripe_never_retries_is_hard() -> None:
    assert len(NEVER_RETRIED) == 9
    assert [code for code in sorted(NEVER_RETRIED) if not explain(code, None).hard] == []


@pytest.mark.parametrize(
    ("_case_code", "_case_fix", "_case_hard", "_case_told"),
    [
        ("insufficient_funds", True, False, True),
        ("expired_card", True, False, True),
        ("authentication_required", True, True, True),
        ("generic_decline", None, False, True),
        ("issuer_not_available", False, False, True),
        ("stolen_card", True, True, False),
        ("fraudulent", None, True, False),
        ("rule", False, True, False),
        ("debit_not_authorized", True, True, True),
        ("no_account", True, True, True),
    ],
)
def test_a_reason_says_what_can_be_done(
    _case_code: str, _case_fix: bool | None, _case_hard: bool, _case_told: bool
) -> None:
    found = explain(_case_code, None)

    assert (found.customer_can_fix, found.hard, found.may_be_told) == (_case_fix, _case_hard, _case_told)


def test_a_code_of_tomorrow_is_told_by_its_name() -> None:
    assert explain("card_melted", "Your card melted.") == Explanation(
        code="card_melted",
        short="card melted",
        plain="The payment failed: card melted.",
        customer_can_fix=None,
        hard=False,
        known=False,
    )
    assert explain("_", None).short == "unknown reason"


def test_without_a_code_stripes_own_sentence_is_told() -> None:
    assert explain(None, "Your card was declined.").plain == "Your card was declined."
    assert explain("", None).plain == "Stripe gave no reason."
    assert explain(None, None).code is None


@pytest.mark.parametrize(
    ("_case_message", "_case_plain"),
    [
        ("Card 4242424242424242 failed.", "Card …4242 failed."),
        ("Card 4242 4242-4242 4242 failed.", "Card …4242 failed."),
        ("Charge 49.00 failed, code 123456.", "Charge 49.00 failed, code 123456."),
    ],
)
def test_of_a_long_number_the_last_four_digits_stay(_case_message: str, _case_plain: str) -> None:
    assert explain(None, _case_message).plain == _case_plain


@pytest.mark.parametrize(
    ("_case_error", "_case_code"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, "insufficient_funds"),
        ({"code": "expired_card", "decline_code": "generic_decline"}, "expired_card"),
        ({"code": "card_declined", "decline_code": "generic_decline"}, "generic_decline"),
        ({"failure_code": "card_declined", "outcome": {"reason": "highest_risk_level"}}, "highest_risk_level"),
        ({"failure_code": "card_declined", "outcome": {"reason": None}}, "card_declined"),
        ({"failure_code": "account_closed", "outcome": {"reason": "approved_by_network"}}, "account_closed"),
        ({"code": 5, "outcome": "odd"}, None),
        ({}, None),
    ],
)
def test_the_most_exact_code_counts(_case_error: dict[str, Any], _case_code: str | None) -> None:
    assert explain_error(_case_error).code == _case_code


def test_a_failure_without_a_code_is_told_in_stripes_words() -> None:
    assert explain_error({"message": "No."}).plain == "No."
    assert explain_error({"failure_message": "Not now."}).plain == "Not now."


@pytest.mark.parametrize(
    ("_case_error", "_case_hard"),
    [
        ({"decline_code": "do_not_honor", "advice_code": "do_not_try_again"}, True),
        ({"decline_code": "do_not_honor", "advice_code": "try_again_later"}, False),
        ({"decline_code": "do_not_honor", "advice_code": "confirm_card_data"}, False),
        ({"failure_code": "card_declined", "outcome": {"advice_code": "do_not_try_again"}}, True),
        ({"decline_code": "no_account", "advice_code": "try_again_later"}, False),
        ({"decline_code": "lost_card", "advice_code": "try_again_later"}, True),
    ],
)
def test_the_banks_advice_decides_unless_stripe_never_retries(_case_error: dict[str, Any], _case_hard: bool) -> None:
    found = explain_error(_case_error)

    assert found.hard is _case_hard
    assert found.short == explain(found.code, None).short


@given(st.none() | st.text(max_size=60), st.none() | st.text(max_size=60))
def test_whatever_stripe_says_there_are_words_without_card_numbers(code: str | None, message: str | None) -> None:
    found = explain(code, message)

    assert found.short.strip()
    assert re.search("[0-9]{7}", found.short + " " + found.plain) is None


@given(
    st.dictionaries(
        st.sampled_from(["code", "decline_code", "failure_code", "outcome", "advice_code", "message"]),
        st.recursive(
            st.sampled_from([None, 1, "", "card_declined", "lost_card", "do_not_try_again", "x"]),
            lambda inner: st.dictionaries(st.sampled_from(["reason", "advice_code"]), inner, max_size=2),
            max_leaves=4,
        ),
    )
)
def test_any_error_has_a_reason(error: dict[str, Any]) -> None:
    assert explain_error(error).plain


@pytest.mark.parametrize(
    ("_case_error", "_case_said"),
    [
        ({"code": "expired_card"}, "Trying again may help."),
        (
            {"code": "lost_card"},
            "Trying again as it is cannot help: Stripe charges nothing until there is a new payment method.",
        ),
        ({"code": "invalid_account"}, "Trying the same payment method again cannot help."),
        (
            {"decline_code": "do_not_honor", "advice_code": "do_not_try_again"},
            "Trying the same payment method again cannot help. The bank asks not to try again.",
        ),
        (
            {"decline_code": "do_not_honor", "advice_code": "try_again_later"},
            "The bank says that trying again later may work.",
        ),
        (
            {"decline_code": "do_not_honor", "advice_code": "confirm_card_data"},
            "The bank asks to check the card's details before another try.",
        ),
        ({"decline_code": "do_not_honor", "advice_code": "of_tomorrow"}, "Trying again may help."),
    ],
)
def test_whether_trying_again_can_help_is_said_in_words(_case_error: dict[str, Any], _case_said: str) -> None:
    assert explain_error(_case_error).retry == _case_said


def test_advice_comes_with_the_networks_code_from_an_error_or_an_outcome() -> None:
    told = {"advice_code": "try_again_later", "network_advice_code": "02"}

    assert advice_of(told) == advice_of({"outcome": told}) == ("try_again_later", "02")
    assert advice_of({}) == (None, None)
