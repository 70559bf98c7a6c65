"""Requests as Stripe takes and refuses them."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.sandbox.wire.notation import table
from trueup.sandbox.wire.parameters import ParameterError, check

SUBSCRIBE = "POST /v1/subscriptions"
PRICE = "POST /v1/prices"
CUSTOMER = "POST /v1/customers"

EMPTY = (
    "You passed an empty string for 'NAME'. We assume empty values are an attempt to unset a parameter; however 'NAME' "
    "cannot be unset. You should remove 'NAME' from your request or supply a non-empty value."
)
STATUSES = "active, past_due, unpaid, canceled, incomplete, incomplete_expired, trialing, paused, all, or ended"


def refusal(operation: str, params: dict[str, Any]) -> tuple[str, str, str | None]:
    """What ``check`` says against the parameters: message, parameter, code."""
    with pytest.raises(ParameterError) as caught:
        check(operation, params)
    assert str(caught.value) == caught.value.message
    return caught.value.message, caught.value.param, caught.value.code


def test_every_operation_takes_expand_and_no_nonsense() -> None:
    for operation in table("routes.json"):
        with pytest.raises(ParameterError) as caught:
            check(operation, {"expand": ["data"], "nonsense": "1"})

        assert (caught.value.param, caught.value.code) == ("nonsense", "parameter_unknown")


def test_an_operation_that_there_is_not_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        check("GET /v1/nothing", {})


# --- what is taken ---------------------------------------------------------------------------------------------------


def test_parameters_come_back_with_their_types() -> None:
    sent = {
        "customer": "cus_1",
        "items": {"0": {"price": "price_1", "quantity": "2"}},
        "cancel_at_period_end": "true",
        "off_session": "false",
        "trial_end": "1700000000",
        "application_fee_percent": "1.50",
        "metadata": {"plan": "gold", "old": ""},
        "expand": ["latest_invoice"],
    }

    assert check(SUBSCRIBE, sent) == {
        "customer": "cus_1",
        "items": [{"price": "price_1", "quantity": 2}],
        "cancel_at_period_end": True,
        "off_session": False,
        "trial_end": 1700000000,
        "application_fee_percent": "1.50",
        "metadata": {"plan": "gold", "old": ""},
        "expand": ["latest_invoice"],
    }
    assert list(check(SUBSCRIBE, sent)) == list(sent)


@pytest.mark.parametrize(
    "items",
    [
        [{"price": "a"}, {"price": "b"}],
        {"0": {"price": "a"}, "1": {"price": "b"}},
        {"10": {"price": "b"}, "9": {"price": "a"}},
    ],
)
def test_an_array_may_come_as_a_list_or_by_index_in_any_order(items: object) -> None:
    assert check(SUBSCRIBE, {"items": items})["items"] == [{"price": "a"}, {"price": "b"}]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("trial_end", "now", "now"),
        ("trial_end", "12", 12),
        ("cancel_at", "min_period_end", "min_period_end"),
        ("discounts", "", ""),
        ("metadata", "", ""),
        ("pending_invoice_item_interval", "", ""),
        ("default_tax_rates", {"0": "txr_1"}, ["txr_1"]),
    ],
)
def test_a_parameter_may_be_one_thing_or_another(name: str, value: object, expected: object) -> None:
    assert check(SUBSCRIBE, {name: value}) == {name: expected}


@pytest.mark.parametrize(
    ("created", "expected"), [("12", 12), ({"gte": "1", "lt": "9"}, {"gte": 1, "lt": 9}), ("-1", -1)]
)
def test_a_range_is_a_moment_or_its_bounds(created: object, expected: object) -> None:
    assert check("GET /v1/customers", {"created": created}) == {"created": expected}


def test_decimals_stay_the_digits_that_were_sent() -> None:
    exact = {"currency": "usd", "unit_amount_decimal": "0.120000000000"}

    assert check(PRICE, exact) == exact


def test_text_of_a_customer_can_be_unset() -> None:
    text = {"name": "", "email": "", "description": "", "phone": "", "address": {"line2": "", "city": "Bern"}}
    sent = text | {"shipping": {"name": "", "phone": "", "address": {"line1": ""}}}

    assert check(CUSTOMER, sent) == sent
    assert check("POST /v1/customers/{customer}", sent) == sent


def test_the_same_text_elsewhere_cannot_be_unset() -> None:
    location = "POST /v1/terminal/locations/{location}"

    assert refusal(location, {"address": {"line2": ""}})[1:] == ("address[line2]", "parameter_invalid_empty")


def test_an_external_account_is_read_as_what_it_says_it_is() -> None:
    attach = "POST /v1/accounts/{account}/external_accounts"
    bank = {"object": "bank_account", "country": "US", "currency": "usd", "account_number": "000123456789"}
    card = {"object": "card", "exp_month": "12", "exp_year": "2030", "number": "4242424242424242"}

    assert check(attach, {"external_account": bank}) == {"external_account": bank}
    assert check(attach, {"external_account": card})["external_account"] == card | {"exp_month": 12, "exp_year": 2030}
    assert check(attach, {"external_account": "btok_1"}) == {"external_account": "btok_1"}


def test_a_file_is_whatever_was_sent() -> None:
    sent = {"file": b"...", "purpose": "dispute_evidence"}

    assert check("POST /v1/files", sent) == sent


def test_json_may_bring_its_own_types() -> None:
    assert check(CUSTOMER, {"name": 12345, "balance": 5, "validate": True}) == {
        "name": "12345",
        "balance": 5,
        "validate": True,
    }
    assert check(PRICE, {"currency": "usd", "unit_amount_decimal": 1.5}) == {
        "currency": "usd",
        "unit_amount_decimal": "1.5",
    }


def test_null_in_json_unsets_as_the_empty_string_does() -> None:
    assert check(CUSTOMER, {"metadata": None, "address": None}) == {"metadata": None, "address": None}
    assert check(CUSTOMER, {"metadata": {"a": None}}) == {"metadata": {"a": None}}
    assert refusal(CUSTOMER, {"balance": None})[2] == "parameter_invalid_empty"


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "params", "message", "param", "code"),
    [
        (CUSTOMER, {"foo": "1"}, "Received unknown parameter: foo", "foo", "parameter_unknown"),
        (
            "POST /v1/payment_intents/{intent}/cancel",
            {"amount": "1", "currency": "usd"},
            "Received unknown parameters: amount, currency",
            "amount",
            "parameter_unknown",
        ),
        (
            SUBSCRIBE,
            {"items": {"0": {"foo": "x"}}},
            "Received unknown parameter: items[0][foo]",
            "items[0][foo]",
            "parameter_unknown",
        ),
        (PRICE, {}, "Missing required param: currency.", "currency", "parameter_missing"),
        (
            PRICE,
            {"currency": "usd", "recurring": {"usage_type": "metered"}},
            "Missing required param: recurring[interval].",
            "recurring[interval]",
            "parameter_missing",
        ),
        (
            PRICE,
            {"currency": "usd", "unit_amount": "abc"},
            "Invalid integer: abc",
            "unit_amount",
            "parameter_invalid_integer",
        ),
        (
            PRICE,
            {"currency": "usd", "unit_amount": "12.5"},
            "Invalid integer: 12.5",
            "unit_amount",
            "parameter_invalid_integer",
        ),
        (SUBSCRIBE, {"trial_end": "soon"}, "Invalid integer: soon", "trial_end", "parameter_invalid_integer"),
        (
            SUBSCRIBE,
            {"cancel_at_period_end": "True"},
            "Invalid boolean: True",
            "cancel_at_period_end",
            None,
        ),
        (SUBSCRIBE, {"items": "x"}, "Invalid array", "items", None),
        (SUBSCRIBE, {"items": {"price": "price_1"}}, "Invalid array", "items", None),
        (SUBSCRIBE, {"items": ["price_1"]}, "Invalid object", "items[0]", None),
        (SUBSCRIBE, {"automatic_tax": "x"}, "Invalid object", "automatic_tax", None),
        (SUBSCRIBE, {"automatic_tax": ["x"]}, "Invalid object", "automatic_tax", None),
        (SUBSCRIBE, {"metadata": "x"}, "Invalid hash", "metadata", None),
        (SUBSCRIBE, {"application_fee_percent": "a"}, "Invalid decimal: a", "application_fee_percent", None),
        (
            SUBSCRIBE,
            {"customer": {"error": "#ERROR!", "n": ["1", 2, None, True]}},
            'Invalid string: {:error=>"#ERROR!", :n=>["1", 2, nil, true]}',
            "customer",
            None,
        ),
        (
            PRICE,
            {"currency": "usd", "recurring": {"interval": "monthly"}},
            "Invalid recurring[interval]: must be one of day, month, week, or year",
            "recurring[interval]",
            None,
        ),
        (
            CUSTOMER,
            {"tax_exempt": "totally_invalid_value"},
            "Invalid tax_exempt: must be one of none, reverse, or exempt",
            "tax_exempt",
            None,
        ),
        (
            "POST /v1/checkout/sessions",
            {"customer_creation": "ifRequired"},
            "Invalid customer_creation: must be one of if_required or always",
            "customer_creation",
            None,
        ),
        (
            "GET /v1/subscriptions",
            {"status": "totally_invalid"},
            f"Invalid status: must be one of {STATUSES}",
            "status",
            None,
        ),
        (
            PRICE,
            {"currency": ""},
            EMPTY.replace("NAME", "currency"),
            "currency",
            "parameter_invalid_empty",
        ),
        (
            "POST /v1/subscription_schedules/{schedule}",
            {"phases": {"0": {"items": {"0": {"price": "p"}}, "collection_method": ""}}},
            EMPTY.replace("NAME", "phases[0][collection_method]"),
            "phases[0][collection_method]",
            "parameter_invalid_empty",
        ),
    ],
)
def test_what_stripe_refuses_is_refused_in_its_words(
    operation: str, params: dict[str, Any], message: str, param: str, code: str | None
) -> None:
    assert refusal(operation, params) == (message, param, code)


def test_unknown_comes_before_missing_and_missing_before_wrong() -> None:
    wrong = {"unit_amount": "x"}

    assert refusal(PRICE, wrong | {"foo": "1"})[2] == "parameter_unknown"
    assert refusal(PRICE, wrong)[2] == "parameter_missing"
    assert refusal(PRICE, wrong | {"currency": "usd"})[2] == "parameter_invalid_integer"


@pytest.mark.parametrize("text", ["9" * 5000, str(2**63), "+1", "1_000", " 1", "1e3", "0x1", "٣", "--1", "-"])
def test_only_plain_integers_of_64_bits_are_integers(text: str) -> None:
    assert refusal(PRICE, {"currency": "usd", "unit_amount": text})[2] == "parameter_invalid_integer"


def test_the_largest_integers_are_integers() -> None:
    assert check(CUSTOMER, {"balance": str(2**63 - 1)}) == {"balance": 2**63 - 1}
    assert check(CUSTOMER, {"balance": "-0012"}) == {"balance": -12}


@pytest.mark.parametrize("value", [True, 1.5, [1], {"a": 1}])
def test_in_json_too_an_integer_is_an_integer(value: object) -> None:
    assert refusal(CUSTOMER, {"balance": value})[2] == "parameter_invalid_integer"


def test_what_is_nested_absurdly_deep_is_refused_and_cut_short() -> None:
    deep: Any = "x"
    for _ in range(50_000):
        deep = {"a": deep}

    message, param, _code = refusal(CUSTOMER, {"metadata": {"k": deep}})

    assert param == "metadata[k]"
    assert message.startswith("Invalid string: {:a=>{:a=>")
    assert len(message) < 300


def test_required_is_what_the_tables_say() -> None:
    assert check("POST /v1/products", {"name": "Gold"}) == {"name": "Gold"}
    assert refusal("POST /v1/products", {})[1] == "name"
    assert check(CUSTOMER, {}) == {}


# --- whatever comes --------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    (
        *("items", "price", "quantity", "metadata", "customer", "trial_end", "expand", "currency", "address"),
        *("created", "recurring", "interval", "0", "1", "-1", "object", "external_account", "discounts", "", "deep]"),
    )
)
TREES = st.recursive(
    st.one_of(
        st.text(max_size=5), st.integers(), st.floats(), st.booleans(), st.none(), st.sampled_from(["now", "1", "true"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.sampled_from(sorted(table("routes.json"))), st.dictionaries(NAMES, TREES, max_size=4))
def test_whatever_is_sent_is_taken_or_refused(operation: str, params: dict[str, Any]) -> None:
    typed: dict[str, object] | None = None
    with contextlib.suppress(ParameterError):
        typed = check(operation, params)

    assert typed is None or typed.keys() == params.keys()


@settings(deadline=None)
@given(st.sampled_from([SUBSCRIBE, PRICE, CUSTOMER]), st.dictionaries(NAMES, TREES, max_size=4))
def test_a_request_stays_as_it_was(operation: str, params: dict[str, Any]) -> None:
    before = repr(params)

    with contextlib.suppress(ParameterError):
        check(operation, params)

    assert repr(params) == before
