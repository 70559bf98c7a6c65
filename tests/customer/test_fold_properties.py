"""The fold answers the same for every order, with duplicates, for every prefix, and whatever the objects hold."""

from __future__ import annotations

import csv
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.customer.fold import fold
from trueup.customer.rules.scheduled import next_turn
from trueup.customer.types import CustomerState, Stage
from trueup.mirror.errors import Unusable
from trueup.mirror.essence import essence
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.traces import trace_of
from trueup.mirror.rules import affected_customers, facts_of
from trueup.mirror.types import Fact, MirrorObject
from trueup.mirror.upcast import upcast

FIELDS = re.findall(
    r"\w+",
    """
    a address amount amount_captured amount_off amount_paid amount_received amount_refunded balance bank_name
    billing_scheme brand business_name cancel_at cancel_at_period_end captured card country coupon created currency
    current_period_end customer data day default_payment_method default_source delinquent discount discounts divide_by
    duration email end end_behavior end_date exp_month failure_code id inclusive interval interval_count
    last_payment_error month outcome paid paid_at percent_off percentage phases preferred_locales resumes_at sources
    start_date status status_transitions subscription tags tax_behavior tax_rates tiers tiers_mode transform_quantity
    trial_end type unit_amount unit_amount_decimal usage_type usd week year
    """,
)
TYPES = [
    "customer", "subscription", "subscription_schedule", "payment_method", "card", "source", "bank_account", "product",
    "price", "charge", "payment_intent", "invoice",
]  # fmt: skip
SCALARS = [
    None,
    True,
    False,
    -1,
    0,
    1,
    12,
    4900,
    10**15,
    0.5,
    "",
    "usd",
    "month",
    "year",
    "week",
    "day",
    "12.5",
    "cus_1",
    "a",
]
STATUSES = ["active", "trialing", "past_due", "unpaid", "paused", "canceled", "incomplete", "incomplete_expired", "odd"]
JUNK = st.recursive(
    st.sampled_from([*SCALARS, *STATUSES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=12,
)
OBJECTS = st.builds(
    MirrorObject,
    object_type=st.sampled_from(TYPES),
    object_id=st.sampled_from(["cus_1", "a", "b"]),
    data=st.dictionaries(st.sampled_from(FIELDS), JUNK, max_size=10),
    deleted=st.booleans(),
    created=st.integers(0, 3),
    event_id=st.sampled_from(["evt_1", "evt_2"]),
    event_type=st.just("x.updated"),
)


@given(st.lists(OBJECTS, max_size=8), st.data())
@settings(max_examples=100, deadline=None)
def test_any_objects_fold_to_one_state_in_every_order_and_with_duplicates(
    objects: list[MirrorObject], data: st.DataObject
) -> None:
    duplicates = data.draw(st.lists(st.sampled_from(objects), max_size=3)) if objects else []
    shuffled = data.draw(st.permutations(objects + duplicates))

    state = fold("cus_1", objects)

    assert fold("cus_1", shuffled) == state
    assert msgspec.json.decode(msgspec.json.encode(state), type=CustomerState) == state
    unexplained = {"stripe_customer_id", "stripe_customer_ids", "why"} | state.why.keys()
    values = {name: value for name, value in msgspec.structs.asdict(state).items() if name not in unexplained}
    assert {name: value for name, value in values.items() if value not in (None, (), {})} == {}


@given(st.lists(OBJECTS, max_size=8), st.integers(0, 5000), st.integers(0, 5000), st.data())
@settings(max_examples=200, deadline=None)
def test_time_alone_moves_a_state_at_the_moments_told_and_never_between(
    objects: list[MirrorObject], moment: int, later: int, data: st.DataObject
) -> None:
    before = fold("cus_1", objects, at=moment)
    turn = next_turn(before)
    after = fold("cus_1", data.draw(st.permutations(objects)), at=moment + later)

    if turn is None or before.as_of is None or moment + later < turn.timestamp():
        assert after == before
    else:
        turned = fold("cus_1", objects, at=int(turn.timestamp()))
        assert turned.as_of == turn
        assert turned.why["as_of"].rule == "time"
        assert all(found is None or found > turn for found in [next_turn(turned)])


def without_the_rest(objects: Iterable[MirrorObject]) -> list[MirrorObject]:
    return [msgspec.structs.replace(told, data=essence(told.object_type, told.data)) for told in objects]


@given(st.lists(OBJECTS, max_size=8, unique_by=lambda told: (told.object_type, told.object_id)))
@settings(max_examples=200, deadline=None)
def test_essences_fold_to_the_state_that_whole_objects_fold_to(objects: list[MirrorObject]) -> None:
    assert fold("cus_1", without_the_rest(objects)) == fold("cus_1", objects)


PRICES = {
    name: {
        "id": f"price_{name}",
        "currency": "usd",
        "product": "prod_1",
        "unit_amount": amount,
        "recurring": {"interval": interval, "interval_count": 1, "usage_type": "licensed"},
    }
    for name, amount, interval in (("starter", 2900, "month"), ("pro", 79000, "year"))
}
STEPS = st.one_of(
    st.tuples(
        st.just("subscription"),
        st.sampled_from(["sub_1", "sub_2"]),
        st.fixed_dictionaries(
            {
                "customer": st.just("cus_1"),
                "status": st.sampled_from(STATUSES),
                "cancel_at_period_end": st.booleans(),
                "default_payment_method": st.sampled_from([None, "pm_1"]),
                "items": st.lists(
                    st.fixed_dictionaries(
                        {"price": st.sampled_from(list(PRICES.values())), "quantity": st.integers(0, 5)}
                    ),
                    max_size=2,
                ),
            }
        ),
    ),
    st.tuples(
        st.just("payment_method"),
        st.just("pm_1"),
        st.fixed_dictionaries({"customer": st.sampled_from([None, "cus_1"]), "type": st.just("card")}),
    ),
    st.tuples(
        st.just("customer"), st.just("cus_1"), st.fixed_dictionaries({"name": st.sampled_from(["A", "B", None])})
    ),
)
VERBS = ["created", "updated", "deleted"]


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    steps = draw(st.lists(st.tuples(STEPS, st.integers(0, 2), st.sampled_from(VERBS)), max_size=10))
    facts, created = [], 1000
    for number, ((object_type, object_id, data), later, verb) in enumerate(steps):
        created += later
        facts.append(
            Fact(
                object_type=object_type,
                object_id=object_id,
                created=created,
                event_id=f"evt_{number}",
                event_type=f"{object_type}.{verb}",
                deleted=verb == "deleted" and object_type != "subscription",
                data={"id": object_id, "object": object_type, **data},
                customer="cus_1",
            )
        )
    return facts


def latest(facts: list[Fact]) -> Fact:
    head = resolve(map(trace_of, facts)).head
    return next(fact for fact in facts if fact.event_id == head.fact_id)


def present(facts: Iterable[Fact]) -> list[MirrorObject]:
    """The current version of every object in a history."""
    grouped: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        grouped[fact.object_type, fact.object_id].append(fact)
    return [
        MirrorObject(
            object_type=fact.object_type,
            object_id=fact.object_id,
            data=upcast(fact.object_type, fact.data),
            deleted=fact.deleted,
            created=fact.created,
            event_id=fact.event_id,
            event_type=fact.event_type,
        )
        for fact in map(latest, grouped.values())
    ]


@given(histories(), st.data())
@settings(max_examples=100, deadline=None)
def test_every_prefix_of_a_history_has_one_state_however_it_was_delivered(
    history: list[Fact], data: st.DataObject
) -> None:
    for length in range(len(history) + 1):
        prefix = history[:length]
        delivered = data.draw(st.permutations(prefix + prefix[:2]))

        state = fold("cus_1", present(delivered))

        assert state == fold("cus_1", present(prefix))
        assert state.deleted is (state.stage is Stage.DELETED)
        assert not state.mrr or state.stage in {Stage.ACTIVE, Stage.PAST_DUE}
        assert state.last_event_at is not None or not prefix


def recorded(shared: Path) -> list[Fact]:
    """Every event of the corpus, and every recorded object as if an event of the object's own time had told it."""
    corpus = shared / "stripe" / "corpus"
    with (corpus / "INDEX.csv").open(newline="", encoding="utf-8") as source:
        rows = [row for row in csv.DictReader(source) if row["kind"] in {"event", "object"}]
    found = []
    for number, row in enumerate(rows):
        told: Any = json.loads((corpus / row["file"]).read_bytes())
        if row["kind"] == "object":
            created = told.get("created") or 0
            told = {"type": f"{row['type']}.updated", "created": created, "data": {"object": told}}
        try:
            fact = facts_of(told | {"id": f"evt_{number}"})
        except Unusable:
            continue
        if fact is not None:
            found.append(fact)
    return found


def test_recorded_customers_fold_to_the_same_states_in_every_order(shared: Path) -> None:
    facts = recorded(shared)
    by_customer: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        for stripe_customer_id in affected_customers(fact):
            by_customer[stripe_customer_id].append(fact)

    states = {key: fold(key, present(history)) for key, history in by_customer.items()}
    shuffle = random.Random(5)
    again = {}
    for key, history in by_customer.items():
        delivered = history + shuffle.sample(history, len(history) // 2)
        shuffle.shuffle(delivered)
        again[key] = fold(key, shuffle.sample(present(delivered), len(present(delivered))))

    assert again == states
    assert len(states) > 200
    assert {state.stage for state in states.values()} >= {Stage.LEAD, Stage.ACTIVE, Stage.TRIALING, Stage.CHURNED}
    assert sum(bool(state.mrr) for state in states.values()) > 20
    assert sum(state.payment_method is not None for state in states.values()) > 20
