"""What time alone changes in a state: whether discounts count and pauses last, and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.customer.builders import DAY, NOW, at, customer, item, price, state_of, subscription, told
from trueup.customer.fold import fold
from trueup.customer.rules.clock import TEST_CLOCK, clock_time
from trueup.customer.rules.scheduled import next_turn
from trueup.customer.stored import decode, encode
from trueup.customer.types import CustomerState, Stage
from trueup.mirror.types import MirrorObject

COUPON = {"id": "co_1", "object": "coupon", "percent_off": 50, "duration": "repeating"}
PAUSE = {"behavior": "void", "resumes_at": NOW + 5 * DAY}


def discount(start: int = NOW, end: int | None = None, *, percent: int = 50, **more: Any) -> dict[str, Any]:
    source = {"type": "coupon", "coupon": COUPON | {"percent_off": percent}}
    return {"id": "di_1", "object": "discount", "source": source, "start": start, "end": end} | more


def amounts(state: CustomerState) -> list[int]:
    return [mrr.minor for mrr in state.mrr]


HALF_UNTIL_RENEWAL = subscription("active", discounts=[discount(end=NOW + 30 * DAY)])


def test_a_discount_that_ends_gives_another_state_at_its_end_without_a_fact() -> None:
    before = state_of(HALF_UNTIL_RENEWAL, when=NOW + 30 * DAY - 1)
    after = state_of(HALF_UNTIL_RENEWAL, when=NOW + 30 * DAY)

    assert (amounts(before), before.as_of, before.mrr_changes_at) == ([2450], at(NOW), at(NOW + 30 * DAY))
    assert (amounts(after), after.as_of, after.mrr_changes_at) == ([4900], at(NOW + 30 * DAY), None)
    assert after.last_event_at == at(NOW)


def test_the_end_of_the_discount_is_the_reason_that_is_given() -> None:
    before = state_of(HALF_UNTIL_RENEWAL, when=NOW + 29 * DAY).why["mrr"]
    after = state_of(HALF_UNTIL_RENEWAL, when=NOW + 31 * DAY).why["mrr"]
    # Another fact about the customer does not make it less so; the renewal of the subscription does.
    other = state_of(HALF_UNTIL_RENEWAL, customer(when=NOW + 40 * DAY)).why["mrr"]
    renewed = state_of(msgspec.structs.replace(HALF_UNTIL_RENEWAL, created=NOW + 31 * DAY)).why["mrr"]

    assert (before.rule, before.since) == ("subscriptions.mrr", None)
    assert (after.rule, after.since) == ("subscriptions.discount_ended", at(NOW + 30 * DAY))
    assert other == after
    assert (renewed.rule, renewed.since) == ("subscriptions.mrr", None)


def test_a_discount_that_begins_is_the_reason_too() -> None:
    why = state_of(subscription("active", discounts=[discount(NOW + DAY)]), when=NOW + DAY).why["mrr"]

    assert (why.rule, why.since) == ("subscriptions.discount_began", at(NOW + DAY))


def test_a_discount_that_changes_nothing_by_its_end_is_not_the_reason() -> None:
    on_customer = customer(discount=discount(end=NOW + 40 * DAY))
    own = subscription("active", item(current_period_end=NOW + 30 * DAY), discounts=[discount(end=NOW + 25 * DAY)])
    state = state_of(own, customer(discount=discount(NOW, NOW, percent=10)), when=NOW + 31 * DAY)
    hidden = state_of(subscription("active", discounts=[discount()]), on_customer, when=NOW + 300 * DAY)
    free = state_of(subscription("active", item(price(0)), discounts=[discount(end=NOW + DAY)]), when=NOW + 99 * DAY)

    assert state.why["mrr"].since == at(NOW + 30 * DAY)
    assert (amounts(hidden), hidden.why["mrr"].rule) == ([2450], "subscriptions.mrr")
    assert (amounts(free), free.why["mrr"].rule) == ([], "subscriptions.mrr")


def test_the_reason_is_looked_for_among_the_last_hundred_moments() -> None:
    def ending(number: int) -> MirrorObject:
        useless = [discount(end=NOW + day * DAY, percent=0) for day in range(2, number + 2)]
        one = item(current_period_end=None)
        return subscription("active", one, discounts=[discount(end=NOW + DAY), *useless])

    near, far = (state_of(ending(number), when=NOW + 400 * DAY) for number in (99, 100))

    assert amounts(near) == amounts(far) == [4900]
    assert (near.why["mrr"].rule, near.why["mrr"].since) == ("subscriptions.discount_ended", at(NOW + DAY))
    assert far.why["mrr"].rule == "subscriptions.mrr"


def test_a_pause_with_an_end_is_over_from_then_on() -> None:
    paused = subscription("active", pause_collection=PAUSE)
    before, after = state_of(paused, when=NOW + 5 * DAY - 1), state_of(paused, when=NOW + 5 * DAY)

    assert (before.stage, amounts(before), len(before.scheduled_changes)) == (Stage.PAUSED, [], 1)
    assert (after.stage, amounts(after), after.scheduled_changes) == (Stage.ACTIVE, [4900], ())
    assert (after.billing_status, after.as_of) == ("active", at(NOW + 5 * DAY))
    assert {field: (why.rule, why.since) for field, why in after.why.items() if why.since is not None} == {
        "stage": ("leading.resumed", at(NOW + 5 * DAY)),
        "mrr": ("subscriptions.collecting_resumed", at(NOW + 5 * DAY)),
        "as_of": ("time", at(NOW + 5 * DAY)),
    }


def test_a_pause_that_brings_nothing_by_its_end_is_awaited_all_the_same() -> None:
    trial = subscription("trialing", pause_collection=PAUSE)
    before, after = state_of(trial, when=NOW + DAY), state_of(trial, when=NOW + 5 * DAY)

    assert (before.mrr_changes_at, next_turn(before)) == (None, at(NOW + 5 * DAY))
    assert (after.stage, after.as_of, next_turn(after)) == (Stage.TRIALING, at(NOW + 5 * DAY), None)
    assert state_of(subscription("active", pause_collection={"resumes_at": 0})).scheduled_changes == ()


@pytest.mark.parametrize(
    "_case_object",
    [
        subscription("trialing", trial_end=NOW + DAY),
        subscription("active", cancel_at=NOW + DAY),
        subscription("active", cancel_at_period_end=True),
        subscription("past_due"),
        subscription("incomplete"),
        subscription("active", default_payment_method="pm_1", collection_method="charge_automatically"),
        told("payment_method", "pm_1", customer="cus_1", type="card", card={"exp_month": 1, "exp_year": 2024}),
        told(
            "subscription_schedule",
            "sub_sched_1",
            customer="cus_1",
            status="active",
            end_behavior="cancel",
            phases=[{"start_date": NOW + DAY, "end_date": NOW + 9 * DAY, "items": [{"price": "price_2"}]}],
        ),
    ],
)
def test_what_stripe_has_a_word_for_stays_until_stripe_says_it(_case_object: MirrorObject) -> None:
    objects = [customer(), _case_object, subscription("active", id="sub_2")]

    assert state_of(*objects, when=NOW + 3650 * DAY) == state_of(*objects)
    assert next_turn(state_of(*objects)) is None


def test_a_moment_before_the_newest_fact_is_that_facts() -> None:
    assert state_of(HALF_UNTIL_RENEWAL, when=5) == state_of(HALF_UNTIL_RENEWAL)
    assert state_of(when=NOW).as_of is None
    assert state_of(HALF_UNTIL_RENEWAL, when=10**30) == state_of(HALF_UNTIL_RENEWAL, when=NOW + 30 * DAY)


def test_what_time_did_is_read_as_it_was_written_and_a_state_of_before_is_still_read() -> None:
    state = state_of(HALF_UNTIL_RENEWAL, when=NOW + 31 * DAY)
    old: dict[str, Any] = msgspec.json.decode(encode(state))
    del old["since"], old["state"]["as_of"]

    assert decode(encode(state)) == state
    assert b'"since"' not in encode(state_of(HALF_UNTIL_RENEWAL))
    assert decode(msgspec.json.encode(old)).as_of is None


def test_a_test_clock_shows_the_time_of_who_is_on_it_and_of_nobody_else() -> None:
    mine = customer(test_clock="clock_1")
    first = told(TEST_CLOCK, "clock_1", frozen_time=NOW + DAY)
    other = told(TEST_CLOCK, "clock_2", frozen_time=NOW + 9 * DAY)

    assert clock_time([customer(), subscription("active"), other]) is None
    assert clock_time([mine]) == 0
    assert clock_time([mine, other]) == 0
    assert clock_time([mine, first, other]) == NOW + DAY
    assert clock_time([mine, subscription("active", test_clock={"id": "clock_2"}), first, other]) == NOW + 9 * DAY
    assert clock_time([mine, told(TEST_CLOCK, "clock_1", frozen_time="soon")]) == 0
    assert clock_time([mine, told(TEST_CLOCK, "clock_1", frozen_time=10**30)]) == 253_402_300_799
    assert clock_time([told("invoice", "in_1", test_clock="clock_1")]) is None


SECONDS = st.integers(NOW - 40 * DAY, NOW + 80 * DAY)
DISCOUNTS = st.builds(
    discount, SECONDS, st.none() | SECONDS, percent=st.integers(0, 100), id=st.sampled_from(["di_1", "di_2"])
)
PAUSES = st.none() | st.fixed_dictionaries({"resumes_at": st.none() | SECONDS})
SUBSCRIPTIONS = st.builds(
    subscription,
    st.sampled_from(["active", "past_due", "trialing", "canceled"]),
    st.builds(item, st.builds(price, st.just(4900), st.sampled_from(["day", "week", "month", "year"]))),
    id=st.sampled_from(["sub_1", "sub_2"]),
    discounts=st.lists(DISCOUNTS, max_size=3),
    pause_collection=PAUSES,
    cancel_at=st.none() | SECONDS,
    trial_end=st.none() | SECONDS,
)
CUSTOMERS = st.builds(customer, discount=st.none() | DISCOUNTS)
HISTORIES = st.lists(SUBSCRIPTIONS | CUSTOMERS, max_size=5)


def turns(objects: list[MirrorObject], moment: int) -> CustomerState:
    """The state after every moment that was told up to this one, each folded at that very moment."""
    state, last = state_of(*objects), at(0)
    while (turn := next_turn(state)) is not None and turn <= at(moment):
        assert turn > last
        state, last = state_of(*objects, when=int(turn.timestamp())), turn
        assert state.as_of == turn
    return state


@given(HISTORIES, SECONDS, st.data())
@settings(max_examples=200, deadline=None)
def test_whoever_folds_at_the_moments_told_misses_nothing_in_any_order(
    objects: list[MirrorObject], moment: int, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations([*objects, *objects[:2]]))

    state = fold("cus_1", shuffled, at=moment)

    assert state == fold("cus_1", objects, at=moment)
    assert state == turns(objects, moment)
    assert decode(encode(state)) == state


@given(HISTORIES, SECONDS)
@settings(max_examples=200, deadline=None)
def test_a_reason_by_time_is_the_moment_at_which_the_mrr_became_another(
    objects: list[MirrorObject], moment: int
) -> None:
    state = state_of(*objects, when=moment)
    since = state.why["mrr"].since if "mrr" in state.why else None

    if since is None:
        assert state.mrr == state_of(*objects).mrr
    else:
        before = state_of(*objects, when=int(since.timestamp()) - 1)
        assert since <= at(moment)
        assert state.mrr == state_of(*objects, when=int(since.timestamp())).mrr
        assert since == at(NOW) or before.mrr != state.mrr
