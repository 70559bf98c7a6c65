"""What was recorded at 2026-08-26.dahlia: two events and two answers, without the requests that led to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conformance.comparing import Leaf, Names, compare
from tests.sandbox.conformance.running import newest
from tests.sandbox.conftest import Api
from trueup.sandbox.server.engine import Engine

Json = dict[str, Any]
VERSION = "2026-08-26.dahlia"


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine(start=1_789_859_355)
    yield made
    made.close()


def recorded(shared: Path, name: str) -> Json:
    folder = shared / "stripe" / "corpus" / "Kiln-AI__stripe_world" / "tests" / "conformance" / "cassettes"
    found: Json = newest(json.loads((folder / f"{name}.json").read_bytes()))
    return found


def differing(theirs: Json, ours: Json, names: Names) -> list[Leaf]:
    return [leaf for leaf in compare(theirs, ours, names=names, version=VERSION) if not leaf.equal]


def test_a_customer_that_changes_and_ends_is_told_as_recorded(shared: Path, api: Api) -> None:
    updated = recorded(shared, "probe_customer_payment_method_events.customer.updated.event")
    deleted = recorded(shared, "probe_customer_payment_method_events.customer.deleted.event")
    before = updated["data"]["previous_attributes"]
    customer = api.post("/v1/customers", **before, metadata=updated["data"]["object"]["metadata"])["id"]
    after = {name: updated["data"]["object"][name] for name in before}

    api.post(f"/v1/customers/{customer}", **after, key=updated["request"]["idempotency_key"])
    api.delete(f"/v1/customers/{customer}")

    _, *told = api.events()
    names = Names()
    assert [event["type"] for event in told] == ["customer.updated", "customer.deleted"]
    for theirs, ours in zip((updated, deleted), told, strict=True):
        found = differing(theirs, ours, names)
        assert [(leaf.path, leaf.recorded, leaf.ours) for leaf in found] == [
            ("api_version", "2026-08-26.dahlia", "2026-10-28.endive")
        ]


def test_a_payment_and_its_refund_are_answered_as_recorded(shared: Path, api: Api) -> None:
    intent = recorded(shared, "05_refunds_disputes.payment_intent")
    refund = recorded(shared, "05_refunds_disputes.refund")
    customer = api.post("/v1/customers", email="probe@example.org")["id"]
    method = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]

    paid = api.post(
        "/v1/payment_intents",
        amount=intent["amount"],
        currency=intent["currency"],
        customer=customer,
        payment_method=method,
        description=intent["description"],
        off_session=True,
        confirm=True,
        automatic_payment_methods={"enabled": False},
    )
    api.advance(30)
    asked = {name: refund[name] for name in ("amount", "reason", "metadata")}
    refunded = api.post("/v1/refunds", payment_intent=paid["id"], **asked)

    names = Names()
    only_theirs = [leaf.path for leaf in differing({**intent, "created": paid["created"]}, paid, names)]
    assert only_theirs == ["shared_payment_granted_token"], "the schema does not have it"
    assert differing({**refund, "created": refunded["created"]}, refunded, names) == []
