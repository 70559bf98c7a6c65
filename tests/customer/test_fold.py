"""One state from the objects of a customer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.customer.builders import DAY, NOW, at, customer, item, price, state_of, subscription, told
from trueup.customer.fold import FOLD_VERSION
from trueup.customer.types import BILLING_STATUS_4, CustomerState, PaymentMethod, Plan, Stage, Why
from trueup.mirror.types import FactRef, MirrorObject


def test_nothing_known_is_a_lead_without_any_value() -> None:
    assert state_of() == CustomerState(
        stripe_customer_id="cus_1",
        stripe_customer_ids=("cus_1",),
        name=None,
        email=None,
        country=None,
        currency=None,
        locale=None,
        stage=Stage.LEAD,
        billing_status=None,
        plans=(),
        mrr=(),
        mrr_changes_at=None,
        mrr_unknown=(),
        trial_end=None,
        subscribed_since=None,
        current_period_end=None,
        cancel_at_period_end=False,
        scheduled_changes=(),
        payment_method_on_file=None,
        payment_method=None,
        delinquent=None,
        balance=None,
        last_payment=None,
        last_failure=None,
        lifetime_paid=(),
        metadata={},
        tags=(),
        last_event_at=None,
        deleted=False,
        why={
            "deleted": Why(rule="nothing_known", facts=()),
            "stage": Why(rule="no_subscription", facts=()),
            "cancel_at_period_end": Why(rule="no_subscription", facts=()),
        },
    )
    assert FOLD_VERSION >= 1


def test_a_customer_tells_its_own_profile() -> None:
    state = state_of(
        customer(
            name="Acme",
            email="ap@acme.example",
            address={"country": "DE"},
            currency="eur",
            delinquent=False,
            balance=-500,
            metadata={"user_id": "7", "odd": 5},
        )
    )

    assert (state.name, state.email, state.country, state.currency) == ("Acme", "ap@acme.example", "DE", "eur")
    assert (state.delinquent, state.balance, state.metadata) == (False, -500, {"user_id": "7"})
    assert (state.stage, state.payment_method_on_file) == (Stage.LEAD, False)
    assert state.last_event_at == at(NOW)


@pytest.mark.parametrize(
    ("_case_data", "_case_name", "_case_country"),
    [
        ({"name": None, "business_name": "Acme GmbH"}, "Acme GmbH", None),
        ({"name": "", "individual_name": "Ann"}, "Ann", None),
        ({"address": {"country": None}, "shipping": {"address": {"country": "FR"}}}, None, "FR"),
        ({"address": {"country": "IT"}, "shipping": {"address": {"country": "FR"}}}, None, "IT"),
        ({"address": "odd", "shipping": {"address": "odd"}, "name": 5}, None, None),
    ],
)
def test_name_and_country_are_taken_from_where_they_are_told(
    _case_data: dict[str, Any], _case_name: str | None, _case_country: str | None
) -> None:
    state = state_of(customer(**_case_data))

    assert (state.name, state.country) == (_case_name, _case_country)


@pytest.mark.parametrize(
    ("_case_subscriptions", "_case_stage", "_case_status"),
    [
        ([subscription("active")], Stage.ACTIVE, "active"),
        ([subscription("trialing")], Stage.TRIALING, "trialing"),
        ([subscription("past_due")], Stage.PAST_DUE, "past_due"),
        ([subscription("unpaid")], Stage.PAST_DUE, "unpaid"),
        ([subscription("paused")], Stage.PAUSED, "paused"),
        ([subscription("canceled")], Stage.CHURNED, "canceled"),
        ([subscription("incomplete")], Stage.LEAD, "incomplete"),
        ([subscription("incomplete_expired")], Stage.LEAD, "incomplete_expired"),
        ([subscription("a_status_of_tomorrow")], Stage.LEAD, "a_status_of_tomorrow"),
        ([subscription(None)], Stage.LEAD, None),
        ([subscription("active", pause_collection={"behavior": "void"})], Stage.PAUSED, "active"),
        ([subscription("past_due", pause_collection={"behavior": "void"})], Stage.PAST_DUE, "past_due"),
        ([subscription("canceled"), subscription("active", id="sub_2")], Stage.ACTIVE, "active"),
        ([subscription("canceled"), subscription("incomplete", id="sub_2")], Stage.CHURNED, "canceled"),
        ([subscription("active"), subscription("past_due", id="sub_2")], Stage.PAST_DUE, "past_due"),
        ([subscription("past_due"), subscription("unpaid", id="sub_2")], Stage.PAST_DUE, "unpaid"),
        ([subscription("trialing"), subscription("active", id="sub_2")], Stage.ACTIVE, "active"),
        ([subscription("paused"), subscription("trialing", id="sub_2")], Stage.TRIALING, "trialing"),
        ([subscription("canceled"), subscription("paused", id="sub_2")], Stage.PAUSED, "paused"),
    ],
)
def test_the_weightiest_subscription_decides_the_stage(
    _case_subscriptions: list[MirrorObject], _case_stage: Stage, _case_status: str | None
) -> None:
    state = state_of(customer(), *_case_subscriptions)

    assert (state.stage, state.billing_status) == (_case_stage, _case_status)


def test_a_deleted_customer_is_deleted_whatever_else_is_told() -> None:
    state = state_of(
        told("customer", "cus_1", deleted=True, name="Acme", invoice_settings={"default_payment_method": "pm_1"}),
        subscription("active", default_payment_method="pm_1", cancel_at_period_end=True),
        told("payment_method", "pm_1", customer="cus_1"),
    )

    assert (state.stage, state.deleted, state.name) == (Stage.DELETED, True, "Acme")
    assert (state.mrr, state.current_period_end, state.cancel_at_period_end) == ((), None, False)
    assert (state.payment_method_on_file, state.payment_method) == (False, None)
    assert [ref.object_type for ref in state.why["payment_method_on_file"].facts] == ["customer"]
    assert [plan.price_id for plan in state.plans] == ["price_1"]


def test_objects_of_another_customer_and_deleted_subscriptions_do_not_count() -> None:
    state = state_of(
        told("customer", "cus_2", name="Other"),
        told("subscription", "sub_9", customer="cus_2", status="active"),
        told("subscription", "sub_8", customer="cus_1", status="active", deleted=True),
        told("payment_method", "pm_9", customer="cus_2"),
        told("charge", "ch_1", when=NOW + 5),
    )

    assert (state.stage, state.name, state.payment_method_on_file) == (Stage.LEAD, None, None)
    assert state.last_event_at == at(NOW + 5)


def test_a_subscription_that_names_no_customer_counts_as_given() -> None:
    assert state_of(told("subscription", "sub_1", status="active")).stage is Stage.ACTIVE


def test_of_two_versions_of_an_object_the_newer_counts() -> None:
    older, newer = subscription("active"), subscription("canceled", when=NOW + 1)

    assert state_of(older, newer) == state_of(newer, older)
    assert state_of(older, newer).stage is Stage.CHURNED


def test_two_contents_of_one_fact_are_told_apart_by_content_not_by_arrival() -> None:
    one, other = customer(name="A"), customer(name="B")

    assert state_of(one, other) == state_of(other, one)


def test_plans_name_product_price_quantity_and_interval() -> None:
    state = state_of(
        subscription("active", item(price(nickname="Pro yearly", unit_amount_decimal="4900"), quantity=5)),
        told("product", "prod_1", name="Pro"),
    )

    assert state.plans == (
        Plan(
            subscription_id="sub_1",
            item_id="si_1",
            price_id="price_1",
            product_id="prod_1",
            product_name="Pro",
            nickname="Pro yearly",
            quantity=5,
            interval="month",
            interval_count=1,
            unit_amount=4900,
            unit_amount_decimal="4900",
            currency="usd",
            status="active",
        ),
    )
    assert [ref.object_type for ref in state.why["plans"].facts] == ["subscription", "product"]


def test_a_product_inside_its_price_tells_its_name() -> None:
    state = state_of(subscription("active", item(price(product={"id": "prod_1", "name": "Pro"}))))

    assert (state.plans[0].product_id, state.plans[0].product_name) == ("prod_1", "Pro")


def test_a_price_that_is_only_named_is_looked_up() -> None:
    known = told(
        "price", "price_7", **{key: value for key, value in price(1000).items() if key not in {"id", "object"}}
    )

    state = state_of(subscription("active", item("price_7", quantity=2), currency="usd"), known)

    assert (state.plans[0].price_id, state.plans[0].unit_amount) == ("price_7", 1000)
    assert [(mrr.currency, mrr.minor) for mrr in state.mrr] == [("usd", 2000)]


def test_a_plan_that_is_only_named_is_looked_up_too() -> None:
    known = told("plan", "plan_7", nickname="Gold", product={"id": "prod_1", "name": "Pro"})

    assert [
        (plan.nickname, plan.product_name) for plan in state_of(subscription("active", item("plan_7")), known).plans
    ] == [("Gold", "Pro")]


def test_a_subscription_without_a_time_is_older_than_one_with_the_least() -> None:
    timed, untimed = subscription("active", id="sub_2", created=1), subscription("active", id="sub_1")

    assert [plan.subscription_id for plan in state_of(timed, untimed).plans] == ["sub_2", "sub_1"]


def test_a_price_that_nobody_knows_is_named_and_brings_nothing() -> None:
    state = state_of(subscription("active", item("price_7", quantity=2), item({}, id=5), currency="usd"))

    assert [(plan.price_id, plan.item_id, plan.unit_amount) for plan in state.plans] == [
        ("price_7", "si_1", None),
        (None, None, None),
    ]
    assert state.mrr == ()


def test_a_churned_customer_still_shows_what_it_had_last() -> None:
    state = state_of(
        subscription("canceled", item(price(id="price_old")), created=100, start_date=100),
        subscription("canceled", item(price(id="price_last")), id="sub_2", created=200, start_date=200, trial_end=300),
    )

    assert [(plan.price_id, plan.status) for plan in state.plans] == [("price_last", "canceled")]
    assert (state.subscribed_since, state.trial_end) == (at(200), at(300))
    assert (state.mrr, state.current_period_end, state.cancel_at_period_end) == ((), None, False)


def test_times_come_from_the_live_subscriptions() -> None:
    state = state_of(
        subscription("canceled", start_date=1),
        subscription(
            "active", item(current_period_end=NOW + 9), item(current_period_end=NOW + 7), id="sub_2", start_date=50
        ),
        subscription("trialing", item(current_period_end=NOW + 8), id="sub_3", start_date=60, trial_end=NOW + 8),
        subscription("trialing", item(current_period_end=NOW + 8), id="sub_4", start_date=60, trial_end=NOW + 6),
        subscription("paused", item(current_period_end=NOW + 1), id="sub_5", start_date=70),
    )

    assert state.subscribed_since == at(50)
    assert state.trial_end == at(NOW + 6)
    assert state.current_period_end == at(NOW + 7)
    assert [ref.object_id for ref in state.why["trial_end"].facts] == ["sub_4"]
    assert [ref.object_id for ref in state.why["current_period_end"].facts] == ["sub_2"]


def test_the_end_of_a_trial_that_converted_stays_known() -> None:
    assert state_of(subscription("active", trial_end=NOW - DAY)).trial_end == at(NOW - DAY)


def test_a_first_payment_that_never_came_is_no_start() -> None:
    state = state_of(subscription("incomplete_expired", start_date=NOW))

    assert (state.subscribed_since, state.current_period_end) == (None, None)


@pytest.mark.parametrize(
    ("_case_flags", "_case_leaves"), [((True,), True), ((False,), False), ((True, False), False), ((True, True), True)]
)
def test_a_customer_leaves_when_every_live_subscription_is_to_end(
    _case_flags: tuple[bool, ...], _case_leaves: bool
) -> None:
    live = [subscription(id=f"sub_{n}", cancel_at_period_end=flag) for n, flag in enumerate(_case_flags)]

    assert state_of(*live, subscription("canceled", id="sub_x")).cancel_at_period_end is _case_leaves


def test_the_currency_is_that_of_the_subscription_until_the_customer_has_one() -> None:
    assert state_of(customer(currency=None), subscription("active", currency="eur")).currency == "eur"
    assert state_of(customer(currency="usd"), subscription("active", currency="eur")).currency == "usd"
    assert state_of(customer(), subscription("active")).currency is None


def test_every_status_of_stripe_has_its_place_among_four() -> None:
    assert set(BILLING_STATUS_4) == {
        "active", "canceled", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid",
    }  # fmt: skip
    assert set(BILLING_STATUS_4.values()) == {"active", "trialing", "past_due", "canceled"}
    assert all(BILLING_STATUS_4[status] == status for status in BILLING_STATUS_4.values())


def test_every_value_names_the_facts_it_came_from() -> None:
    state = state_of(
        customer(
            name="Acme",
            email="a@acme.example",
            address={"country": "DE"},
            currency="usd",
            delinquent=False,
            balance=0,
            metadata={"a": "b"},
        ),
        subscription("active", start_date=NOW, trial_end=NOW, default_payment_method="pm_1"),
        told("payment_method", "pm_1", customer="cus_1", type="card", card={"brand": "visa", "last4": "4242"}),
    )
    of_customer = (FactRef(object_type="customer", object_id="cus_1", event_id=f"evt_cus_1_{NOW}", created=NOW),)
    of_subscription = (
        FactRef(object_type="subscription", object_id="sub_1", event_id=f"evt_sub_1_{NOW}", created=NOW),
    )

    assert {field for field, why in state.why.items() if why.facts == of_customer} == {
        "name", "email", "country", "currency", "delinquent", "balance", "metadata", "deleted",
    }  # fmt: skip
    assert {field for field, why in state.why.items() if why.facts == of_subscription} == {
        "stage", "billing_status", "plans", "mrr", "trial_end", "subscribed_since", "current_period_end",
        "cancel_at_period_end", "last_event_at", "as_of",
    }  # fmt: skip
    assert [ref.object_id for ref in state.why["payment_method"].facts] == ["sub_1", "pm_1"]
    assert state.why["payment_method_on_file"] == state.why["payment_method"]
    assert state.payment_method == PaymentMethod(
        id="pm_1", type="card", brand="visa", last4="4242", exp_month=None, exp_year=None
    )
