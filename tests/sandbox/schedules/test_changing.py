"""What requests make of schedules: created from a subscription, updated, canceled, released, refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.schedules.conftest import DAY, FEBRUARY, MARCH, START, Acts, Json, only, phase


def subscribed(acts: Acts, price: str, customer: str | None = None, **fields: Any) -> Json:
    """A subscription without a schedule."""
    customer = customer or acts.customer()
    made = acts.api.post("/v1/subscriptions", customer=customer, items=[{"price": price, "quantity": 2}], **fields)
    acts.api.events()
    return made


def adopted(acts: Acts, subscription: Json) -> Json:
    """The schedule made from a subscription."""
    found: Json = acts.api.post("/v1/subscription_schedules", from_subscription=subscription["id"])
    return found


def test_a_subscription_gets_a_schedule_of_its_present_period(acts: Acts) -> None:
    price = acts.price()
    coupon = acts.api.post("/v1/coupons", percent_off=10, duration="forever")
    subscription = subscribed(acts, price, discounts=[{"coupon": coupon["id"]}], description="Of old")

    schedule = adopted(acts, subscription)

    told = acts.api.events()
    assert [event["type"] for event in told] == ["subscription_schedule.created", "customer.subscription.updated"]
    assert told[1]["data"]["previous_attributes"] == {"schedule": None}
    assert (schedule["status"], schedule["end_behavior"]) == ("active", "release")
    assert schedule["current_phase"] == {"start_date": START, "end_date": FEBRUARY}
    present = schedule["phases"][0]
    assert [(one["price"], one["plan"], one["quantity"]) for one in present["items"]] == [(price, price, 2)]
    assert present["discounts"] == [{"coupon": None, "discount": subscription["discounts"][0], "promotion_code": None}]
    assert schedule["default_settings"]["description"] == "Of old"


def test_a_downgrade_at_the_end_of_the_period_keeps_everything_else(acts: Acts) -> None:
    dear, cheap = acts.price(5000), acts.price(1000)
    coupon = acts.api.post("/v1/coupons", percent_off=10, duration="forever")
    subscription = subscribed(acts, dear, discounts=[{"coupon": coupon["id"]}])
    schedule = adopted(acts, subscription)
    present = schedule["phases"][0]
    same = {"items": [{"price": dear, "quantity": 2}], "discounts": [{"discount": subscription["discounts"][0]}]}
    acts.api.events()

    acts.change(
        schedule,
        end_behavior="release",
        phases=[
            {**same, "start_date": present["start_date"], "end_date": present["end_date"]},
            {**same, "items": [{"price": cheap, "quantity": 2}], "proration_behavior": "none"},
        ],
    )

    assert acts.api.types() == ["subscription_schedule.updated"]
    acts.until(FEBRUARY + 7200)
    changed = acts.subscription(schedule)
    assert changed["discounts"] == subscription["discounts"]
    assert changed["items"]["data"][0]["price"]["id"] == cheap
    latest = acts.invoices(subscription["customer"])[-1]
    assert (latest["subtotal"], latest["total"], latest["status"]) == (2000, 1800, "paid")


def test_a_trial_that_runs_is_part_of_the_present_phase(acts: Acts) -> None:
    subscription = subscribed(acts, acts.price(), trial_period_days=14)

    schedule = adopted(acts, subscription)

    present = schedule["phases"][0]
    assert (present["start_date"], present["end_date"], present["trial_end"]) == (
        START,
        START + 14 * DAY,
        START + 14 * DAY,
    )
    types = acts.until(START + 14 * DAY)
    assert only(types, "subscription_schedule") == ["subscription_schedule.expiring", "subscription_schedule.released"]
    assert acts.subscription(schedule)["status"] == "active"


def test_a_cancellation_that_is_planned_becomes_the_schedules(acts: Acts) -> None:
    subscription = subscribed(acts, acts.price(), cancel_at_period_end=True)

    schedule = adopted(acts, subscription)

    assert (schedule["end_behavior"], schedule["phases"][0]["end_date"]) == ("cancel", FEBRUARY)
    types = acts.until(FEBRUARY)
    assert types[-2:] == ["customer.subscription.deleted", "subscription_schedule.completed"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"phases": [phase("price_1")]}, "You cannot set `phases` if `from_subscription` is set."),
        ({"end_behavior": "cancel"}, "You cannot set `end_behavior` if `from_subscription` is set."),
        ({"start_date": "now"}, "You cannot set `start_date` if `from_subscription` is set."),
    ],
)
def test_nothing_else_is_said_of_a_schedule_that_is_made_from_a_subscription(
    own: Acts, params: Json, said: str
) -> None:
    subscription = subscribed(own, own.price())

    answer = own.api.post("/v1/subscription_schedules", from_subscription=subscription["id"], error=True, **params)

    assert (answer["status"], answer["message"]) == (400, said)


def test_a_subscription_has_one_schedule_and_one_that_ended_has_none(own: Acts) -> None:
    subscription = subscribed(own, own.price())
    schedule = adopted(own, subscription)

    twice = own.api.post("/v1/subscription_schedules", from_subscription=subscription["id"], error=True)
    own.api.delete(f"/v1/subscriptions/{subscription['id']}")
    own.api.delete(f"/v1/subscriptions/{subscribed(own, own.price(), subscription['customer'])['id']}")
    ended = own.api.get("/v1/subscriptions", status="canceled")["data"][0]
    late = own.api.post("/v1/subscription_schedules", from_subscription=ended["id"], error=True)

    assert twice["message"] == (
        f"You cannot migrate a subscription that is already attached to a schedule: `{schedule['id']}`."
    )
    assert late["message"] == "You cannot migrate a subscription that is in the `canceled` status."


# --- updates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behavior", "types"),
    [
        ("create_prorations", ["invoiceitem.created", "invoiceitem.created"]),
        ("none", []),
    ],
)
def test_a_change_of_the_current_phase_changes_the_subscription_at_once(
    acts: Acts, behavior: str, types: list[str]
) -> None:
    price = acts.price(3100)
    schedule = acts.schedule(acts.customer(), phase(price, 2))
    acts.until(START + 10 * DAY)

    acts.change(
        schedule, proration_behavior=behavior, phases=[phase(price, 2, 5, start_date=START, metadata={"seats": "5"})]
    )

    assert acts.api.types() == [*types, "customer.subscription.updated", "subscription_schedule.updated"]
    subscription = acts.subscription(schedule)
    assert (subscription["items"]["data"][0]["quantity"], subscription["metadata"]) == (5, {"seats": "5"})


def test_a_change_of_the_current_phase_may_be_paid_at_once(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price(3100)
    schedule = acts.schedule(customer, phase(price, 2))
    acts.until(START + 10 * DAY)

    acts.change(schedule, proration_behavior="always_invoice", phases=[phase(price, 2, 2, start_date=START)])

    latest = acts.invoices(customer)[-1]
    assert (latest["billing_reason"], latest["status"], latest["total"]) == ("subscription_update", "paid", 2100)


def test_past_phases_stay_as_they_were_named_or_not(acts: Acts) -> None:
    first, second, third = acts.price(1000), acts.price(2000), acts.price(3000)
    schedule = acts.schedule(acts.customer(), phase(first, 1), phase(second, 2))
    acts.until(FEBRUARY + DAY)

    left_out = acts.change(schedule, phases=[phase(second, 1, start_date=FEBRUARY), phase(third, 1)])
    named = acts.change(
        schedule,
        phases=[phase(first, start_date=START, end_date=FEBRUARY), phase(second, 3)],
    )

    assert left_out["phases"][0] == named["phases"][0] == schedule["phases"][0]
    assert [one["end_date"] for one in left_out["phases"]] == [FEBRUARY, MARCH, MARCH + 31 * DAY]
    assert [one["end_date"] for one in named["phases"]] == [FEBRUARY, START + 120 * DAY]
    assert acts.refusal(schedule, phases=[phase(third, start_date=START, end_date=FEBRUARY), phase(second, 3)]) == (
        f"You can not modify a phase that has ended: the phase that started at {START}."
    )
    assert acts.refusal(schedule, phases=[phase(first, start_date=START, end_date=FEBRUARY)]) == (
        "The phases must include the current phase."
    )


def test_a_current_phase_that_is_ended_makes_room_for_the_next(acts: Acts) -> None:
    first, second = acts.price(3100), acts.price(6200)
    schedule = acts.schedule(acts.customer(), phase(first, 2), phase(second, 1))
    acts.until(START + 10 * DAY)

    changed = acts.change(
        schedule,
        phases=[phase(first, start_date=START, end_date="now"), phase(second, 1, proration_behavior="none")],
    )

    assert only(acts.api.types(), "customer.subscription", "subscription_schedule") == [
        "customer.subscription.updated",
        "subscription_schedule.updated",
    ]
    assert changed["current_phase"]["start_date"] == START + 10 * DAY
    assert acts.subscription(schedule)["items"]["data"][0]["price"]["id"] == second


def test_a_schedule_that_has_not_started_may_become_another(acts: Acts) -> None:
    first, second = acts.price(1000), acts.price(2000)
    schedule = acts.schedule(acts.customer(), phase(first, 1), start_date=START + 5 * DAY)
    acts.api.events()

    moved = acts.change(schedule, phases=[phase(second, 2, start_date=START + 9 * DAY)], metadata={"moved": "yes"})

    assert (moved["status"], moved["phases"][0]["start_date"], moved["metadata"]) == (
        "not_started",
        START + 9 * DAY,
        {"moved": "yes"},
    )
    assert acts.until(START + 8 * DAY) == []
    started = acts.change(schedule, phases=[phase(second, 2, start_date="now")])
    assert (started["status"], started["current_phase"]["start_date"]) == ("active", START + 8 * DAY)
    assert acts.api.types()[0] == "customer.subscription.created"


def test_the_end_may_be_chosen_anew(acts: Acts) -> None:
    schedule = acts.schedule(acts.customer(), phase(acts.price(), 2))
    acts.api.events()

    acts.change(schedule, end_behavior="cancel")

    assert acts.api.types() == ["customer.subscription.updated", "subscription_schedule.updated"]
    assert acts.subscription(schedule)["cancel_at"] == MARCH
    acts.change(schedule, end_behavior="release")
    subscription = acts.subscription(schedule)
    assert (subscription["cancel_at"], subscription["canceled_at"]) == (None, None)


def test_an_update_that_changes_nothing_tells_nothing(own: Acts) -> None:
    price = own.price()
    schedule = own.schedule(own.customer(), phase(price, 2, 3))
    own.api.events()

    same = own.change(schedule, phases=[phase(price, 2, 3, start_date=START)], end_behavior="release", metadata="")

    assert own.api.types() == []
    assert same == schedule


# --- what is refused --------------------------------------------------------------------------------------------------


def test_a_subscription_is_not_changed_behind_its_schedules_back(own: Acts) -> None:
    schedule = own.schedule(own.customer(), phase(own.price(), 1))
    path = f"/v1/subscriptions/{schedule['subscription']}"

    canceling = own.api.post(path, cancel_at_period_end=True, error=True)
    changing = own.api.post(path, items=[{"price": own.price(5)}], error=True)
    own.api.post(path, metadata={"free": "yes"})

    managed = f"The subscription is managed by the subscription schedule `{schedule['id']}`, and updating any "
    assert canceling["message"] == (
        managed + "cancelation behavior directly is not allowed. Please update the schedule instead."
    )
    assert changing["message"] == (
        managed + "scheduled fields directly is not allowed. Please update the schedule instead."
    )


def test_the_current_phase_is_always_told_as_it_began(own: Acts) -> None:
    price = own.price()
    schedule = own.schedule(own.customer(), phase(price, 2))
    own.until(START + DAY)

    assert own.refusal(schedule, phases=[phase(price, 1)]) == (
        "The subscription schedule update is missing at least one phase with a `start_date` to anchor end dates to."
    )
    assert own.refusal(schedule, phases=[phase(price, 1), phase(price, 1, start_date=FEBRUARY)]) == (
        "Missing required param: phases[0][start_date]."
    )
    for start in ("now", START - DAY, START + 2 * DAY):
        assert own.refusal(schedule, phases=[phase(price, 1, start_date=start)]) == (
            "You can not modify the start date of the current phase."
        )
    assert own.refusal(schedule, phases=[phase(price, start_date=START, end_date=START + 60)]) == (
        "The end date of the current phase cannot be in the past."
    )
    assert own.refusal(schedule, phases=[phase(price, 1, start_date=START), phase(price, 1, start_date=MARCH)]) == (
        f"The start date of a phase must be the end date of the phase before it: `phases[1][start_date]` is {MARCH}, "
        f"not {FEBRUARY}."
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"end_date": FEBRUARY, "duration": {"interval": "month"}}, "one of these parameters: end_date, duration"),
        ({"end_date": START}, "must be after its start date"),
        ({"end_date": 99_999_999_999}, "within 10 years of now"),
        ({"duration": {"interval": "year", "interval_count": 6}}, "it must be from 1 to 5 for `year`"),
        ({"trial_end": MARCH}, "must end within the phase"),
        ({"trial": True, "trial_end": START + DAY}, "must be the end of the phase"),
        ({"trial": True, "billing_cycle_anchor": "phase_start"}, "cannot be `phase_start`"),
        ({"collection_method": "send_invoice"}, "You must set `days_until_due`"),
        ({"invoice_settings": {"days_until_due": 5}}, "You cannot set `days_until_due`"),
        ({"default_payment_method": "pm_card_visa"}, "does not have a payment method"),
        ({"discounts": [{"coupon": "nothing"}]}, "No such coupon: 'nothing'"),
        ({"add_invoice_items": [{"price": "price_none"}]}, "No such price"),
        ({"items": [{"quantity": 1}]}, "Missing required param: phases[0][items][0][price]"),
        ({"currency": "eur"}, "doesn't match the expected currency: `eur`"),
    ],
)
def test_a_phase_that_cannot_be_is_refused(own: Acts, wrong: Json, said: str) -> None:
    customer, price = own.customer(), own.price()

    answer = own.api.post(
        "/v1/subscription_schedules",
        customer=customer,
        start_date="now",
        phases=[{**phase(price), **wrong}],
        error=True,
    )

    assert answer["status"] == 400
    assert said in answer["message"]
    assert own.api.types() == []


def test_a_schedule_is_refused_that_has_no_customer_no_phase_too_many_or_a_pause(own: Acts) -> None:
    customer, price = own.customer(), own.price()

    def said(**params: Any) -> str:
        return str(own.api.post("/v1/subscription_schedules", error=True, **params)["message"])

    assert said(phases=[phase(price)]) == "You must provide one of `customer` or `from_subscription`."
    assert said(customer=customer) == "Missing required param: phases."
    assert "at most 10 current and future phases" in said(customer=customer, phases=[phase(price)] * 11)
    assert "in the future" in said(customer=customer, phases=[phase(price, 1)], start_date=START - 62 * DAY)
    pause = {"pause": {"pause_at": {"type": "now"}}}
    assert said(customer=customer, phases=[phase(price)], pause_schedules=[pause]) == (
        "This sandbox does not know `pause_schedules`. Pause the subscription when it is time."
    )
    assert said(customer=customer, phases=[phase(own.price(1, currency="eur")), phase(price)]).startswith(
        "The price specified supports currencies of `usd`."
    )


def test_schedules_are_found_by_customer_and_by_what_became_of_them(own: Acts) -> None:
    price, one, other = own.price(), own.customer(), own.customer()
    released = own.schedule(one, phase(price))
    active = own.schedule(one, phase(price))
    canceled = own.schedule(other, phase(price))
    own.api.post(f"/v1/subscription_schedules/{released['id']}/release")
    own.api.post(f"/v1/subscription_schedules/{canceled['id']}/cancel")

    def found(**params: Any) -> list[str]:
        return [schedule["id"] for schedule in own.api.get("/v1/subscription_schedules", **params)["data"]]

    assert found() == [canceled["id"], active["id"], released["id"]]
    assert found(customer=one) == [active["id"], released["id"]]
    assert found(canceled_at={"gte": START}) == [canceled["id"]]
    assert found(released_at=START) == [released["id"]]
    assert found(completed_at={"gte": 0}) == []
    assert own.api.get("/v1/subscription_schedules/none", error=True)["status"] == 404
