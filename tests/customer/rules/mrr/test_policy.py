"""Which subscriptions count, and which tax is taken out of their prices."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from tests.customer.rules.mrr.made import DAY, NOW, data, item, price, told, usd
from trueup.customer.rules.mrr.policy import Cancellation, PastDue, PausedCollection, Policy, is_paused, pause_reason

VOID = {"behavior": "void", "resumes_at": None}


@pytest.mark.parametrize(
    ("_case_fields", "_case_policy", "_case_counts"),
    [
        ({"status": "active"}, Policy(), True),
        ({"status": "past_due"}, Policy(), True),
        ({"status": "past_due"}, Policy(past_due=PastDue.EXCLUDE), False),
        ({"status": "active"}, Policy(past_due=PastDue.EXCLUDE), True),
        ({"status": "trialing"}, Policy(), False),
        ({"status": "unpaid"}, Policy(), False),
        ({"status": "paused"}, Policy(), False),
        ({"status": "incomplete"}, Policy(), False),
        ({"status": "incomplete_expired"}, Policy(), False),
        ({"status": "canceled"}, Policy(), False),
        ({"status": "asleep"}, Policy(), False),
        ({"status": None}, Policy(), False),
        ({"pause_collection": VOID}, Policy(), False),
        ({"pause_collection": VOID}, Policy(paused_collection=PausedCollection.COUNT), True),
        ({"pause_collection": None}, Policy(), True),
        ({"cancel_at_period_end": True}, Policy(), True),
        ({"cancel_at": 1_800_000_000}, Policy(), True),
        ({"cancel_at_period_end": True}, Policy(cancel_recognition=Cancellation.REQUEST), False),
        ({"cancel_at": 1_800_000_000}, Policy(cancel_recognition=Cancellation.REQUEST), False),
        ({"cancel_at_period_end": False}, Policy(cancel_recognition=Cancellation.REQUEST), True),
    ],
)
def test_status_and_policy_decide_what_counts(
    _case_fields: dict[str, Any], _case_policy: Policy, _case_counts: bool
) -> None:
    assert usd(data(**_case_fields), policy=_case_policy) == (4900 if _case_counts else 0)


@pytest.mark.parametrize(
    ("_case_fields", "_case_policy", "_case_paused"),
    [
        ({"status": "paused"}, Policy(), True),
        (
            {"status": "paused", "status_details": {"paused": {"subscription": {"type": "pause_requested"}}}},
            Policy(),
            True,
        ),
        (
            {"status": "paused", "status_details": {"paused": {"subscription": {"type": "final_payment_failure"}}}},
            Policy(),
            False,
        ),
        ({"status": "active", "pause_collection": VOID}, Policy(), True),
        ({"status": "past_due", "pause_collection": VOID}, Policy(), True),
        ({"status": "active", "pause_collection": VOID}, Policy(paused_collection=PausedCollection.COUNT), False),
        ({"status": "active"}, Policy(), False),
        ({"status": "unpaid", "pause_collection": VOID}, Policy(), False),
        ({"status": "canceled"}, Policy(), False),
    ],
)
def test_an_interruption_is_told_from_an_end(
    _case_fields: dict[str, Any], _case_policy: Policy, _case_paused: bool
) -> None:
    assert is_paused(_case_fields, _case_policy, NOW) is _case_paused


def test_a_pause_with_an_end_is_over_from_then_on_without_an_event() -> None:
    pause = {"behavior": "void", "resumes_at": NOW + DAY}
    one = data(pause_collection=pause)
    before, after = told(one, at=NOW + DAY - 1), told(one, at=NOW + DAY)

    assert (before.mrr, before.changes_at, before.changed) == ((), NOW + DAY, None)
    assert ([mrr.minor for mrr in after.mrr], after.changes_at) == ([4900], None)
    assert after.changed == (NOW + DAY, "collecting_resumed")
    assert is_paused(one, Policy(), NOW + DAY - 1) is True
    assert is_paused(one, Policy(), NOW + DAY) is False


@pytest.mark.parametrize("_case_end", [None, -1, True, "soon", 10**12])
def test_a_pause_without_an_end_that_is_a_moment_lasts(_case_end: Any) -> None:
    found = told(data(pause_collection={"behavior": "void", "resumes_at": _case_end}), at=10**11)

    assert (found.mrr, found.changes_at) == ((), None)


def test_a_pause_that_is_paid_for_anyway_awaits_nothing() -> None:
    paused = data(pause_collection={"behavior": "void", "resumes_at": NOW + DAY})

    assert told(paused, policy=Policy(paused_collection=PausedCollection.COUNT)).changes_at is None
    assert told(data(status="unpaid", pause_collection={"resumes_at": NOW + DAY})).changes_at is None


def test_the_reason_of_a_pause_is_stripes_word_or_nothing() -> None:
    assert pause_reason({"status_details": {"paused": {"subscription": {"type": "system"}}}}) == "system"
    assert pause_reason({"status_details": {"paused": {"subscription": {"type": 5}}}}) is None
    assert pause_reason({"status_details": None}) is None


@pytest.mark.parametrize(
    ("_case_price", "_case_item", "_case_fields", "_case_mrr"),
    [
        ("inclusive", [], [(20, True)], Fraction(1000)),
        ("inclusive", [("20", True)], [(50, True)], Fraction(1000)),
        ("unspecified", [(12.5, True), (7.5, True)], [], Fraction(1000)),
        (None, [(20, True)], [], Fraction(1000)),
        ("unspecified", [(20, False)], [], Fraction(1200)),
        ("exclusive", [(20, True)], [], Fraction(1200)),
        ("unspecified", [], [], Fraction(1200)),
        ("inclusive", [(0, True)], [], Fraction(1200)),
    ],
)
def test_tax_in_a_price_is_taken_out_and_tax_on_top_never_matters(
    _case_price: str | None, _case_item: list[Any], _case_fields: list[Any], _case_mrr: Fraction
) -> None:
    def rates(told: list[Any]) -> list[dict[str, Any]]:
        return [{"percentage": percentage, "inclusive": inclusive} for percentage, inclusive in told]

    one = item(price(1200, tax_behavior=_case_price), tax_rates=rates(_case_item))

    assert usd(data(one, default_tax_rates=rates(_case_fields))) == _case_mrr


@pytest.mark.parametrize(
    "_case_rates", [[], ["txr_1"], [{"inclusive": True}], [{"inclusive": True, "percentage": 120}]]
)
def test_a_contained_tax_without_a_rate_stays_in_and_is_said(_case_rates: list[Any]) -> None:
    found = told(data(item(price(1200, tax_behavior="inclusive")), default_tax_rates=_case_rates))

    assert [mrr.exact for mrr in found.mrr] == [1200]
    assert found.unknown == ("si_1: the rate of the tax in its price is not known, and not taken out",)
