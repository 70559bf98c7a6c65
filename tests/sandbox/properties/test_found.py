"""What chance found: each was a failure once."""

from __future__ import annotations

from typing import Final

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.properties.scene import Scene
from trueup.sandbox.payment_methods import setup_intents

DAY: Final = 86_400


@pytest.fixture
def scene(api: Api) -> Scene:
    return Scene(api)


def test_nothing_is_collected_from_a_customer_who_was_deleted(api: Api, scene: Scene) -> None:
    customer = scene.customer()
    draft = scene.draft(customer, auto_advance=True)

    api.delete(f"/v1/customers/{customer}")
    api.advance(3 * DAY)

    found = api.get(f"/v1/invoices/{draft}")
    assert (found["status"], found["auto_advance"], found["automatically_finalizes_at"]) == ("draft", False, None)


def test_a_debit_settles_though_its_customer_was_deleted_meanwhile(api: Api, scene: Scene) -> None:
    customer = scene.customer(None, test_clock=scene.clock())
    bank = scene.card(customer, "pm_usBankAccount_success")
    intent = scene.intent(customer=customer, payment_method=bank, confirm=True, setup_future_usage="off_session")
    clock = api.get(f"/v1/customers/{customer}")["test_clock"]

    api.delete(f"/v1/customers/{customer}")
    api.advance(DAY, clock)

    events = [event for event in api.told if event["data"]["object"].get("id") == intent]
    assert events[-1]["type"] == "payment_intent.succeeded"
    assert api.get(f"/v1/payment_intents/{intent}")["status"] == "succeeded"


def test_a_card_is_set_up_though_its_customer_was_deleted_meanwhile(api: Api, scene: Scene) -> None:
    customer = scene.customer(None)
    asked = scene.set_up(customer=customer, payment_method="pm_card_authenticationRequired", confirm=True)

    api.delete(f"/v1/customers/{customer}")
    with api.engine.change() as world:
        setup_intents.authenticate(world, world.get("setup_intent", asked), succeed=True)

    assert api.get(f"/v1/setup_intents/{asked}")["status"] == "succeeded"


def test_what_a_clock_does_to_the_catalogue_is_told_in_the_sandboxs_own_time(api: Api, scene: Scene) -> None:
    clock = scene.clock()
    customer, code = scene.customer(test_clock=clock), scene.promotion()
    api.advance(10 * DAY, clock)
    api.events()

    api.post(f"/v1/promotion_codes/{code}", metadata={"seen": "yes"})
    scene.subscribed(customer, discounts=[{"promotion_code": code}])

    told = {event["type"]: event["created"] for event in api.events()}
    assert told["coupon.updated"] == told["promotion_code.updated"] == api.engine.now()
    assert told["customer.subscription.created"] == api.engine.now(clock) == api.engine.now() + 10 * DAY


def test_a_dispute_goes_on_by_the_clock_of_a_customer_who_was_deleted(api: Api, scene: Scene) -> None:
    clock = scene.clock()
    customer = scene.customer("pm_card_createDispute", test_clock=clock)
    method = scene.first(f"/v1/customers/{customer}/payment_methods")
    api.advance(DAY, clock)
    charge = scene.first("/v1/charges", payment_intent=scene.paid(method, customer=customer))
    dispute = scene.first("/v1/disputes", charge=charge)
    api.delete(f"/v1/customers/{customer}")
    api.events()

    api.post(f"/v1/disputes/{dispute}", evidence={"uncategorized_text": "losing_evidence"}, submit=True)

    assert {event["created"] for event in api.events()} == {api.engine.now(clock)}


def test_a_paused_subscription_whose_period_is_over_ends_when_it_is_to_end_with_it(api: Api, scene: Scene) -> None:
    paused = scene.paused()
    api.advance(DAY)

    api.post(f"/v1/subscriptions/{paused}", cancel_at_period_end=True)
    api.advance(1)

    assert api.get(f"/v1/subscriptions/{paused}")["status"] == "canceled"


def test_a_pending_update_of_a_paused_subscription_has_its_time(api: Api, scene: Scene) -> None:
    made = scene.subscribed()
    api.post(f"/v1/subscriptions/{made['id']}/pause", type="subscription")
    api.advance(DAY)
    scene.card(made["customer"], "pm_card_chargeCustomerFail")

    changed = api.post(
        f"/v1/subscriptions/{made['id']}",
        items=[{"id": made["items"]["data"][0]["id"], "quantity": 3}],
        payment_behavior="pending_if_incomplete",
        billing_cycle_anchor={"type": "now"},
        trial_end="now",
    )

    assert changed["pending_update"]["expires_at"] == api.engine.now() + 23 * 3_600


def test_a_trial_stays_the_period_whatever_the_anchor(api: Api, scene: Scene) -> None:
    made = scene.subscribed(trial_period_days=14)

    changed = api.post(f"/v1/subscriptions/{made['id']}", billing_cycle_anchor={"type": "now"})

    assert (changed["status"], changed["billing_cycle_anchor"]) == ("trialing", made["trial_end"])
    assert changed["items"]["data"][0]["current_period_end"] == made["trial_end"]
