"""Recorded objects and events: each can be looked at, and late ones are nearly as the schema says."""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from trueup.sandbox.wire.schema import violations

Json = dict[str, Any]


def recorded(shared: Path) -> Iterator[tuple[str, Json]]:
    """Every recorded object and event with the API version it came in."""
    corpus = shared / "stripe" / "corpus"
    with (corpus / "INDEX.csv").open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            if row["kind"] != "error":
                yield row["api_version"], json.loads((corpus / row["file"]).read_bytes())


FIXTURES: Final = {
    # The fixtures do not say which API version they are of. These fields are in one and not in the other.
    "account_session": {
        *("components.payment_method_settings: missing", "components.reporting_chart: missing"),
        *("components.terminal_hardware_orders: missing", "components.terminal_hardware_shop: missing"),
    },
    "billing_portal.configuration": {"features.subscription_pause: missing"},
    "customer_session": {"components.active_entitlements: missing", "components.customer_portal: missing"},
    "dispute": {"evidence_details.submission_method: missing"},
    "event": {"data.object.aggregate_usage: unknown field of plan"},
    "invoice": {"subscription: unknown field of invoice"},
    "reserve.hold": {"destination: missing"},
    "reserve.plan": {"destination: missing"},
    "reserve.release": {
        "destination: missing",
        "reason: 'bulk_hold_expiry' is not one of hold_expired, hold_released_early, hold_reversed, plan_disabled",
    },
    "subscription_schedule": {"pause_schedules: missing"},
    # Kinds that the SDK does not have, and so neither does the schema.
    "issuing.settlement": {"object: 'issuing.settlement' is not a kind of object"},
    "sigma.sigma_api_query": {"object: 'sigma.sigma_api_query' is not a kind of object"},
    "terminal.refund": {"object: 'terminal.refund' is not a kind of object"},
}


def test_stripes_own_fixtures_differ_in_few_places(shared: Path) -> None:
    fixtures = json.loads((shared / "stripe" / "fixtures3.json").read_bytes())["resources"]

    found = {name: set(lines) for name, obj in fixtures.items() if (lines := violations(obj))}

    assert found == FIXTURES
    assert len(fixtures) > 150


LATE: Final = {
    # Recorded although the schema does not have it, and missing where the schema, which is newer, has it.
    "2025-10-29.clover": {
        *("plan: unknown field of subscription", "quantity: unknown field of subscription"),
        *("destination: unknown field of charge", "dispute: unknown field of charge", "order: unknown field of charge"),
        *("billing_schedules: missing", "quantity_decimal: missing", "subtotal: missing"),
    },
    "2026-03-25.dahlia": {
        *("plan: unknown field of subscription", "quantity: unknown field of subscription"),
        "billing_schedules: missing",
    },
    "2026-08-26.dahlia": {"shared_payment_granted_token: unknown field of payment_intent"},
}


def test_late_recordings_differ_in_a_few_fields_only(shared: Path) -> None:
    found: dict[str, set[str]] = {version: set() for version in LATE}
    for version, obj in recorded(shared):
        if version in LATE:
            found[version] |= {_last(line) for line in violations(obj)}

    assert found == LATE


def _last(line: str) -> str:
    """A line with the last field of its path only."""
    path, _, told = line.partition(": ")
    return f"{path.rpartition('.')[2]}: {told}"


def test_every_recording_of_any_version_can_be_looked_at(shared: Path) -> None:
    looked = 0
    for _version, obj in recorded(shared):
        before = copy.deepcopy(obj)

        told = violations(obj)

        assert all(": " in line and not line.startswith((".", ":")) for line in told)
        assert obj == before
        looked += 1

    assert looked > 1400
