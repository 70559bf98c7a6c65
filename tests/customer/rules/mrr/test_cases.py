"""Files of metric cases are read, answered, compared, and where that is not possible said so."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from trueup.customer.rules.mrr import cases
from trueup.customer.rules.mrr.cases import Verdict
from trueup.kernel.errors import Refused

MONTHLY = {"currency": "usd", "unit_amount": 5000, "recurring": {"interval": "month"}, "tax_behavior": "exclusive"}
YEARLY = {"currency": "usd", "unit_amount": 120_000, "recurring": {"interval": "year"}}
DEPLOYED = {"at": "2025-01-01T00:00:00Z", "status": "active", "items": [{"id": "si_1", "price": "p", "quantity": 1}]}


def sub(*history: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "s1", "customer": "c1", "currency": "usd", "history": [DEPLOYED, *history]} | more


def case(
    *subscriptions: dict[str, Any], ask: list[Any] | None = None, expect: Any = None, **more: Any
) -> dict[str, Any]:
    inputs = {"prices": {"p": MONTHLY, "y": YEARLY}, "subscriptions": list(subscriptions) or [sub()]}
    ask = ask if ask is not None else [{"metric": "mrr", "at": "2025-02-10T00:00:00Z"}]
    told = {"id": "Z1", "group": "mrr", "ask": ask, "expect": expect if expect is not None else ["5000"]}
    return {**told, "inputs": {**inputs, **more.pop("inputs", {})}, "base_currency": "usd", **more}


def raw(*told: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"format": cases.FORMAT, "cases": list(told), **more}).encode()


def judged(told: dict[str, Any]) -> Verdict:
    file = cases.read(raw(told))
    (verdict,) = (cases.judge(one, file.default_policy) for one in file.cases)
    return verdict


def moved(*subscriptions: dict[str, Any], **more: Any) -> Any:
    verdict = judged(case(*subscriptions, ask=[{"metric": "movements"}], expect=[[]], **more))
    assert verdict.unsupported is None
    return verdict.answers[0]


def test_every_case_of_revenue_discounts_status_and_tax_is_answered_as_it_was_worked_out(shared: Path) -> None:
    file = cases.read((shared / "metrics" / "metric_cases.json").read_bytes())

    verdicts = [
        cases.judge(one, file.default_policy) for one in cases.selected(file, ["mrr", "discount", "status", "tax"])
    ]

    assert len(verdicts) >= 41
    assert [verdict for verdict in verdicts if verdict.equal is not True or verdict.unsupported is not None] == []


def test_of_the_other_cases_none_is_answered_wrongly_and_the_rest_say_why_not(shared: Path) -> None:
    file = cases.read((shared / "metrics" / "metric_cases.json").read_bytes())

    verdicts = [cases.judge(one, file.default_policy) for one in file.cases]

    assert [verdict.id for verdict in verdicts if verdict.equal is False] == []
    assert all((verdict.equal is None) == (verdict.unsupported is not None) for verdict in verdicts)
    reasons = {verdict.id: verdict.unsupported for verdict in verdicts}
    assert reasons["H01"] == "the metric `cohorts` is not supported yet"
    assert "usage" in (reasons["K02"] or "")


def test_a_changed_expectation_is_found(shared: Path) -> None:
    file = json.loads((shared / "metrics" / "metric_cases.json").read_bytes())
    wanted = [one for one in file["cases"] if one["id"] in {"A16", "C18"}]
    for one in wanted:
        one["expect"][-1][-1][2] = "-1"

    assert [judged(one).equal for one in wanted] == [False, False]


@pytest.mark.parametrize(
    ("_case_expected", "_case_equal"),
    [
        ("5000", True),
        ("10000/2", True),
        (5000, True),
        ("5000.5", False),
        (None, False),
    ],
)
def test_an_answer_is_compared_as_an_exact_number(_case_expected: Any, _case_equal: bool) -> None:
    verdict = judged(case(expect=[_case_expected]))

    assert (verdict.answers, verdict.equal) == (("5000",), _case_equal)


@pytest.mark.parametrize(
    ("_case_rows", "_case_equal"),
    [
        ([["c1", "new", "5000"], ["c2", "new", "5000"]], True),
        ([["c2", "new"], ["c1", "new", "5000", "2025-01-01T01:00:00+01:00"]], True),
        ([["c1", "new", "5000"]], False),
        ([["c1", "new", "5000", "2025-01-02T00:00:00Z"], ["c2", "new"]], False),
        ([["c1", "new", "5000", "2025-01-01T00:00:00Z", "why", "more"], ["c2", "new"]], False),
        ("none", False),
    ],
)
def test_rows_are_compared_as_far_as_they_are_told(_case_rows: Any, _case_equal: bool) -> None:
    two = case(sub(), sub(id="s2", customer="c2"), ask=[{"metric": "movements"}], expect=[_case_rows])

    assert judged(two).equal is _case_equal


def test_what_is_asked_beyond_this_release_is_said_beside_what_is_answered() -> None:
    verdict = judged(
        case(
            ask=[
                {"metric": "mrr", "at": "2025-02-10T00:00:00Z"},
                {"metric": "rates", "month": "2025-02"},
                {"metric": "mrr", "at": "2025-02-10T00:00:00Z", "plan": "p"},
                {"metric": "movements", "month": "2025-02"},
            ],
            expect=["5000", {}, "1", []],
        )
    )

    assert verdict.answers == ("5000", None, None, None)
    assert verdict.equal is None
    assert verdict.unsupported == (
        "the metric `rates` is not supported yet; the metric `mrr` with at, plan is not supported yet; "
        "the metric `movements` with month is not supported yet"
    )


def test_a_wrong_answer_counts_even_beside_one_that_is_not_supported() -> None:
    ask = [{"metric": "rates"}, {"metric": "mrr", "at": "2025-02-10T00:00:00Z"}]

    assert judged(case(ask=ask, expect=["1", "1"])).equal is False


@pytest.mark.parametrize(
    ("_case", "_case_reason"),
    [
        (case(policy={"discounts": "some"}), "the policy: Invalid enum value 'some' - at `$.discounts`"),
        (case(policy={"colour": "red"}), "the policy: Object contains unknown field `colour`"),
        (case(policy={"metered": "trailing3"}), "metered use is left out; `trailing3` needs the series of usage"),
        (case(inputs={"weather": {}}), "the inputs: `weather` cannot be read yet"),
        (case(sub(colour="red")), "subscription s1: `colour` cannot be read yet"),
        (case(sub({**DEPLOYED, "mood": 1, "colour": 2})), "subscription s1: `colour`, `mood` cannot be read yet"),
        (case(sub({**DEPLOYED, "items": [{"id": "si_1", "price": "p", "seats": 2}]})), "item si_1: `seats`"),
        (case(sub({**DEPLOYED, "discounts": [{"promotion": "x"}]})), "a discount: `promotion` cannot be read yet"),
        (case(inputs={"prices": {"p": {**MONTHLY, "unit_amount": None}}}), "subscription s1: si_1: its price tells"),
        (case(base_currency="eur"), "no rate of usd is known at that moment"),
        (case(base_currency="eur", ask=[{"metric": "movements"}], expect=[[]]), "movements in another currency"),
    ],
)
def test_what_cannot_be_read_yet_is_said_and_not_passed_over(_case: dict[str, Any], _case_reason: str) -> None:
    verdict = judged(_case)

    assert (verdict.answers, verdict.equal) == ((None,), None)
    assert (verdict.unsupported or "").startswith(_case_reason)


@pytest.mark.parametrize(
    ("_case_raw", "_case_says"),
    [
        (b"", "truncated"),
        (b"[]", "Expected `object`"),
        (b'{"format": "growth-metric-cases/1"}', "missing required field `cases`"),
        (b'{"format": "x/2", "cases": []}', "only growth-metric-cases/1 can be read"),
        (raw({"id": "Z1"}), r"`\$.cases\[0\]`"),
        (raw(case(), case()), "Case Z1 is told twice"),
        (raw(case(expect=[])), "Case Z1 has not one expected answer for each question"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(_case_raw: bytes, _case_says: str) -> None:
    with pytest.raises(Refused, match=_case_says) as refused:
        cases.read(_case_raw)

    assert refused.value.code == "case_file_invalid"
    assert refused.value.hint


@pytest.mark.parametrize(
    ("_case", "_case_says"),
    [
        (case(sub({**DEPLOYED, "items": [{"id": "si_1", "price": "q"}]})), "there is no price 'q'"),
        (case(sub({**DEPLOYED, "discounts": [{"coupon": None}]})), "there is no coupon None"),
        (case(sub({**DEPLOYED, "at": "soon"})), "'soon' is not a moment such as"),
        (case(sub({**DEPLOYED, "at": "2025-01-01T00:00:00"})), "is not a moment such as"),
        (case(sub({**DEPLOYED, "at": 5})), "5 is not a moment such as"),
        (case(sub({**DEPLOYED, "tax_rate": "much"})), "'much' is not a rate such as 0.20"),
        (case(inputs={"fx": {"2025-01-01": {"eur": "1/0"}}}), "'1/0' is not an exact number"),
        (case(expect=["many"]), "'many' is not an exact number"),
        (case({"id": "s1"}), r"its inputs cannot be read \(KeyError"),
        (case(inputs={"subscriptions": ["s1"]}), r"its inputs cannot be read \(AttributeError"),
        (case(inputs={"subscriptions": 5}), r"its inputs cannot be read \(TypeError"),
    ],
)
def test_a_case_that_makes_no_sense_is_refused_by_its_name(_case: dict[str, Any], _case_says: str) -> None:
    with pytest.raises(Refused, match=f"^Case Z1: .*{_case_says}") as refused:
        judged(_case)

    assert refused.value.code == "case_file_invalid"


def test_groups_select_and_one_without_a_case_is_refused() -> None:
    file = cases.read(raw(case(), case(id="Z2", group="tax")))

    assert [one.id for one in cases.selected(file, [])] == ["Z1", "Z2"]
    assert [one.id for one in cases.selected(file, ["tax"])] == ["Z2"]
    with pytest.raises(Refused, match=r"No case is in group taxi\.") as refused:
        cases.selected(file, ["tax", "taxi"])
    assert refused.value.hint == "The groups are mrr, tax."
    with pytest.raises(Refused) as refused:
        cases.selected(cases.read(raw()), ["tax"])
    assert refused.value.hint == "The file has no cases."


def test_a_quantity_left_out_is_one_and_a_rate_left_out_is_none() -> None:
    inclusive = {**MONTHLY, "tax_behavior": "inclusive"}
    one = sub({**DEPLOYED, "items": [{"id": "si_1", "price": "p"}], "discounts": None})

    assert judged(case(one, inputs={"prices": {"p": inclusive}})).answers == ("5000",)
    taxed = sub({**DEPLOYED, "tax_rate": 0.25})
    assert judged(case(taxed, inputs={"prices": {"p": inclusive}})).answers == ("4000",)


def test_money_of_other_currencies_is_told_in_the_base_at_the_last_days_rate() -> None:
    yen = {
        "prices": {"p": {**MONTHLY, "currency": "jpy"}},
        "fx": {"2025-02-09": {"jpy": "0.01"}, "2025-01-05": {"jpy": "1"}},
    }
    one = case(sub(currency="jpy"), inputs=yen)

    assert judged(one).answers == ("5000",)
    assert judged({**one, "policy": {"zero_decimal": [], "three_decimal": ["jpy"]}}).answers == ("5",)
    assert judged({**one, "policy": {"zero_decimal": ["jpy"], "three_decimal": []}}).answers == ("5000",)
    assert judged({**one, "policy": {"zero_decimal": [], "three_decimal": []}}).answers == ("50",)


def test_an_end_counts_from_when_it_was_and_not_from_when_it_was_told() -> None:
    late = {"at": "2025-03-02T00:00:00Z", "status": "canceled", "ended_at": "2025-03-01T00:00:00Z"}

    assert moved(sub(late))[1] == ["c1", "churn", "-5000", "2025-03-01T00:00:00Z", "voluntary"]
    assert judged(case(sub(late), ask=[{"metric": "mrr", "at": "2025-03-01T12:00:00Z"}])).answers == ("0",)


def test_mrr_waits_for_the_first_payment_where_policy_wants_it() -> None:
    invoices = [
        {"subscription": "s1", "amount_paid": 0, "paid_at": "2025-01-01T00:00:00Z"},
        {"subscription": "s1", "amount_paid": 5000, "paid_at": None},
        {"subscription": "s1", "amount_paid": 5000, "paid_at": "2025-03-05T00:00:00Z"},
        {"subscription": "s1", "amount_paid": 5000, "paid_at": "2025-02-05T00:00:00Z"},
    ]
    strict = {"policy": {"require_first_payment": True}, "inputs": {"invoices": invoices}}

    assert moved(sub(), **copy.deepcopy(strict)) == [["c1", "new", "5000", "2025-02-05T00:00:00Z"]]
    assert moved(sub(), policy={"require_first_payment": True}) == []


def test_another_interval_or_the_end_of_a_trial_begins_a_new_period() -> None:
    coupon = {"coupons": {"c": {"percent_off": 50, "duration": "repeating"}}}
    given = [{"coupon": "c", "start": "2025-01-10T00:00:00Z", "end": "2025-03-02T00:00:00Z"}]
    yearly = {"at": "2025-01-20T00:00:00Z", "items": [{"id": "si_2", "price": "y"}], "discounts": given}
    trial = {
        "at": "2025-01-02T00:00:00Z",
        "status": "trialing",
        "trial_end": "2025-01-15T00:00:00Z",
        "discounts": given,
    }

    assert moved(sub(yearly), inputs=coupon)[-1] == ["c1", "expansion", "5000", "2026-01-20T00:00:00Z"]
    converted = moved(sub(trial, {"at": "2025-01-15T00:00:00Z", "status": "active"}), inputs=coupon)
    assert converted[-1] == ["c1", "expansion", "2500", "2025-03-15T00:00:00Z"]
    one_time = {"at": "2025-01-20T00:00:00Z", "items": [{"id": "si_2", "price": "once"}], "discounts": given}
    back = {"at": "2025-02-20T00:00:00Z", "items": DEPLOYED["items"]}
    once = {"prices": {"p": MONTHLY, "once": {"currency": "usd", "unit_amount": 5}}, **coupon}
    assert moved(sub(one_time, back), inputs=once)[-1] == ["c1", "expansion", "2500", "2025-04-01T00:00:00Z"]


def test_the_subscription_that_ended_last_says_why_a_customer_left() -> None:
    asked = {
        "at": "2025-02-01T00:00:00Z",
        "status": "canceled",
        "cancellation_details": {"reason": "cancellation_requested"},
    }
    failed = {**asked, "cancellation_details": {"reason": "payment_failed"}, "at": "2025-02-01T00:30:00Z"}

    assert moved(sub(asked), sub(failed, id="s2"))[-1][4] == "involuntary"
    assert moved(sub(failed), sub({**asked, "at": "2025-02-01T01:00:00Z"}, id="s2"))[-1][4] == "voluntary"


def test_a_trial_that_stopped_does_not_keep_a_customer_who_left() -> None:
    trial = [{**DEPLOYED, "status": "trialing"}, {"at": "2025-01-15T00:00:00Z", "status": "paused"}]
    left = {"at": "2025-02-01T00:00:00Z", "status": "canceled"}

    assert moved(sub(left), sub(id="s2", history=trial))[-1][:3] == ["c1", "churn", "-5000"]
