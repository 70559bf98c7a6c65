from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.ops.demo.conftest import NOW
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.traces import trace_of
from trueup.mirror.order.types import Verdict
from trueup.mirror.rules import facts_of
from trueup.ops.demo import bills
from trueup.ops.demo.engine import Engine, changed, months_after
from trueup.ops.demo.lives import generate

Event = dict[str, Any]

DAY = 86_400


def overlay(version: dict[str, Any], previous: dict[str, Any]) -> dict[str, Any]:
    """What an object was before a change, by the documented meaning of ``previous_attributes``."""
    both = {key for key in previous if isinstance(previous[key], dict) and isinstance(version.get(key), dict)}
    return {**version, **previous, **{key: overlay(version[key], previous[key]) for key in both}}


def by_object(events: list[Event]) -> dict[tuple[str, str], list[Event]]:
    """The events of each object that has an id, in the order told."""
    found: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        about = event["data"]["object"]
        if "id" in about:
            found[about["object"], about["id"]].append(event)
    return found


def objects(events: list[Event], *kinds: str) -> list[dict[str, Any]]:
    """The objects of the events of these types."""
    return [event["data"]["object"] for event in events if event["type"] in kinds]


def digest(events: list[Event]) -> str:
    return hashlib.sha256(msgspec.json.encode(events)).hexdigest()


def test_the_same_arguments_give_the_same_events_in_another_process(year: list[Event]) -> None:
    script = (
        "import hashlib, msgspec; from datetime import UTC, datetime; from trueup.ops.demo.lives import generate; "
        f"now = datetime.fromtimestamp({int(NOW.timestamp())}, UTC); "
        "print(hashlib.sha256(msgspec.json.encode(list(generate(now=now)))).hexdigest())"
    )
    source = str(Path(__file__).parents[3] / "src")
    environment = {**os.environ, "PYTHONPATH": source, "PYTHONHASHSEED": "12345"}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == digest(year)


def test_another_seed_or_another_moment_shares_no_event_and_no_object(year: list[Event]) -> None:
    ids = {event["id"] for event in year} | {key[1] for key in by_object(year)}

    for other in (generate(seed=2, now=NOW), generate(seed=1, now=NOW + timedelta(seconds=1))):
        events = list(other)
        assert not ids & ({event["id"] for event in events} | {key[1] for key in by_object(events)})


def test_a_year_takes_seconds_and_is_about_ten_thousand_events_in_order() -> None:
    began = time.perf_counter()
    events = list(generate(seed=3, now=NOW))
    took = time.perf_counter() - began

    created = [event["created"] for event in events]
    assert 6_000 <= len(events) <= 15_000
    assert took < 10
    assert created == sorted(created)
    assert months_after(int(NOW.timestamp()), -12) <= created[0]
    assert created[-1] <= NOW.timestamp()
    assert len({event["id"] for event in events}) == len(events)


def test_many_events_share_a_second_as_in_reality(year: list[Event]) -> None:
    seconds = Counter(event["created"] for event in year)

    assert sum(count for count in seconds.values() if count > 1) > len(year) / 2


def test_the_first_events_come_before_the_last_life_has_begun() -> None:
    first = list(itertools.islice(generate(companies=20_000, now=NOW), 3))

    assert [event["type"] for event in first] == ["product.created", "product.created", "price.created"]


@pytest.mark.parametrize("companies", [1, 7, 60])
def test_any_number_of_companies_signs_up(companies: int) -> None:
    events = list(generate(companies=companies, now=NOW, months=3))

    assert len(objects(events, "customer.created")) == companies


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        list(generate(now=datetime(2026, 11, 20)))  # noqa: DTZ001 - the naive one is the subject


def test_previous_attributes_laid_over_an_object_give_the_version_before(year: list[Event], hour: list[Event]) -> None:
    compared = 0
    for told in by_object(year + hour).values():
        for before, after in itertools.pairwise(told):
            if "previous_attributes" in after["data"]:
                assert (
                    overlay(after["data"]["object"], after["data"]["previous_attributes"]) == before["data"]["object"]
                )
                compared += 1

    assert compared > 3_000


def test_exactly_the_changes_say_what_was_before(year: list[Event], hour: list[Event]) -> None:
    others = {"charge.refunded", "payment_method.detached"}
    for event in year + hour:
        is_change = event["type"].endswith(".updated") or event["type"] in others
        assert bool(event["data"].get("previous_attributes")) == is_change, event["type"]


def test_an_object_is_told_by_its_creation_first(year: list[Event]) -> None:
    first = Counter((kind, told[0]["type"]) for (kind, _), told in by_object(year).items())

    assert set(first) == {
        ("product", "product.created"),
        ("price", "price.created"),
        ("coupon", "coupon.created"),
        ("customer", "customer.created"),
        ("payment_method", "payment_method.attached"),
        ("subscription", "customer.subscription.created"),
        ("discount", "customer.discount.created"),
        ("invoice", "invoice.created"),
        ("payment_intent", "payment_intent.created"),
        ("charge", "charge.succeeded"),
        ("charge", "charge.failed"),
        ("invoice_payment", "invoice_payment.paid"),
        ("refund", "refund.created"),
    }


def test_the_order_within_a_second_can_be_told_from_the_events(year: list[Event], hour: list[Event]) -> None:
    for told in by_object(year + hour).values():
        facts = [fact for event in told if (fact := facts_of(event))]
        head = resolve(map(trace_of, facts)).head
        assert head.verdict is Verdict.CERTAIN, (head, [event["type"] for event in told])
        assert [fact.data for fact in facts if fact.event_id == head.fact_id] == [told[-1]["data"]["object"]]


def test_whatever_an_object_names_was_told_before(year: list[Event], hour: list[Event]) -> None:
    seconds: dict[int, set[str]] = defaultdict(set)
    for event in year + hour:
        seconds[event["created"]].add(event["data"]["object"].get("id", ""))
    an_id = re.compile(r'"((?:cus_|price_1|prod_|pm_1|sub_1|in_1|di_1|pi_3|ch_)[0-9A-Za-z]+)"')

    known: set[str] = set()
    for event in year + hour:
        # Objects of one act name each other, so those of the same second count as told.
        known |= seconds.pop(event["created"], set())
        named = set(an_id.findall(json.dumps(event["data"]["object"])))
        assert named <= known, event["type"]
    assert len(known) > 5_000


def test_lines_discounts_and_payments_of_an_invoice_add_up(year: list[Event], hour: list[Event]) -> None:
    invoices = [about for event in year + hour if (about := event["data"]["object"])["object"] == "invoice"]

    for invoice in invoices:
        lines = invoice["lines"]["data"]
        off = sum(part["amount"] for line in lines for part in line["discount_amounts"])
        assert sum(line["amount"] for line in lines) == invoice["subtotal"]
        assert invoice["total"] == invoice["subtotal"] - off == invoice["amount_due"]
        assert sum(part["amount"] for part in invoice["total_discount_amounts"]) == off
        assert invoice["amount_remaining"] == invoice["amount_due"] - invoice["amount_paid"]
        assert (invoice["status"] == "paid") == (invoice["status_transitions"]["paid_at"] is not None)
        assert invoice["amount_paid"] == (invoice["amount_due"] if invoice["status"] == "paid" else 0)
        assert invoice["total"] >= 0
        assert isinstance(invoice["total"], int)
    assert {invoice["currency"] for invoice in invoices} == {"usd", "eur", "gbp", "jpy"}
    assert any(invoice["total_discount_amounts"] for invoice in invoices)


def test_every_payment_is_the_amount_of_the_invoice_it_pays(year: list[Event]) -> None:
    due = {invoice["id"]: invoice for invoice in objects(year, "invoice.paid")}
    paid = {intent["id"]: intent for intent in objects(year, "payment_intent.succeeded")}
    links = objects(year, "invoice_payment.paid")

    for link in links:
        assert link["amount_paid"] == due[link["invoice"]]["amount_paid"]
        assert link["amount_paid"] == paid[link["payment"]["payment_intent"]]["amount_received"]
    assert {link["invoice"] for link in links} == {made for made, invoice in due.items() if invoice["amount_due"]}


def test_a_trial_has_a_paid_invoice_of_nothing_and_is_announced_three_days_before_its_end(year: list[Event]) -> None:
    trials = [sub for sub in objects(year, "customer.subscription.created") if sub["status"] == "trialing"]
    paid = {invoice["id"]: invoice for invoice in objects(year, "invoice.paid")}
    told = {
        event["data"]["object"]["id"]: event["created"]
        for event in year
        if event["type"] == "customer.subscription.trial_will_end"
    }

    assert len(trials) > 50
    for trial in trials:
        assert trial["trial_end"] - trial["trial_start"] == 14 * DAY
        assert paid[trial["latest_invoice"]]["total"] == 0
        if trial["trial_end"] - 3 * DAY <= NOW.timestamp():
            assert told[trial["id"]] == trial["trial_end"] - 3 * DAY


def test_a_renewal_is_announced_a_week_before_and_collected_an_hour_after_its_draft(year: list[Event]) -> None:
    cycles = [event for event in year if event["data"]["object"].get("billing_reason") == "subscription_cycle"]
    made = {event["data"]["object"]["id"]: event for event in cycles if event["type"] == "invoice.created"}
    finalized = {event["data"]["object"]["id"]: event for event in cycles if event["type"] == "invoice.finalized"}
    upcoming = [event for event in cycles if event["type"] == "invoice.upcoming"]
    waiting = made.keys() - finalized.keys()

    assert all(event["created"] == made[key]["created"] + 3_600 for key, event in finalized.items())
    assert all(event["data"]["object"]["automatically_finalizes_at"] for event in made.values())
    assert all(made[key]["created"] > NOW.timestamp() - 3_600 for key in waiting - _paused(year))
    assert len(upcoming) > 300
    assert all("id" not in event["data"]["object"] for event in upcoming)
    assert all(event["data"]["object"]["period_end"] - event["created"] == 7 * DAY for event in upcoming)


def _paused(events: list[Event]) -> set[str]:
    """The invoices that were drawn up while collection was paused, which are void."""
    return {invoice["id"] for invoice in objects(events, "invoice.voided") if invoice["status"] == "void"}


def test_failed_payments_are_retried_and_recover_or_end_the_subscription(year: list[Event]) -> None:
    failed = {invoice["id"] for invoice in objects(year, "invoice.payment_failed")}
    recovered = {invoice["id"]: invoice for invoice in objects(year, "invoice.paid") if invoice["id"] in failed}
    ended = [
        sub
        for sub in objects(year, "customer.subscription.deleted")
        if sub["cancellation_details"]["reason"] == "payment_failed"
    ]
    codes = {charge["failure_code"] for charge in objects(year, "charge.failed")}
    reasons = {charge["outcome"]["reason"] for charge in objects(year, "charge.failed")}

    assert {invoice["attempt_count"] for invoice in recovered.values()} >= {2, 3, 4}
    assert len(ended) >= 5
    assert all(sub["latest_invoice"] in failed - set(recovered) for sub in ended)
    assert codes == {"card_declined", "expired_card", "authentication_required"}
    assert reasons == {"generic_decline", "insufficient_funds", "expired_card", "authentication_required"}


def test_a_voluntary_cancellation_waits_for_the_end_of_the_period(year: list[Event]) -> None:
    left = [sub for sub in objects(year, "customer.subscription.deleted") if sub["cancel_at_period_end"]]

    assert len(left) >= 5
    for sub in left:
        assert sub["ended_at"] == sub["cancel_at"] == sub["items"]["data"][0]["current_period_end"]
        assert sub["canceled_at"] < sub["ended_at"]
        assert sub["cancellation_details"]["feedback"]
        assert sub["cancellation_details"]["reason"] == "cancellation_requested"


def test_the_year_ends_with_customers_in_every_stage(year: list[Event]) -> None:
    newest = {key: told[-1] for key, told in by_object(year).items()}
    subscribed = {event["data"]["object"]["customer"] for (kind, _), event in newest.items() if kind == "subscription"}
    customers = [event for (kind, _), event in newest.items() if kind == "customer"]
    stages = Counter(
        "collection paused" if about["pause_collection"] else about["status"]
        for (kind, _), event in newest.items()
        if kind == "subscription" and (about := event["data"]["object"])
    )
    stages["lead"] = sum(event["data"]["object"]["id"] not in subscribed for event in customers)
    stages["deleted"] = sum(event["type"] == "customer.deleted" for event in customers)

    assert stages["active"] > 80
    assert all(stages[stage] >= 10 for stage in ("trialing", "canceled", "lead"))
    assert all(stages[stage] >= 3 for stage in ("past_due", "paused", "collection paused", "deleted"))
    assert set(stages) == {
        "active", "trialing", "canceled", "past_due", "paused", "collection paused", "lead", "deleted",
    }  # fmt: skip


def test_no_card_number_and_no_real_mail_address_appears(year: list[Event], hour: list[Event]) -> None:
    words = {word for event in year + hour for word in json.dumps(event["data"]["object"]).split('"')}
    addresses = {word for word in words if "@" in word}

    assert {"4242", "visa"} <= words
    assert not [word for word in words if re.fullmatch(r"[\s:,]*\d(?:[ -]?\d){11,18}[\s:,}\]]*", word)]
    assert len(addresses) > 200
    assert all(re.fullmatch(r"[a-z]+@[a-z0-9-]+\.example", address) for address in addresses)


def test_only_what_somebody_asked_for_names_a_request(year: list[Event]) -> None:
    asked: dict[str, set[bool]] = defaultdict(set)
    for event in year:
        request = event["request"]
        assert (request["id"] is None) == (request["idempotency_key"] is None)
        asked[event["type"]].add(request["id"] is not None)

    timers = {"invoice.upcoming", "customer.subscription.trial_will_end", "customer.subscription.paused"}
    assert {kind for kind, ways in asked.items() if ways == {False}} >= timers
    assert asked["customer.created"] == asked["customer.subscription.created"] == {True}
    assert asked["invoice.paid"] == asked["customer.subscription.deleted"] == {True, False}


def test_objects_of_one_payment_share_the_stem_of_their_ids(year: list[Event]) -> None:
    for charge in objects(year, "charge.succeeded"):
        stem = charge["payment_intent"].removeprefix("pi_")[:17]
        assert charge["id"].startswith(f"ch_{stem}")
        assert charge["balance_transaction"].startswith(f"txn_{stem}")


@pytest.mark.parametrize(
    ("_case", "start", "months", "end"),
    [
        ("an ordinary month", "2026-03-15", 1, "2026-04-15"),
        ("a shorter month ends sooner", "2026-01-31", 1, "2026-02-28"),
        ("and does not shift the next", "2026-01-31", 2, "2026-03-31"),
        ("a leap year", "2027-02-28", 12, "2028-02-28"),
        ("back over the new year", "2026-01-31", -2, "2025-11-30"),
    ],
)
def test_periods_are_calendar_months(_case: str, start: str, months: int, end: str) -> None:
    moment = datetime.fromisoformat(f"{start}T08:30:00+00:00")

    assert months_after(int(moment.timestamp()), months) == datetime.fromisoformat(f"{end}T08:30:00+00:00").timestamp()


def test_a_change_names_the_old_values_only_and_leaves_the_object_alone() -> None:
    before = {"a": 1, "b": {"x": 1, "y": 2}, "c": [1], "d": None, "e": {"z": 0}}

    after, previous = changed(before, {"a": 1, "b": {"x": 5}, "c": [2], "d": {"new": 1}, "e": None})

    assert after == {"a": 1, "b": {"x": 5, "y": 2}, "c": [2], "d": {"new": 1}, "e": None}
    assert previous == {"b": {"x": 1}, "c": [1], "d": None, "e": {"z": 0}}
    assert before == {"a": 1, "b": {"x": 1, "y": 2}, "c": [1], "d": None, "e": {"z": 0}}
    with pytest.raises(KeyError):
        changed(before, {"unknown": 1})


def test_a_proration_rounds_each_line_to_the_nearest_cent_and_ties_down() -> None:
    # 30 days of Starter, changed to Pro a third of the way: 2/3 of 29.05 back, 2/3 of 79.05 to pay; then 1/2.
    price = {"currency": "usd", "id": "p", "product": "q", "unit_amount_decimal": "", "metadata": {"plan": "starter"}}
    item = {"id": "si", "subscription": "s", "quantity": 1, "current_period_start": 0, "current_period_end": 30 * DAY}
    old, new = ({**item, "price": {**price, "unit_amount": amount}} for amount in (2905, 7905))

    def lines(day: int, *, discounted: bool = False) -> list[int]:
        made = bills.proration_lines(Engine("x"), day * DAY, old, new, discounted=discounted)
        return [line["amount"] for line in made]

    assert lines(10) == [-1937, 5270]
    # The exact halves are -1452.5 and 3952.5; Stripe sends both of such towards minus infinity.
    assert lines(15) == [-1453, 3952]
    assert lines(15, discounted=True) == [-1162, 3162]


def test_events_of_one_object_keep_their_order_when_an_act_overlaps_the_next() -> None:
    engine = Engine("x")
    for at, kind in ((12, "first"), (10, "second"), (11, "third")):
        engine.tell(at, kind, {"id": "cus_1"}, request=engine.call())
    engine.tell(10, "another's", {"id": "cus_2"}, request=engine.call())

    told = [(event["created"], event["type"]) for event in engine.run(NOW)]

    assert told == [(10, "another's"), (12, "first"), (12, "second"), (12, "third")]
