"""How schedules begin, go from phase to phase, and end: with exactly these events."""

from __future__ import annotations

import pytest

from tests.sandbox.schedules.conftest import APRIL, DAY, FEBRUARY, MARCH, START, Acts, only, phase

PAID = [
    "payment_intent.created",
    "invoice.finalized",
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice_payment.paid",
    "invoice.updated",
    "invoice.paid",
    "invoice.payment_succeeded",
    "customer.updated",
]


def test_a_schedule_that_starts_now_makes_its_subscription_and_bills_it_an_hour_later(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price()

    schedule = acts.schedule(customer, phase(price, 2, 3))

    told = acts.api.events()
    assert [event["type"] for event in told] == [
        "subscription_schedule.created",
        "customer.subscription.created",
        "invoice.created",
        "customer.updated",
    ]
    subscription = acts.subscription(schedule)
    assert told[0]["data"]["object"] == schedule
    assert told[1]["data"]["object"]["schedule"] == schedule["id"]
    assert (schedule["status"], schedule["end_behavior"]) == ("active", "release")
    assert schedule["current_phase"] == {"start_date": START, "end_date": MARCH}
    assert schedule["test_clock"] == (acts.clock or None)
    assert (subscription["status"], subscription["cancel_at"]) == ("active", None)
    assert subscription["items"]["data"][0]["quantity"] == 3
    invoice = acts.invoices(customer)[0]
    assert (invoice["status"], invoice["billing_reason"], invoice["total"]) == ("draft", "subscription_create", 6000)
    assert acts.until(START + 3600) == PAID


def test_a_schedule_that_starts_later_waits(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price()

    schedule = acts.schedule(customer, phase(price, 1), start_date=START + 10 * DAY)

    assert acts.api.types() == ["subscription_schedule.created", "customer.updated"]
    assert (schedule["status"], schedule["subscription"], schedule["current_phase"]) == ("not_started", None, None)
    assert [one["id"] for one in acts.api.get("/v1/subscription_schedules", scheduled=True)["data"]] == [schedule["id"]]
    assert acts.until(START + 10 * DAY) == [
        "customer.subscription.created",
        "invoice.created",
        "subscription_schedule.updated",
    ]
    assert acts.api.told[-1]["data"]["previous_attributes"] == {
        "current_phase": None,
        "status": "not_started",
        "subscription": None,
    }
    assert acts.api.told[-1]["request"] == {"id": None, "idempotency_key": None}
    assert acts.api.get("/v1/subscription_schedules", scheduled=True)["data"] == []
    assert acts.subscription(schedule)["start_date"] == START + 10 * DAY


def test_a_schedule_that_starts_later_never_fails_for_want_of_a_card(acts: Acts) -> None:
    customer = acts.customer(card=None)
    schedule = acts.schedule(customer, phase(acts.price(), 3), start_date=START + DAY)

    acts.until(START + 2 * DAY)

    assert acts.subscription(schedule)["status"] == "past_due"


def test_a_schedule_that_started_in_the_past_bills_what_lies_back(acts: Acts) -> None:
    customer = acts.customer()

    schedule = acts.schedule(customer, phase(acts.price(3100), 2), start_date=START - 31 * DAY)

    subscription = acts.subscription(schedule)
    assert (subscription["start_date"], subscription["billing_cycle_anchor"]) == (START - 31 * DAY, START - 31 * DAY)
    assert schedule["current_phase"] == {"start_date": START - 31 * DAY, "end_date": FEBRUARY}
    assert acts.invoices(customer)[0]["total"] == 6200


def test_a_phase_that_begins_with_a_renewal_is_billed_by_it(acts: Acts) -> None:
    customer, cheap, dear = acts.customer(), acts.price(1000), acts.price(5000)
    schedule = acts.schedule(customer, phase(cheap, 1), phase(dear, 1, 2, metadata={"plan": "dear"}))
    former = acts.subscription(schedule)

    types = acts.until(FEBRUARY)

    assert types[-4:] == [
        "customer.subscription.updated",
        "subscription_schedule.updated",
        "customer.subscription.updated",
        "invoice.created",
    ]
    phased, moved = acts.api.told[-4]["data"], acts.api.told[-3]["data"]
    assert phased["previous_attributes"]["items"]["data"][0]["price"]["id"] == cheap
    assert phased["previous_attributes"]["metadata"] == {"plan": None}
    assert moved["previous_attributes"] == {"current_phase": {"start_date": START, "end_date": FEBRUARY}}
    assert moved["object"]["current_phase"] == {"start_date": FEBRUARY, "end_date": MARCH}
    subscription = acts.subscription(schedule)
    assert subscription["items"]["data"][0]["price"]["id"] == dear
    assert subscription["items"]["data"][0]["id"] == former["items"]["data"][0]["id"]
    invoice = acts.invoices(customer)[-1]
    assert invoice["billing_reason"] == "subscription_cycle"
    assert acts.lines(invoice) == [(10000, "2 × P5000 (at $50.00 / month)")]  # noqa: RUF001 - Stripe's text


@pytest.mark.parametrize(
    ("behavior", "types", "waits", "billed"),
    [
        ("none", [], [], None),
        ("create_prorations", ["invoiceitem.created"] * 2, [-1400, 2800], None),
        ("always_invoice", ["invoiceitem.created"] * 2 + ["invoice.created"], [], 1400),
    ],
)
def test_a_phase_in_mid_period_is_prorated_as_it_says(
    acts: Acts, behavior: str, types: list[str], waits: list[int], billed: int | None
) -> None:
    customer, price = acts.customer(), acts.price(3100)
    schedule = acts.schedule(
        customer, phase(price, end_date=START + 17 * DAY), phase(price, 1, 2, proration_behavior=behavior)
    )
    acts.until(START + 16 * DAY)

    told = acts.until(START + 17 * DAY)

    assert told == [*types, "customer.subscription.updated", "subscription_schedule.updated"]
    assert acts.subscription(schedule)["items"]["data"][0]["quantity"] == 2
    items = acts.api.get("/v1/invoiceitems", customer=customer, pending=True)["data"]
    assert sorted(item["amount"] for item in items) == waits
    latest = acts.invoices(customer)[-1]
    assert (latest["total"] if latest["billing_reason"] == "subscription_update" else None) == billed
    assert latest["status"] == ("draft" if billed else "paid")


def test_months_are_counted_from_the_anchor(own: Acts) -> None:
    customer, price = own.customer(), own.price()
    own.until(START + 30 * DAY)

    schedule = own.schedule(customer, phase(price, 1), phase(price, 1), phase(price, 2))

    assert [one["end_date"] for one in schedule["phases"]] == [MARCH - DAY, APRIL - DAY, APRIL + 60 * DAY]
    own.until(APRIL)
    assert only([one["type"] for one in own.api.told], "invoiceitem") == []


def test_the_end_is_announced_seven_days_before(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price(100, "year")
    schedule = acts.schedule(customer, phase(price, 1), phase(price, 1))

    assert only(acts.until(MARCH - 7 * DAY - 1), "subscription_schedule") == ["subscription_schedule.updated"]
    assert acts.until(MARCH - 7 * DAY) == ["subscription_schedule.expiring"]
    assert acts.api.told[-1]["data"] == {"object": acts.read(schedule)}


def test_the_end_of_a_short_schedule_is_not_announced(own: Acts) -> None:
    customer, price = own.customer(), own.price()
    own.schedule(customer, phase(price, end_date=START + 5 * DAY))

    assert only(own.until(START + 5 * DAY), "subscription_schedule") == ["subscription_schedule.released"]


def test_the_last_phase_releases_the_subscription(acts: Acts) -> None:
    schedule = acts.schedule(acts.customer(), phase(acts.price(), 1))

    types = acts.until(FEBRUARY)

    assert types[-4:] == [
        "customer.subscription.updated",
        "subscription_schedule.released",
        "customer.subscription.updated",
        "invoice.created",
    ]
    assert acts.api.told[-4]["data"]["previous_attributes"] == {"schedule": schedule["id"]}
    ended = acts.read(schedule)
    assert (ended["status"], ended["released_at"], ended["released_subscription"], ended["subscription"]) == (
        "released",
        FEBRUARY,
        schedule["subscription"],
        None,
    )
    assert (ended["current_phase"], ended["completed_at"]) == (None, None)
    assert acts.subscription(schedule)["status"] == "active"


def test_the_last_phase_cancels_the_subscription(acts: Acts) -> None:
    customer = acts.customer()
    schedule = acts.schedule(customer, phase(acts.price(), 1), phase(acts.price(900), 1), end_behavior="cancel")
    assert acts.subscription(schedule)["cancel_at"] == MARCH

    types = acts.until(MARCH)

    assert types[-2:] == ["customer.subscription.deleted", "subscription_schedule.completed"]
    ended = acts.read(schedule)
    assert (ended["status"], ended["completed_at"], ended["current_phase"]) == ("completed", MARCH, None)
    subscription = acts.subscription(schedule)
    assert (subscription["status"], subscription["ended_at"]) == ("canceled", MARCH)
    assert len(acts.invoices(customer)) == 2


def test_a_schedule_without_end_behavior_completes_and_lets_go(acts: Acts) -> None:
    schedule = acts.schedule(acts.customer(), phase(acts.price(), 1), end_behavior="none")

    types = acts.until(FEBRUARY)

    assert only(types, "subscription_schedule")[1:] == ["subscription_schedule.completed"]
    assert acts.read(schedule)["status"] == "completed"
    subscription = acts.subscription(schedule)
    assert (subscription["status"], subscription["schedule"]) == ("active", None)


def test_a_schedule_may_renew_its_last_phase(acts: Acts) -> None:
    schedule = acts.schedule(acts.customer(), phase(acts.price(), 2), end_behavior="renew")

    types = acts.until(MARCH)

    assert only(types, "subscription_schedule") == ["subscription_schedule.expiring", "subscription_schedule.updated"]
    renewed = acts.read(schedule)
    assert renewed["current_phase"] == {"start_date": MARCH, "end_date": START + 120 * DAY}
    assert len(renewed["phases"]) == 2


def test_a_last_phase_in_mid_period_cuts_the_period_that_it_cancels(own: Acts) -> None:
    customer = own.customer()
    schedule = own.schedule(
        customer, phase(own.price(2800), 1), phase(own.price(5600), end_date=FEBRUARY + 14 * DAY), end_behavior="cancel"
    )

    own.until(FEBRUARY + 14 * DAY)

    assert own.read(schedule)["status"] == "completed"
    assert [invoice["total"] for invoice in own.invoices(customer)] == [2800, 2800]


def test_dunning_that_ends_the_subscription_aborts_the_schedule(acts: Acts) -> None:
    customer = acts.customer("pm_card_chargeCustomerFail")
    schedule = acts.schedule(customer, phase(acts.price(), 6))

    types = acts.until(START + 20 * DAY)

    ending = only(types, "customer.subscription.deleted", "subscription_schedule")
    assert ending == ["customer.subscription.deleted", "subscription_schedule.aborted"]
    ended = acts.read(schedule)
    assert (ended["status"], ended["subscription"]) == ("canceled", schedule["subscription"])
    assert ended["canceled_at"] == acts.subscription(schedule)["ended_at"]
    assert only(acts.until(START + 60 * DAY), "subscription_schedule") == []


def test_a_subscription_that_is_canceled_takes_its_schedule_with_it(acts: Acts) -> None:
    schedule = acts.schedule(acts.customer(), phase(acts.price(), 6))
    acts.api.events()

    acts.api.delete(f"/v1/subscriptions/{schedule['subscription']}")

    assert only(acts.api.types(), "customer.subscription", "subscription_schedule") == [
        "customer.subscription.deleted",
        "subscription_schedule.canceled",
    ]
    assert acts.read(schedule)["status"] == "canceled"


def test_a_customer_who_is_deleted_takes_all_schedules_along(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price()
    begun = acts.schedule(customer, phase(price, 6))
    waiting = acts.schedule(customer, phase(price, 6), start_date=START + DAY)
    acts.api.events()

    acts.api.delete(f"/v1/customers/{customer}")

    assert only(acts.api.types(), "subscription_schedule") == ["subscription_schedule.canceled"] * 2
    assert [acts.read(one)["status"] for one in (begun, waiting)] == ["canceled", "canceled"]
