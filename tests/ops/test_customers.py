"""What the commands about one customer print, to people and to programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.console import world
from tests.web.console.world import DAY, START
from trueup.customer import service as customers
from trueup.customer.rules.contact import CONTACT_FIELDS
from trueup.ops import cli
from trueup.runtime import configuration, installation

CHARGE = {
    "object": "charge",
    "customer": "cus_1",
    "currency": "usd",
    "amount": 4900,
    "captured": True,
    "payment_intent": None,
}


@pytest.fixture
def told(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A customer with a plan that will change and end, a payment and a failure."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    about = world.customer(
        "cus_1",
        "Acme",
        currency="usd",
        balance=-1500,
        delinquent=True,
        preferred_locales=["de"],
        metadata={"tags": "vip, beta"},
    )
    schedule = {
        "id": "sub_sched_1",
        "object": "subscription_schedule",
        "customer": "cus_1",
        "subscription": "sub_1",
        "status": "active",
        "end_behavior": "cancel",
        "current_phase": {"start_date": START, "end_date": START + 30 * DAY},
        "phases": [
            {"start_date": START, "end_date": START + 30 * DAY, "items": [{"price": "price_pro", "quantity": 1}]},
            {
                "start_date": START + 30 * DAY,
                "end_date": START + 60 * DAY,
                "items": [{"price": "price_pro", "quantity": 5}, {"price": "price_metered"}],
            },
        ],
    }
    charges: list[dict[str, Any]] = [
        CHARGE | {"id": "ch_1", "status": "succeeded", "paid": True, "created": START + DAY},
        CHARGE
        | {"id": "ch_2", "status": "failed", "paid": False, "created": START + 2 * DAY}
        | {"failure_code": "expired_card"},
    ]
    world.told(
        world.connect(),
        world.event("customer.created", about, id="evt_customer"),
        world.event("customer.subscription.created", world.subscription("sub_1", "cus_1"), at=START + 5),
        world.event("subscription_schedule.created", schedule, at=START + 6),
        world.event("charge.succeeded", charges[0], at=START + DAY, id="evt_paid"),
        world.event("charge.failed", charges[1], at=START + 2 * DAY, id="evt_failed"),
    )
    yield
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run(list(arguments)) == 0
    return capsys.readouterr().out


def values(said: str) -> dict[str, str]:
    """What is printed beside each label."""
    return dict(re.split(r" {2,}", line, maxsplit=1) for line in said.splitlines())


def test_show_prints_what_the_fold_has_learned(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    shown = values(run(capsys, "customer", "show", "cus_1"))

    assert (
        shown
        | {
            "Stripe": "cus_1",
            "Language": "de",
            "Currency": "USD",
            "MRR": "49.00 USD",
            "Scheduled": "changes to Pro x 5, price_metered on 2026-10-21 14:13; cancels on 2026-11-20 14:13",
            "Method on file": "no",
            "Payment method": "—",
            "Delinquent": "yes",
            "Balance": "-15.00 USD",
            "Last payment": "49.00 USD on 2026-09-22 14:13",
            "Last failure": "49.00 USD on 2026-09-23 14:13: The card has expired. Trying again may help.",
            "Paid in all": "49.00 USD",
            "Tags": "beta, vip",
        }
        == shown
    )


def test_show_names_the_events_behind_each_value(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    shown = values(run(capsys, "customer", "show", "cus_1", "--why"))

    assert shown["Last failure"].endswith("← evt_failed")
    assert shown["Paid in all"] == "49.00 USD   ← evt_paid"
    assert shown["Tags"] == "beta, vip   ← evt_customer"
    assert shown["Trial ends"] == "—"


def test_contact_prints_the_six_fields_and_what_they_leave_out(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    shown = values(run(capsys, "customer", "contact", "cus_1"))

    assert list(shown)[:6] == list(CONTACT_FIELDS)
    assert shown == {
        "plan": "price_pro",
        "mrr": "49.00",
        "billing_status": "active",
        "trial_end_date": "—",
        "subscription_start_date": "2026-09-21",
        "payment_method": "false",
        "stripe_billing_status": "active",
        "mrr_currency": "usd",
        "mrr_by_currency": '{"usd":"49.00"}',
    }


def test_contact_in_json_is_what_the_api_answers(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    contact = customers.contact("cus_1")

    said = json.loads(run(capsys, "customer", "contact", "cus_1", "--json"))

    assert said == {"fields": contact.fields, "details": contact.details}


def test_timeline_prints_the_kinds_that_are_asked_for(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    payments = run(capsys, "customer", "history", "cus_1", "--kind", "payment")
    both = json.loads(run(capsys, "customer", "history", "cus_1", "--kind", "payment", "--kind", "customer", "--json"))

    assert "Payment of $49.00 failed: card expired" in payments
    assert "Became a customer" not in payments
    assert {entry["kind"] for entry in both["data"]} == {"payment", "customer"}
    assert run(capsys, "customer", "history", "cus_1", "--kind", "discount").strip() == "Nothing of this kind."


def test_history_names_who_acted_and_ends_at_a_moment(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    whole = run(capsys, "customer", "history", "cus_1")
    earlier = run(capsys, "customer", "history", "cus_1", "--as-of", "2026-09-22T14:13:20Z")

    assert "by Stripe itself" in whole
    assert "stripe evt_failed" in whole
    assert "evt_failed" not in earlier
    assert "evt_paid" in earlier


def test_why_a_payment_failed_says_whether_to_try_again(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, "customer", "why", "cus_1", "last_failure", "--json"))

    assert found["reason"] == "The newest charge that failed. The card has expired. Trying again may help."
    assert (found["value"]["hard"], found["value"]["advice_code"]) == (False, None)


def test_timeline_says_how_to_go_on_and_refuses_an_unknown_kind(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["customer", "history", "cus_1", "--limit", "1"]) == 0
    following = re.search(r"Next page: --after (\S+)", capsys.readouterr().err)
    assert following is not None

    assert "Payment of $49.00 succeeded" in run(
        capsys, "customer", "history", "cus_1", "--limit", "1", "--after", following[1]
    )
    assert cli.run(["customer", "history", "cus_1", "--kind", "gossip"]) == 2
