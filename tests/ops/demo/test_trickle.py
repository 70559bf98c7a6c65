"""What goes on after the year."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.demo.conftest import NOW, live, told
from trueup.ops.demo.trickle import Trickle
from trueup.sandbox import Sandbox, start


@pytest.fixture
def sandbox(kept: Path, tmp_path: Path) -> Iterator[Sandbox]:
    """The sandbox of the year, with a clock that runs."""
    with start(path=shutil.copy(kept, tmp_path / "year.db"), mode="running") as started:
        yield started


def test_something_happens_every_three_to_eight_seconds(sandbox: Sandbox) -> None:
    trickle = Trickle(sandbox, lives_seed="x", made=200)

    waits = [trickle.wait() for _ in range(200)]

    assert 3 <= min(waits) < 4
    assert 7 < max(waits) <= 8


def test_within_an_hour_or_so_everything_happens_to_somebody(sandbox: Sandbox) -> None:
    trickle = Trickle(sandbox, lives_seed="x", made=300)
    before = len(sandbox.events())

    for _ in range(500):
        trickle.happen()

    events = sandbox.events()[before:]
    assert {event["type"] for event in events} >= {
        "customer.created", "customer.updated", "customer.subscription.created", "customer.subscription.updated",
        "customer.subscription.deleted", "invoice.created", "invoice.finalized", "invoice.paid",
        "invoice.payment_failed", "payment_method.attached", "charge.failed", "charge.refunded",
        "charge.dispute.created",
    }  # fmt: skip
    reasons = Counter(event["data"]["object"]["billing_reason"] for event in events if event["type"] == "invoice.paid")
    assert reasons.keys() >= {"subscription_create", "subscription_update"}
    assert all(NOW <= event["created"] <= sandbox.now for event in events)
    assert trickle.made > 330
    # The business is about as large as it was.
    active = len([sub for sub in _subscriptions(sandbox) if sub["status"] == "active"])
    assert active > 100


def _subscriptions(sandbox: Sandbox) -> list[dict[str, object]]:
    last = {one["data"]["object"].get("id"): one["data"]["object"] for one in sandbox.events()}
    return [about for about in last.values() if about["object"] == "subscription"]


def test_newcomers_are_other_companies_than_those_of_the_year_also_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "year.db"
    lived = live(path, companies=40)
    made = lived.made
    for _ in range(2):
        with start(path=path, mode="running") as sandbox:
            trickle = Trickle(sandbox, lives_seed=lived.lives_seed, made=made)
            for _ in range(120):
                trickle.happen()
            made = trickle.made

    customers = [event["data"]["object"] for event in told(path) if event["type"] == "customer.created"]
    # Somebody signs up a second time on purpose.
    signed_up = [one for one in customers if one["metadata"]["created_via"] == "signup"]
    assert len(signed_up) > 50
    assert len({one["name"] for one in signed_up}) == len(signed_up)
    assert len({one["metadata"]["user_id"] for one in signed_up}) == len(signed_up)


def test_it_happens_to_customers_whom_somebody_made_over_the_api(tmp_path: Path) -> None:
    path = tmp_path / "year.db"
    lived = live(path, companies=1)
    with start(path=path, mode="running") as sandbox:
        trickle = Trickle(sandbox, lives_seed=lived.lives_seed, made=lived.made)
        price = {"currency": "usd", "unit_amount": 700, "recurring": {"interval": "month"}, "lookup_key": "mine"}
        mine = sandbox.request("POST", "/v1/prices", {**price, "product_data": {"name": "Mine"}})
        customer = sandbox.request("POST", "/v1/customers", {"name": "Ada"})["id"]
        card = sandbox.request("POST", "/v1/payment_methods/pm_card_visa/attach", {"customer": customer})
        settings = {"invoice_settings": {"default_payment_method": card["id"]}}
        sandbox.request("POST", f"/v1/customers/{customer}", settings)
        sandbox.request("POST", "/v1/subscriptions", {"customer": customer, "items": [{"price": mine["id"]}]})
        before = len(sandbox.events())
        for _ in range(60):
            trickle.happen()
        # A price that is not of the catalogue does not disturb the next start.
        Trickle(sandbox, lives_seed=lived.lives_seed, made=trickle.made)

        events = sandbox.events()[before:]
    assert any(event["data"]["object"].get("customer") == customer for event in events)


def test_a_sandbox_of_nobody_gets_its_first_customers(tmp_path: Path) -> None:
    with start(path=tmp_path / "empty.db", mode="running") as sandbox:
        trickle = Trickle(sandbox, lives_seed="x", made=0)
        for _ in range(10):
            trickle.happen()

        assert sandbox.events("customer.created")
