"""The demo's year: the same for the same arguments, true to Stripe's shapes, and with somebody in every stage."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.ops.demo.conftest import NOW, Event, live, told
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.traces import trace_of
from trueup.mirror.order.types import Verdict
from trueup.mirror.rules import facts_of
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.wire.schema import violations

DAY = 86_400


def digest(path: Path) -> str:
    return hashlib.sha256(b"".join(json.dumps(event).encode() for event in told(path))).hexdigest()


def objects(events: list[Event], *kinds: str) -> list[dict[str, Any]]:
    return [event["data"]["object"] for event in events if event["type"] in kinds]


def newest(events: list[Event], kind: str) -> list[dict[str, Any]]:
    """Every object of a kind as it was told last."""
    last = {event["data"]["object"].get("id"): event["data"]["object"] for event in events}
    return [about for about in last.values() if about["object"] == kind]


def test_the_same_arguments_give_the_same_events_and_secret_in_another_process(tmp_path: Path) -> None:
    here = live(tmp_path / "here.db", companies=9)
    script = (
        "from pathlib import Path; from tests.ops.demo.conftest import live;"
        f"print(live(Path({str(tmp_path / 'there.db')!r}), companies=9).webhook_secret)"
    )
    root = Path(__file__).parents[3]
    paths = os.pathsep.join([str(root / "src"), str(root)])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "12345"}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == here.webhook_secret
    assert digest(tmp_path / "there.db") == digest(tmp_path / "here.db")


def test_another_seed_or_another_moment_shares_no_event_and_no_object(tmp_path: Path, year: list[Event]) -> None:
    ids = {event["id"] for event in year} | {about.get("id") for event in year if (about := event["data"]["object"])}

    for number, (companies, seed, now) in enumerate(((5, 2, NOW), (5, 1, NOW + 1), (4, 1, NOW))):
        path = tmp_path / f"{number}.db"
        live(path, companies=companies, seed=seed, now=now)
        events = told(path)
        made = {event["id"] for event in events} | {
            about.get("id") for event in events if (about := event["data"]["object"])
        }
        assert ids & made <= {None}


def test_what_an_interrupted_start_left_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "year.db"
    for name in ("year.db", "year.db-wal", "year.db-shm"):
        (tmp_path / name).write_bytes(b"half of something")

    live(path, companies=2)

    assert len(objects(told(path), "customer.created")) == 2
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("companies", [1, 7, 60])
def test_any_number_of_companies_signs_up(tmp_path: Path, companies: int) -> None:
    lived = live(tmp_path / "year.db", companies=companies)

    users = {about["metadata"]["user_id"] for about in objects(told(tmp_path / "year.db"), "customer.created")}
    assert len(users) == companies
    assert lived.made >= companies


def test_a_year_is_about_ten_thousand_events_up_to_its_end(year: list[Event]) -> None:
    created = [event["created"] for event in year]

    assert 8_000 <= len(year) <= 20_000
    assert created == sorted(created)
    assert NOW - 366 * DAY <= created[0] <= NOW - 365 * DAY
    assert NOW - DAY < created[-1] <= NOW
    assert len({event["id"] for event in year}) == len(year)


def test_all_of_it_waits_for_one_endpoint_until_it_is_released(kept: Path, year: list[Event], tmp_path: Path) -> None:
    copied = shutil.copy(kept, tmp_path / "copy.db")
    engine = Engine(Path(copied))
    before = engine.outbox.counts()
    engine.outbox.release()
    after = engine.outbox.counts()
    engine.close()

    assert (before["waiting"], before["due"]) == (len(year), 0)
    assert (after["waiting"], after["due"]) == (len(year), len(year))


def test_every_event_is_as_stripes_schema_says(year: list[Event]) -> None:
    problems = Counter(problem for event in year for problem in violations(event))

    assert problems == Counter()


def test_previous_attributes_laid_over_an_object_give_the_version_before(year: list[Event]) -> None:
    versions: dict[str, dict[str, Any]] = {}
    compared = 0
    for event in year:
        about, previous = event["data"]["object"], event["data"].get("previous_attributes")
        if previous and (before := versions.get(about["id"])):
            assert {**about, **previous}.keys() == before.keys()
            assert all(before[name] == value for name, value in previous.items() if not isinstance(value, dict))
            compared += 1
        if "id" in about:
            versions[about["id"]] = about

    assert compared > 2_000


def test_the_order_within_a_second_is_told_by_nearly_all_events(year: list[Event]) -> None:
    by_object: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for event in year:
        if fact := facts_of(event):
            by_object[fact.object_type, fact.object_id].append(fact)
    heads = {key: resolve(map(trace_of, facts)).head for key, facts in by_object.items()}

    verdicts = Counter(head.verdict for head in heads.values())
    assert verdicts[Verdict.CERTAIN] > 0.9 * len(heads)


def test_the_year_ends_with_customers_in_every_stage(year: list[Event]) -> None:
    customers = newest(year, "customer")
    subscribed = {sub["customer"] for sub in newest(year, "subscription")}
    stages = Counter(
        "collection paused" if sub["pause_collection"] else sub["status"] for sub in newest(year, "subscription")
    )
    stages["lead"] = sum(about["id"] not in subscribed for about in customers)
    stages["deleted"] = len(objects(year, "customer.deleted"))
    stages["leaving"] = sum(sub["cancel_at_period_end"] for sub in newest(year, "subscription"))

    assert stages["active"] > 80
    assert all(stages[stage] >= 5 for stage in ("trialing", "canceled", "lead", "past_due"))
    assert all(stages[stage] >= 2 for stage in ("paused", "collection paused", "deleted", "leaving"))


def test_somebody_is_in_dunning_and_somebody_renews_within_hours_of_the_end(year: list[Event]) -> None:
    invoices = newest(year, "invoice")
    retried = [one for one in invoices if one["status"] == "open" and one["next_payment_attempt"]]
    items = [item for sub in newest(year, "subscription") if sub["status"] == "active" for item in sub["items"]["data"]]
    edges = [edge - NOW for item in items for edge in (item["current_period_start"], item["current_period_end"])]

    assert len(retried) >= 4
    assert all(NOW < one["next_payment_attempt"] <= NOW + 14 * DAY for one in retried)
    assert sum(-2 * 3_600 <= edge <= 0 for edge in edges) >= 1
    assert sum(0 < edge <= 5 * 3_600 for edge in edges) >= 3


def test_money_of_four_currencies_goes_back_is_disputed_and_is_taken_off(year: list[Event]) -> None:
    kinds = {event["type"] for event in year}

    assert {one["currency"] for one in objects(year, "invoice.paid")} == {"usd", "eur", "gbp", "jpy"}
    assert kinds >= {"charge.refunded", "charge.dispute.created", "customer.discount.created", "invoice.payment_failed"}
    assert any(one["total_discount_amounts"] for one in objects(year, "invoice.paid"))


def test_no_card_number_and_no_real_mail_address_appears(year: list[Event]) -> None:
    text = "\n".join(json.dumps(event["data"]["object"]) for event in year)
    # These numbers are as long as a card's, and have to do with none.
    words = set(re.sub(r'"(network_transaction_id|reference)": "\d+"', "", text).split('"'))
    addresses = {word for word in words if "@" in word}

    assert {"4242", "visa"} <= words
    assert not [word for word in words if re.fullmatch(r"[\s:,]*\d(?:[ -]?\d){11,18}[\s:,}\]]*", word)]
    assert len(addresses) > 150
    assert all(re.fullmatch(r"[a-z]+@[a-z0-9-]+\.example", address) for address in addresses)


def test_invoices_add_up(year: list[Event]) -> None:
    invoices = [about for event in year if (about := event["data"]["object"])["object"] == "invoice"]

    for one in invoices:
        off = sum(part["amount"] for part in one["total_discount_amounts"])
        assert one["total"] == one["subtotal"] - off
        assert one["amount_remaining"] == one["amount_due"] - one["amount_paid"]
        if not one["lines"]["has_more"]:
            assert sum(line["amount"] for line in one["lines"]["data"]) == one["subtotal"]
    assert len(list(itertools.islice(invoices, 1_000))) == 1_000
