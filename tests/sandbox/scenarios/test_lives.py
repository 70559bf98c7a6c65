"""Every life can be lived to its end, and makes the point that its name promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import orjson
import pytest

from tests.sandbox.conftest import Api
from trueup.kernel.errors import Refused
from trueup.sandbox.scenarios.companies import Companies
from trueup.sandbox.scenarios.lives import SCENARIOS
from trueup.sandbox.scenarios.shop import Obj
from trueup.sandbox.scenarios.stage import Stage, named
from trueup.sandbox.server.engine import Engine

DAY = 86_400


class Asked:
    """The checked client, as scenarios ask for one."""

    def __init__(self, api: Api) -> None:
        self._api = api

    @property
    def now(self) -> int:
        return self._api.engine.now()

    def request(self, method: str, path: str, params: Mapping[str, Any] | None = None) -> Obj:
        answer = self._api.answer(method, path, params or {})
        body: Obj = orjson.loads(answer.body)
        if answer.status >= 400:
            assert answer.status < 500, body
            raise Refused(body["error"]["message"], code="asked")
        return body

    def advance(self, to: int) -> int:
        return self._api.engine.advance(to)


def lived(api: Api, name: str, days: int) -> list[str]:
    """The types of the events of one life."""
    stripe = Asked(api)
    stage = Stage(stripe, seed="tests")
    api.events()
    stage.enter(name, stripe.now + DAY, until=stripe.now + days * DAY)
    stage.run(stripe.now + days * DAY)
    assert stage.broken == []
    return api.types()


MADE: dict[str, set[str]] = {
    "lead": {"customer.created"},
    "happy_monthly": {"invoice.paid", "invoice.upcoming"},
    "annual_with_coupon": {"customer.discount.created"},
    "launch_coupon": {"customer.discount.deleted"},
    "trial_converts": {"customer.subscription.trial_will_end", "charge.succeeded"},
    "trial_without_card": {"customer.subscription.deleted"},
    "trial_paused": {"customer.subscription.paused"},
    "trial_resumed": {"customer.subscription.paused", "customer.subscription.resumed"},
    "upgrade": {"invoiceitem.created"},
    "scheduled_downgrade": {"subscription_schedule.updated", "subscription_schedule.released"},
    "price_increase": {"price.created", "subscription_schedule.updated", "subscription_schedule.released"},
    "recovered_dunning": {"invoice.payment_failed", "invoice.paid"},
    "involuntary_churn": {"invoice.payment_failed", "customer.subscription.deleted"},
    "incomplete_expired": {"charge.failed", "invoice.voided"},
    "cancels": {"customer.subscription.deleted"},
    "refunded": {"charge.refunded"},
    "disputed": {"charge.dispute.created", "charge.dispute.closed"},
    "dispute_won": {"charge.dispute.funds_reinstated"},
    "paused": {"invoice.voided"},
    "pays_by_invoice": {"invoice.sent"},
    "deleted": {"customer.deleted", "customer.subscription.deleted"},
}


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_a_life_makes_its_point(api: Api, name: str) -> None:
    types = lived(api, name, 200)

    assert types[0] == "customer.created"
    assert set(types) >= MADE.get(name, set())


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("in_trial", lambda one: one["status"] == "trialing"),
        ("in_dunning", lambda one: one["status"] == "past_due"),
        ("leaving", lambda one: one["status"] == "active" and one["cancel_at_period_end"]),
        (
            "renews_now",
            lambda one: one["status"] == "active" and one["items"]["data"][0]["current_period_start"] > one["created"],
        ),
    ],
)
def test_a_life_is_in_the_middle_of_it_at_the_end(api: Api, name: str, fits: Callable[[Obj], bool]) -> None:
    lived(api, name, 100)

    [subscription] = Asked(api).request("GET", "/v1/subscriptions", {})["data"]
    assert fits(subscription)


def test_some_renewals_fall_into_the_hours_around_the_end(api: Api) -> None:
    stripe = Asked(api)
    end = stripe.now + 100 * DAY
    stage = Stage(stripe, seed="renewals")
    stage.populate(12, since=stripe.now, until=end, names=["renews_now"])
    stage.run(end)

    items = [one["items"]["data"][0] for one in stripe.request("GET", "/v1/subscriptions", {"limit": 100})["data"]]
    edges = [edge for item in items for edge in (item["current_period_start"], item["current_period_end"])]
    assert sum(abs(edge - end) < 6 * 3_600 for edge in edges) >= 6


def test_companies_go_on_where_others_ended() -> None:
    whole, first = Companies(Random("x")), Companies(Random("x"))
    names = [whole.next().name for _ in range(60)]
    assert [first.next().name for _ in range(20)] == names[:20]

    rest = Companies(Random("x"), made=20)

    found = [rest.next() for _ in range(40)]
    assert [one.name for one in found] == names[20:]
    assert found[0].user_id == "user_00021"


def test_there_are_many_scenarios_and_each_says_what_it_is() -> None:
    assert len(SCENARIOS) >= 30
    assert all(scenario.about.endswith(".") for scenario in SCENARIOS.values())
    assert set(MADE) <= set(SCENARIOS)


def test_an_unknown_scenario_is_refused_with_those_there_are() -> None:
    with pytest.raises(Refused) as caught:
        named("happy")

    assert "happy_monthly" in caught.value.hint


def test_the_same_seed_gives_the_same_world() -> None:
    def world(seed: str) -> list[bytes]:
        engine = Engine(seed="lives")
        stripe = Asked(Api(engine))
        stage = Stage(stripe, seed=seed)
        stage.populate(40, since=stripe.now, until=stripe.now + 60 * DAY)
        stage.run(stripe.now + 60 * DAY)
        assert stage.broken == []
        found = [row[0] for row in engine.store.db.execute("select body from event order by seq")]
        engine.close()
        return found

    assert world("a") == world("a")
    assert world("a") != world("b")


def test_offices_pay_in_their_own_currencies(api: Api) -> None:
    lived(api, "currency_variety", 40)

    paid = api.get("/v1/charges", limit=100)["data"]

    assert {charge["currency"] for charge in paid} == {"usd", "eur", "gbp", "jpy"}
    assert {charge["amount"] for charge in paid if charge["currency"] == "jpy"} == {24_000}
