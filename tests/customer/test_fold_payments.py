"""What was paid, what failed, and what is to come."""

from __future__ import annotations

from typing import Any

from tests.customer.builders import DAY, NOW, at, customer, item, told
from trueup.customer.fold import fold
from trueup.customer.rules.reasons import RULES, sentence
from trueup.customer.types import ChangeKind, CustomerState, Failure, Payment, ScheduledItem, Stage
from trueup.kernel.money import Money
from trueup.mirror.types import MirrorObject


def state_of(*objects: MirrorObject) -> CustomerState:
    return fold("cus_1", objects)


def charge(name: str, amount: int = 4900, *, when: int = NOW, **more: Any) -> MirrorObject:
    fields: dict[str, Any] = {
        "customer": "cus_1",
        "amount": amount,
        "currency": "usd",
        "created": when,
        "status": "succeeded",
    }
    return told("charge", name, when=when, **(fields | more))


def test_charges_tell_what_was_paid_less_what_was_refunded_per_currency() -> None:
    state = state_of(
        customer(),
        charge("ch_1"),
        charge("ch_2", 2000, when=NOW + DAY, amount_captured=1500, amount_refunded=500),
        charge("ch_3", 1000, currency="eur"),
        charge("ch_4", 700, currency="eur", amount_refunded=700),
        charge("ch_5", 900, captured=False),
        charge("ch_6", 900, status="failed", failure_code="card_declined"),
        charge("ch_7", 900, customer="cus_2"),
    )

    assert state.lifetime_paid == (Money(minor=1000, currency="eur"), Money(minor=5900, currency="usd"))
    assert state.last_payment == Payment(
        amount=Money(minor=1500, currency="usd"), at=at(NOW + DAY), object_type="charge", object_id="ch_2"
    )
    assert state.why["lifetime_paid"].rule == "paid.charges"
    assert [ref.object_id for ref in state.why["last_payment"].facts] == ["ch_2"]


def test_without_charges_payments_tell_it_and_without_those_invoices() -> None:
    intent = told(
        "payment_intent", "pi_1", customer="cus_1", status="succeeded", amount_received=300, currency="usd", created=NOW
    )
    paid: dict[str, Any] = {"customer": "cus_1", "status": "paid", "currency": "usd", "created": NOW - DAY}
    invoice = told("invoice", "in_1", amount_paid=300, status_transitions={"paid_at": NOW}, **paid)
    free = told("invoice", "in_2", amount_paid=0, **paid)

    both, invoices = state_of(intent, invoice, free), state_of(invoice, free)

    assert both.lifetime_paid == invoices.lifetime_paid == (Money(minor=300, currency="usd"),)
    assert both.last_payment is not None
    assert both.last_payment.object_id == "pi_1"
    assert (both.why["last_payment"].rule, both.why["lifetime_paid"].rule) == ("payment.intent", "paid.intents")
    assert invoices.last_payment is not None
    assert (invoices.last_payment.object_id, invoices.last_payment.at) == ("in_1", at(NOW))
    assert state_of(free).last_payment is None


def test_charges_of_old_without_a_status_count_when_they_were_paid() -> None:
    state = state_of(charge("ch_1", status=None, paid=True), charge("ch_2", status=None, paid=False, created=None))

    assert state.lifetime_paid == (Money(minor=4900, currency="usd"),)


def test_the_last_failure_says_why_in_plain_words() -> None:
    failed = charge("ch_1", status="failed", failure_code="card_declined", outcome={"reason": "insufficient_funds"})
    error = {"code": "card_declined", "decline_code": "expired_card"}
    intent = told(
        "payment_intent",
        "pi_1",
        when=NOW + DAY,
        customer="cus_1",
        status="requires_payment_method",
        amount=900,
        currency="usd",
        last_payment_error=error,
    )
    succeeded = told(
        "payment_intent", "pi_2", when=NOW + 9, customer="cus_1", status="succeeded", last_payment_error=error
    )

    state, earlier = state_of(failed, intent, succeeded), state_of(failed, succeeded)

    assert state.last_failure == Failure(
        amount=Money(minor=900, currency="usd"),
        at=at(NOW + DAY),
        object_type="payment_intent",
        object_id="pi_1",
        code="expired_card",
        reason="card expired",
    )
    assert state.why["last_failure"].rule == "failure.intent"
    assert earlier.last_failure is not None
    assert (earlier.last_failure.object_id, earlier.last_failure.reason) == ("ch_1", "insufficient funds")
    assert earlier.why["last_failure"].rule == "failure.charge"


def test_the_last_failure_keeps_the_banks_advice_and_whether_it_is_hard() -> None:
    advice = {"advice_code": "do_not_try_again", "network_advice_code": "03"}
    lost = charge("ch_1", status="failed", failure_code="card_declined", outcome={"reason": "lost_card"} | advice)
    error = {"code": "card_declined", "decline_code": "do_not_honor", "advice_code": "try_again_later"}
    intent = told("payment_intent", "pi_1", when=NOW + DAY, customer="cus_1", status="x", last_payment_error=error)

    older = charge("ch_2", status="failed", failure_code="expired_card", created=NOW - DAY)

    hard, soft = state_of(lost, older).last_failure, state_of(lost, intent).last_failure

    assert hard is not None
    assert (hard.code, hard.hard, hard.advice_code, hard.network_advice_code) == (
        "lost_card",
        True,
        "do_not_try_again",
        "03",
    )
    assert soft is not None
    assert (soft.code, soft.hard, soft.advice_code, soft.network_advice_code) == (
        "do_not_honor",
        False,
        "try_again_later",
        None,
    )


def test_a_payment_that_failed_and_was_read_later_failed_when_it_was_tried() -> None:
    failed = charge("ch_1", status="failed", when=NOW, created=NOW, failure_code="card_declined")
    intent = told(
        "payment_intent",
        "pi_1",
        when=NOW + DAY,
        customer="cus_1",
        amount=4900,
        currency="usd",
        latest_charge="ch_1",
        last_payment_error={"code": "card_declined", "decline_code": "expired_card"},
    )
    newer = charge("ch_2", status="failed", when=NOW + 60, created=NOW + 60, failure_code="card_declined")

    read, alone, later = (
        state_of(*given).last_failure for given in ((failed, intent), (intent,), (intent, newer, failed))
    )

    assert read is not None
    assert alone is not None
    assert later is not None
    assert (read.object_id, read.reason, read.at) == ("pi_1", "card expired", at(NOW))
    assert alone.at == at(NOW + DAY)
    assert later.object_id == "ch_2"


def test_a_failure_at_no_time_that_can_be_told_is_left_out() -> None:
    assert state_of(charge("ch_1", status="failed", when=NOW, created=10**12)).last_failure is None


def subscription(name: str = "sub_1", **more: Any) -> MirrorObject:
    fields: dict[str, Any] = {"customer": "cus_1", "status": "active", "created": NOW, "items": {"data": [item()]}}
    return told("subscription", name, **(fields | more))


def test_what_is_to_come_is_told_by_time_and_once() -> None:
    ends = item(current_period_end=NOW + 30 * DAY)
    pro = {"price": "price_pro", "quantity": 2}
    schedule = told(
        "subscription_schedule",
        "sub_sched_1",
        customer="cus_1",
        status="active",
        subscription="sub_2",
        current_phase={"start_date": NOW},
        end_behavior="cancel",
        phases=[
            {"start_date": NOW, "end_date": NOW + 10 * DAY, "items": []},
            {"start_date": NOW + 10 * DAY, "end_date": NOW + 40 * DAY, "items": [pro, "odd"]},
            "odd",
            {"start_date": "odd"},
        ],
    )
    state = state_of(
        subscription(cancel_at_period_end=True, items={"data": [ends, item()]}),
        subscription("sub_2", cancel_at=NOW + 40 * DAY, pause_collection={"resumes_at": NOW + 5 * DAY}),
        subscription("sub_3", cancel_at_period_end=True, items={"data": []}),
        schedule,
        told("subscription_schedule", "sub_sched_2", customer="cus_1", status="released", phases=[]),
    )

    assert [(change.at, change.kind, change.subscription_id) for change in state.scheduled_changes] == [
        (at(NOW + 5 * DAY), ChangeKind.RESUME, "sub_2"),
        (at(NOW + 10 * DAY), ChangeKind.PLANS, "sub_2"),
        (at(NOW + 30 * DAY), ChangeKind.CANCEL, "sub_1"),
        (at(NOW + 40 * DAY), ChangeKind.CANCEL, "sub_2"),
    ]
    assert state.scheduled_changes[1].items == (ScheduledItem(price_id="price_pro", quantity=2),)
    assert {ref.object_id for ref in state.why["scheduled_changes"].facts} == {"sub_1", "sub_2", "sub_sched_1"}


def test_nothing_is_to_come_for_a_customer_that_was_deleted() -> None:
    schedule = told("subscription_schedule", "s", customer="cus_1", status="active", phases=[{"start_date": NOW}])

    assert state_of(customer(), schedule).scheduled_changes
    assert not state_of(told("customer", "cus_1", deleted=True), schedule).scheduled_changes


def test_language_and_tags_are_the_customers_own() -> None:
    state = state_of(customer(preferred_locales=["pt-BR", "en"], metadata={"tags": "vip, beta ,,vip"}))

    assert (state.locale, state.tags) == ("pt-BR", ("beta", "vip"))
    assert state.why["tags"].rule == "metadata.tags"


def test_a_customer_without_a_name_is_called_by_its_business_and_then_as_a_person() -> None:
    both = state_of(customer(business_name="Acme", individual_name="Jane"))
    person = state_of(customer(individual_name="Jane"))

    assert (both.name, both.why["name"].rule) == ("Acme", "customer.business_name")
    assert (person.name, person.why["name"].rule) == ("Jane", "customer.individual_name")


def test_several_stripe_customers_fold_into_one_with_the_first_leading() -> None:
    mine = told("customer", "cus_1", name="Acme", currency="usd", balance=-500, delinquent=False)
    other = told("customer", "cus_2", name="Acme Inc", currency="usd", balance=200, delinquent=True)
    objects = [
        mine,
        other,
        subscription(),
        subscription("sub_2", customer="cus_2", status="past_due"),
        charge("ch_1"),
        charge("ch_2", 100, customer="cus_2"),
    ]

    state = fold("cus_1", objects, also=["cus_2"])

    assert state.stripe_customer_ids == ("cus_1", "cus_2")
    assert (state.name, state.stage, len(state.plans)) == ("Acme", Stage.PAST_DUE, 2)
    assert (state.balance, state.why["balance"].rule, state.delinquent) == (-300, "customers.sum", True)
    assert state.lifetime_paid == (Money(minor=5000, currency="usd"),)
    assert fold("cus_1", [*reversed(objects)], also=["cus_2"]) == state


def test_a_deleted_stripe_customer_does_not_lead_the_others_and_all_deleted_are_deleted() -> None:
    gone, alive = told("customer", "cus_1", name="Old", deleted=True), told("customer", "cus_2", name="New")

    state = fold("cus_1", [gone, alive], also=["cus_2"])
    none = fold("cus_1", [gone, told("customer", "cus_2", deleted=True)], also=["cus_2"])

    assert (state.name, state.deleted, state.stage) == ("New", False, Stage.LEAD)
    assert (none.deleted, none.stage, none.why["deleted"].rule) == (True, Stage.DELETED, "customers.all_deleted")


def test_balances_in_several_currencies_are_not_added_up() -> None:
    one, other = (
        told("customer", "cus_1", currency="usd", balance=5),
        told("customer", "cus_2", currency="eur", balance=5),
    )

    assert fold("cus_1", [one, other], also=["cus_2"]).balance is None


def test_every_reason_is_a_sentence_and_an_old_one_is_told_by_its_name() -> None:
    assert all(text[0].isupper() and text.endswith(".") for text in RULES.values())
    assert sentence("of.another.version") == "of.another.version"
