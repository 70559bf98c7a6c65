"""Previews of schedules agree with what happens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.schedules.conftest import DAY, FEBRUARY, MARCH, START, Acts, Json, phase


def preview(acts: Acts, **params: Any) -> tuple[int, list[tuple[int, str]]]:
    """The total and lines of a preview, of which nothing stays."""
    now, told = acts.now, len(acts.api.told)
    found: Json = acts.api.post("/v1/invoices/create_preview", **params)
    assert (acts.now, len(acts.api.told)) == (now, told)
    assert found["id"].startswith("upcoming_in_")
    return found["total"], acts.lines(found)


@pytest.mark.parametrize("days", [0, 5, 20])
def test_the_next_invoice_is_that_of_the_next_phase(acts: Acts, days: int) -> None:
    customer = acts.customer()
    schedule = acts.schedule(
        customer,
        phase(acts.price(1000), end_date=START + 20 * DAY),
        phase(acts.price(3100), end_date=FEBRUARY, proration_behavior="create_prorations"),
        phase(acts.price(5000), 1, 2),
    )
    acts.until(START + days * DAY + 7200)

    found = preview(acts, schedule=schedule["id"])

    acts.until(FEBRUARY)
    made = acts.invoices(customer)[-1]
    assert found == (made["total"], acts.lines(made))


def test_a_schedule_that_has_not_started_is_seen_starting(acts: Acts) -> None:
    customer = acts.customer()
    schedule = acts.schedule(customer, phase(acts.price(1000), 1, 3), start_date=START + 20 * DAY)

    found = preview(acts, customer=customer, schedule=schedule["id"])

    acts.until(START + 20 * DAY)
    made = acts.invoices(customer)[-1]
    assert found == (made["total"], acts.lines(made))
    assert made["total"] == 3000


def test_a_change_is_seen_before_it_is_made(acts: Acts) -> None:
    customer, price, dear = acts.customer(), acts.price(1000), acts.price(3100)
    schedule = acts.schedule(customer, phase(price, 2))
    details = {"phases": [phase(price, 1, start_date=START), phase(dear, 1)]}
    upgrade = {"phases": [phase(dear, 2, start_date=START)], "proration_behavior": "always_invoice"}
    acts.until(START + 10 * DAY)

    later = preview(acts, schedule=schedule["id"], schedule_details=details)
    at_once = preview(acts, schedule=schedule["id"], schedule_details=upgrade)

    assert later[0] == 3100
    acts.change(schedule, **upgrade)
    made = acts.invoices(customer)[-1]
    assert at_once == (made["total"], acts.lines(made))


def test_phases_are_seen_for_a_subscription_or_a_customer_without_a_schedule(acts: Acts) -> None:
    customer, price, dear = acts.customer(), acts.price(1000), acts.price(3100)
    subscription = acts.api.post("/v1/subscriptions", customer=customer, items=[{"price": price}])
    phases = [phase(price, start_date=START, end_date=FEBRUARY), phase(dear, 1)]

    assert preview(acts, subscription=subscription["id"], schedule_details={"phases": phases})[0] == 3100
    assert preview(acts, customer=customer, schedule_details={"phases": [phase(dear, 1)]})[0] == 3100
    assert acts.api.get("/v1/subscription_schedules")["data"] == []


def test_nothing_comes_after_the_end(acts: Acts) -> None:
    schedule = acts.schedule(acts.customer(), phase(acts.price(1000), 1), end_behavior="cancel")
    acts.until(START + 7200)

    refused = acts.api.post("/v1/invoices/create_preview", schedule=schedule["id"], error=True)

    assert (refused["status"], refused["code"]) == (404, "invoice_upcoming_none")


def test_previews_of_nothing_are_refused(own: Acts) -> None:
    customer, other = own.customer(), own.customer()
    schedule = own.schedule(customer, phase(own.price(1000), 1))

    def said(**params: Any) -> str:
        return str(own.api.post("/v1/invoices/create_preview", error=True, **params)["message"])

    assert said(schedule="sub_sched_none") == "No such subscription_schedule: 'sub_sched_none'"
    assert "does not belong" in said(schedule=schedule["id"], customer=other)
    assert "one of these" in said(
        schedule=schedule["id"], schedule_details={"end_behavior": "cancel"}, subscription_details={"cancel_now": True}
    )
    own.until(MARCH)
    assert "currently in the `released` status" in said(schedule=schedule["id"])
