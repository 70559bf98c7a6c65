"""What happens to a subscription, in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.customer.rules import entry, products_of
from trueup.customer.types import Entry, Kind, Tone
from trueup.mirror.types import Fact

NOW = 1_779_782_400  # May 26, 2026
DAY = 86_400
NAMES = {"prod_starter": "Starter", "prod_pro": "Pro"}


def price(
    product: str = "starter", amount: int | None = 2900, interval: str = "month", count: int = 1
) -> dict[str, Any]:
    return {
        "id": f"price_{product}_{amount}_{interval}",
        "object": "price",
        "currency": "usd",
        "product": f"prod_{product}",
        "recurring": {"interval": interval, "interval_count": count, "usage_type": "licensed"},
        "unit_amount": amount,
    }


def items(*prices: dict[str, Any], quantity: int = 1, end: int = NOW) -> dict[str, Any]:
    listed = [{"id": "si_1", "price": one, "quantity": quantity, "current_period_end": end} for one in prices]
    return {"object": "list", "data": listed}


STARTER, PRO = items(price()), items(price("pro", 7900))


def told(verb: str, previous: dict[str, Any] | None = None, **data: Any) -> Entry | None:
    fact = Fact(
        object_type="subscription",
        object_id="sub_1",
        created=NOW,
        event_id="evt_1",
        event_type=f"customer.subscription.{verb}",
        deleted=False,
        data={"id": "sub_1", "object": "subscription", "status": "active", "items": STARTER} | data,
        previous=previous,
        customer="cus_1",
    )
    return entry(fact, product_names=NAMES)


def said(verb: str, previous: dict[str, Any] | None = None, **data: Any) -> tuple[str, str, Tone] | None:
    found = told(verb, previous, **data)
    return None if found is None else (found.title, found.detail, found.tone)


def test_an_entry_points_at_its_fact() -> None:
    found = told("created")

    assert found is not None
    assert (found.created, found.at.isoformat()) == (NOW, "2026-05-26T08:00:00+00:00")
    assert (found.event_id, found.event_type) == ("evt_1", "customer.subscription.created")
    assert (found.object_type, found.object_id) == ("subscription", "sub_1")
    assert (found.kind, found.source, found.amount) == (Kind.SUBSCRIPTION, "stripe", None)


@pytest.mark.parametrize(
    ("_case_data", "_case_said"),
    [
        ({}, ("Subscribed to Starter, monthly", "$29.00 monthly", Tone.GOOD)),
        (
            {"items": items(price("pro", 79000, "year"), quantity=5)},
            ("Subscribed to Pro, yearly", "5 seats at $790.00 yearly", Tone.GOOD),
        ),
        ({"items": items(price(), price("pro"))}, ("Subscribed to Starter and 1 more, monthly", "", Tone.GOOD)),
        ({"items": items(price("starter", None, count=3))}, ("Subscribed to Starter, every 3 months", "", Tone.GOOD)),
        ({"items": {"data": [{"price": {"nickname": "Gold"}}]}}, ("Subscribed to Gold", "", Tone.GOOD)),
        (
            {
                "items": {
                    "data": [{"price": {"product": {"id": "p", "name": "Silver"}, "unit_amount": 5, "currency": "eur"}}]
                }
            },
            ("Subscribed to Silver", "€0.05", Tone.GOOD),
        ),
        ({"items": {"data": ["odd"]}}, ("Subscribed to a plan", "", Tone.GOOD)),
        ({"items": None}, ("Subscribed to a plan", "", Tone.GOOD)),
        (
            {"status": "trialing", "trial_start": NOW, "trial_end": NOW + 14 * DAY, "items": PRO},
            ("Started a 14-day trial of Pro", "Ends on June 9, 2026 · $79.00 monthly", Tone.GOOD),
        ),
        (
            {"status": "trialing", "trial_end": NOW + 14 * DAY},
            ("Started a trial of Starter", "Ends on June 9, 2026 · $29.00 monthly", Tone.GOOD),
        ),
        ({"status": "trialing"}, ("Started a trial of Starter", "$29.00 monthly", Tone.GOOD)),
        ({"status": "incomplete"}, ("Began to subscribe to Starter", "The first payment is open", Tone.WARN)),
    ],
)
def test_a_subscription_begins(_case_data: dict[str, Any], _case_said: tuple[str, str, Tone]) -> None:
    assert said("created", **_case_data) == _case_said


def test_a_subscription_of_2016_begins_with_its_one_plan() -> None:
    plan = {"id": "gold", "object": "plan", "name": "Gold", "amount": 1900, "currency": "gbp", "interval": "month"}

    assert said("created", items=None, plan=plan, quantity=2) == (
        "Subscribed to Gold, monthly",
        "2 seats at £19.00 monthly",
        Tone.GOOD,
    )


@pytest.mark.parametrize(
    ("_case_was", "_case_is", "_case_said"),
    [
        ("trialing", "active", ("Trial ended, now paying", "Starter, monthly", Tone.GOOD)),
        ("trialing", "past_due", ("Trial ended, payment is overdue", "Starter, monthly", Tone.BAD)),
        ("incomplete", "active", ("Subscribed to Starter, monthly", "$29.00 monthly", Tone.GOOD)),
        ("incomplete", "trialing", ("Started a trial of Starter", "$29.00 monthly", Tone.GOOD)),
        ("incomplete", "incomplete_expired", ("The first payment never came", "Starter, monthly", Tone.BAD)),
        ("active", "past_due", ("Payment is overdue", "Starter, monthly", Tone.BAD)),
        ("past_due", "unpaid", ("All attempts to collect failed", "Starter, monthly", Tone.BAD)),
        ("past_due", "active", ("Payments are up to date again", "Starter, monthly", Tone.GOOD)),
        ("unpaid", "active", ("Payments are up to date again", "Starter, monthly", Tone.GOOD)),
        ("active", "canceled", ("Canceled", "Starter, monthly", Tone.BAD)),
        ("trialing", "paused", None),
        ("paused", "active", None),
        ("active", "a_status_of_tomorrow", None),
    ],
)
def test_a_status_changes(_case_was: str, _case_is: str, _case_said: tuple[str, str, Tone] | None) -> None:
    assert said("updated", {"status": _case_was}, status=_case_is) == _case_said


@pytest.mark.parametrize(
    ("_case_was", "_case_is", "_case_said"),
    [
        (STARTER, PRO, ("Upgraded from Starter to Pro", "$79.00 monthly", Tone.GOOD)),
        (PRO, STARTER, ("Downgraded from Pro to Starter", "$29.00 monthly", Tone.WARN)),
        (
            STARTER,
            items(price("starter", 29000, "year")),
            ("Switched from monthly to yearly billing", "$290.00 yearly", Tone.PLAIN),
        ),
        (
            PRO,
            items(price("starter", 94800, "year")),
            ("Switched from Pro to Starter", "$948.00 yearly", Tone.PLAIN),
        ),
        (
            STARTER,
            items(price("starter", 3900)),
            ("Price changed from $29.00 to $39.00", "Starter, monthly", Tone.GOOD),
        ),
        (
            STARTER,
            {"data": [{"price": price() | {"id": "price_twin"}, "quantity": 1}]},
            ("Moved to another price of Starter", "$29.00 monthly", Tone.PLAIN),
        ),
        (items(price("starter", None)), PRO, ("Switched from Starter to Pro", "$79.00 monthly", Tone.PLAIN)),
        (
            STARTER,
            items(price(), price("pro")),
            ("Added Pro", "$29.00 monthly", Tone.GOOD),
        ),
        (items(price(), price("pro")), items(price("pro")), ("Removed Starter", "Pro, monthly", Tone.WARN)),
        (
            items(price(), price("extra", 500)),
            items(price("pro", 7900), price("extra", 500)),
            ("Upgraded from Starter to Pro", "$79.00 monthly", Tone.GOOD),
        ),
        (
            items(price("starter", None)),
            STARTER,
            ("Moved to another price of Starter", "$29.00 monthly", Tone.PLAIN),
        ),
        (
            {"data": [{"price": price() | {"id": "price_once", "recurring": None}, "quantity": 1}]},
            STARTER,
            ("Moved to another price of Starter", "$29.00 monthly", Tone.PLAIN),
        ),
        (STARTER, {"data": []}, None),
        ({"data": []}, STARTER, None),
    ],
)
def test_a_plan_changes(
    _case_was: dict[str, Any], _case_is: dict[str, Any], _case_said: tuple[str, str, Tone] | None
) -> None:
    assert said("updated", {"items": _case_was}, items=_case_is) == _case_said


def test_a_plan_changes_as_it_was_told_before_items() -> None:
    def plan(name: str, amount: int) -> dict[str, Any]:
        return {"id": name, "object": "plan", "name": name, "amount": amount, "currency": "usd", "interval": "month"}

    now = {"data": [{"id": "si_1", "plan": plan("Pro", 7900), "quantity": 3}]}

    assert said("updated", {"plan": plan("Starter", 2900)}, items=now, plan=plan("Pro", 7900), quantity=3) == (
        "Upgraded from Starter to Pro",
        "3 seats at $79.00 monthly",
        Tone.GOOD,
    )
    assert said("updated", {"quantity": 2}, items=now, plan=plan("Pro", 7900), quantity=3) == (
        "Seats changed from 2 to 3",
        "",
        Tone.GOOD,
    )


def test_items_count_before_an_echoed_plan() -> None:
    echo = {"id": "price_echo", "object": "plan", "amount": 1, "currency": "usd", "interval": "month"}

    assert said("updated", {"items": STARTER, "plan": echo, "quantity": 9}, items=PRO, plan=echo, quantity=1) == (
        "Upgraded from Starter to Pro",
        "$79.00 monthly",
        Tone.GOOD,
    )


@pytest.mark.parametrize(
    ("_case_was", "_case_is", "_case_said"),
    [
        (3, 5, ("Seats changed from 3 to 5", "", Tone.GOOD)),
        (5, 3, ("Seats changed from 5 to 3", "", Tone.WARN)),
        (999, 1500, ("Seats changed from 999 to 1,500", "", Tone.GOOD)),
        (3, 3, None),
    ],
)
def test_seats_change(_case_was: int, _case_is: int, _case_said: tuple[str, str, Tone] | None) -> None:
    assert (
        said("updated", {"items": items(price(), quantity=_case_was)}, items=items(price(), quantity=_case_is))
        == _case_said
    )


def test_metered_items_have_no_seats() -> None:
    metered = {"data": [{"price": price()}]}

    assert said("updated", {"items": STARTER}, items=metered) is None


@pytest.mark.parametrize(
    ("_case_previous", "_case_data", "_case_said"),
    [
        (
            {"cancel_at_period_end": False, "cancel_at": None},
            {"cancel_at_period_end": True, "cancel_at": NOW, "cancellation_details": {"feedback": "too_expensive"}},
            ("Will cancel on May 26, 2026", "Feedback: too expensive", Tone.WARN),
        ),
        (
            {"cancel_at_period_end": False},
            {"cancel_at_period_end": True},
            ("Will cancel on May 26, 2026", "", Tone.WARN),
        ),
        (
            {"cancel_at_period_end": False},
            {"cancel_at_period_end": True, "items": {"data": [{}]}},
            ("Will cancel at the end of the period", "", Tone.WARN),
        ),
        ({"cancel_at": None}, {"cancel_at": NOW + DAY}, ("Will cancel on May 27, 2026", "", Tone.WARN)),
        (
            {"cancel_at_period_end": True, "cancel_at": NOW},
            {"cancel_at_period_end": False, "cancel_at": None},
            ("Cancellation withdrawn", "", Tone.GOOD),
        ),
        ({"cancel_at_period_end": False}, {"cancel_at_period_end": True, "status": "canceled"}, None),
        (
            {"pause_collection": None},
            {"pause_collection": {"behavior": "void", "resumes_at": NOW}},
            ("Paused", "Until May 26, 2026 · Invoices are voided", Tone.WARN),
        ),
        ({"pause_collection": None}, {"pause_collection": {"behavior": "odd"}}, ("Paused", "", Tone.WARN)),
        ({"pause_collection": {"behavior": "void"}}, {"pause_collection": None}, ("Resumed", "", Tone.GOOD)),
        ({"pause_collection": {"behavior": "void"}}, {"pause_collection": {"behavior": "keep_as_draft"}}, None),
        (
            {"trial_end": NOW},
            {"trial_end": NOW + DAY, "status": "trialing"},
            ("Trial extended to May 27, 2026", "", Tone.PLAIN),
        ),
        (
            {"trial_end": NOW + DAY},
            {"trial_end": NOW, "status": "trialing"},
            ("Trial shortened to May 26, 2026", "", Tone.PLAIN),
        ),
        ({"trial_end": NOW}, {"trial_end": NOW + DAY}, None),
    ],
)
def test_cancellation_pause_and_trial_change(
    _case_previous: dict[str, Any], _case_data: dict[str, Any], _case_said: tuple[str, str, Tone] | None
) -> None:
    assert said("updated", _case_previous, **_case_data) == _case_said


def test_the_weightiest_change_is_the_title_and_the_others_follow() -> None:
    before = {"status": "trialing", "items": items(price(), quantity=2), "cancel_at_period_end": True}

    assert said("updated", before, items=items(price("pro", 7900), quantity=3), cancel_at_period_end=False) == (
        "Trial ended, now paying",
        "Pro, monthly · Upgraded from Starter to Pro · Seats changed from 2 to 3 · Cancellation withdrawn",
        Tone.GOOD,
    )


@pytest.mark.parametrize(
    "_case_previous",
    [
        None,
        {},
        {"metadata": {"a": None}},
        {"items": items(price(), end=NOW - 30 * DAY), "latest_invoice": "in_0"},
        {"current_period_end": 5, "current_period_start": 4},
        {"default_payment_method": "pm_0"},
    ],
)
def test_a_renewal_or_an_inner_change_is_no_entry(_case_previous: dict[str, Any] | None) -> None:
    assert said("updated", _case_previous) is None


@pytest.mark.parametrize(
    ("_case_data", "_case_detail"),
    [
        ({}, "Starter, monthly"),
        (
            {"cancellation_details": {"reason": "cancellation_requested", "feedback": "missing_features"}},
            "Starter, monthly · Requested · Feedback: missing features",
        ),
        ({"cancellation_details": {"reason": "payment_failed"}}, "Starter, monthly · Payments failed"),
        ({"cancellation_details": {"reason": "a_new_reason"}}, "Starter, monthly · A new reason"),
        (
            {"cancellation_details": {"reason": "cancellation_requested"}, "trial_end": NOW, "ended_at": NOW},
            "Starter, monthly · The trial ended",
        ),
        ({"trial_end": NOW - DAY, "ended_at": NOW}, "Starter, monthly"),
        ({"items": None}, ""),
    ],
)
def test_a_subscription_ends_with_its_reason(_case_data: dict[str, Any], _case_detail: str) -> None:
    assert said("deleted", status="canceled", **_case_data) == ("Canceled", _case_detail, Tone.BAD)


@pytest.mark.parametrize(
    ("_case_end", "_case_said"),
    [
        (NOW + 3 * DAY, ("Trial ends in 3 days", "Starter, monthly · May 29, 2026", Tone.WARN)),
        (NOW + 2 * DAY + 1, ("Trial ends in 3 days", "Starter, monthly · May 28, 2026", Tone.WARN)),
        (NOW + DAY, ("Trial ends in 1 day", "Starter, monthly · May 27, 2026", Tone.WARN)),
        (NOW, ("Trial ends now", "Starter, monthly · May 26, 2026", Tone.WARN)),
        (None, None),
    ],
)
def test_a_trial_will_end(_case_end: int | None, _case_said: tuple[str, str, Tone] | None) -> None:
    assert said("trial_will_end", status="trialing", trial_end=_case_end) == _case_said


def test_stripe_pauses_and_resumes_and_lets_a_change_lapse() -> None:
    reason = {"paused": {"subscription": {"type": "trial_end_without_payment_method"}, "transitioned_at": NOW}}
    other = {"paused": {"type": "pause_requested"}}

    assert said("paused", status_details=reason) == (
        "Paused",
        "Starter, monthly · The trial ended without a payment method",
        Tone.WARN,
    )
    assert said("paused", status_details=other) == ("Paused", "Starter, monthly · Requested", Tone.WARN)
    assert said("paused") == ("Paused", "Starter, monthly", Tone.WARN)
    assert said("resumed") == ("Resumed", "Starter, monthly", Tone.GOOD)
    assert said("pending_update_expired") == ("A change was not paid for and has lapsed", "Starter, monthly", Tone.WARN)


def test_the_products_to_be_named_are_those_before_and_after_a_change() -> None:
    plan = {"id": "gold", "object": "plan", "product": {"id": "prod_gold"}}
    fact = Fact(
        object_type="subscription",
        object_id="sub_1",
        created=NOW,
        event_id="evt_1",
        event_type="customer.subscription.updated",
        deleted=False,
        data={"items": {"data": [*PRO["data"], *PRO["data"], "odd"]}, "plan": plan},
        previous={"items": STARTER},
    )
    other = Fact(
        object_type="customer",
        object_id="cus_1",
        created=NOW,
        event_id="evt_2",
        event_type="customer.updated",
        deleted=False,
        data={"plan": plan},
    )

    assert products_of(fact) == ("prod_pro", "prod_gold", "prod_starter")
    assert products_of(other) == ()
