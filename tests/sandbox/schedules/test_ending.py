"""How schedules end: canceled or released, before and after they began."""

from __future__ import annotations

import pytest

from tests.sandbox.schedules.conftest import DAY, MARCH, START, Acts, only, phase


def test_a_canceled_schedule_cancels_its_subscription_and_settles(acts: Acts) -> None:
    customer = acts.customer()
    schedule = acts.schedule(customer, phase(acts.price(3100), 2))
    acts.until(START + 10 * DAY)

    canceled = acts.api.post(f"/v1/subscription_schedules/{schedule['id']}/cancel")

    told = acts.api.events()
    assert only([event["type"] for event in told], "subscription_schedule", "customer.subscription", "invoice.m") == [
        "subscription_schedule.canceled",
        "customer.subscription.deleted",
    ]
    assert told[0]["data"]["previous_attributes"] == {
        "canceled_at": None,
        "current_phase": {"start_date": START, "end_date": MARCH},
        "status": "active",
    }
    assert (canceled["status"], canceled["canceled_at"]) == ("canceled", START + 10 * DAY)
    assert acts.subscription(schedule)["status"] == "canceled"
    assert [invoice["total"] for invoice in acts.invoices(customer)] == [3100, -2100]


def test_a_schedule_may_be_canceled_without_settling(acts: Acts) -> None:
    customer = acts.customer()
    schedule = acts.schedule(customer, phase(acts.price(3100), 2))
    acts.until(START + 10 * DAY)

    acts.api.post(f"/v1/subscription_schedules/{schedule['id']}/cancel", invoice_now=False, prorate=False)

    assert acts.api.types() == ["subscription_schedule.canceled", "customer.subscription.deleted"]
    assert len(acts.invoices(customer)) == 1


def test_a_schedule_that_has_not_started_is_canceled_alone(acts: Acts) -> None:
    schedule = acts.schedule(acts.customer(), phase(acts.price(), 1), start_date=START + DAY)
    acts.api.events()

    acts.api.post(f"/v1/subscription_schedules/{schedule['id']}/cancel")

    told = acts.api.events()
    assert [event["type"] for event in told] == ["subscription_schedule.canceled"]
    assert told[0]["data"]["previous_attributes"] == {"canceled_at": None, "status": "not_started"}
    assert only(acts.until(START + 2 * DAY), "customer.subscription") == []


@pytest.mark.parametrize(("preserve", "at"), [(False, None), (True, MARCH)])
def test_a_released_subscription_goes_on_with_or_without_its_end(acts: Acts, *, preserve: bool, at: int | None) -> None:
    schedule = acts.schedule(acts.customer(), phase(acts.price(), 2), end_behavior="cancel")
    acts.until(START + DAY)

    released = acts.api.post(f"/v1/subscription_schedules/{schedule['id']}/release", preserve_cancel_date=preserve)

    assert acts.api.types() == ["customer.subscription.updated", "subscription_schedule.released"]
    assert (released["status"], released["released_subscription"]) == ("released", schedule["subscription"])
    assert (released["released_at"], released["subscription"]) == (START + DAY, None)
    subscription = acts.subscription(schedule)
    assert (subscription["schedule"], subscription["cancel_at"]) == (None, at)
    acts.until(MARCH)
    assert acts.subscription(schedule)["status"] == ("canceled" if preserve else "active")


def test_a_schedule_that_has_not_started_can_be_released(own: Acts) -> None:
    schedule = own.schedule(own.customer(), phase(own.price(), 1), start_date=START + DAY)

    released = own.api.post(f"/v1/subscription_schedules/{schedule['id']}/release")

    assert (released["status"], released["released_subscription"]) == ("released", None)


@pytest.mark.parametrize("verb", ["cancel", "release", "update"])
def test_a_schedule_that_is_over_stays_so(own: Acts, verb: str) -> None:
    schedule = own.schedule(own.customer(), phase(own.price(), 1))
    own.api.post(f"/v1/subscription_schedules/{schedule['id']}/release")
    path = f"/v1/subscription_schedules/{schedule['id']}" + (f"/{verb}" if verb != "update" else "")

    refused = own.api.post(path, error=True)

    assert refused["message"] == (
        f"You cannot {verb} a subscription schedule that is currently in the `released` status. It has to be in "
        "`not_started` or `active` status."
    )
