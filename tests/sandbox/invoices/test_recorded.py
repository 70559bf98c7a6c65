"""Invoices that Stripe answered with, and ours of the same steps: equal but for ids, times and addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

Json = dict[str, Any]
Make = Callable[..., Json]

CASSETTES = "stripe/corpus/pay-rails__pay/test/vcr_cassettes"
ONE_OFF = f"{CASSETTES}/test_stripe_can_create_an_invoice"
NEWER = {"amount_paid_off_stripe", "status_details", "threshold_reason", "quantity_decimal", "subtotal"}
NEWER_ITEM = {"customer_account", "frozen_fields", "invoicing_rules", "net_amount", "proration_details"}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a body with its path; empty lists and hashes are leaves."""
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from leaves(one, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for at, one in enumerate(value):
            yield from leaves(one, f"{path}[{at}]")
    else:
        yield path, value


def plain(value: Any) -> Any:
    """A leaf without what differs from run to run: ids, times, tokens, addresses."""
    if isinstance(value, str):
        value = re.sub(r"\b[a-z]{2,5}_(test_)?[A-Za-z0-9_]{8,}", "ID", value)
        value = re.sub(r"^[A-Z0-9]{8}-", "PREFIX-", value)
        return re.sub(r"^https://.*", "URL", value)
    return "TIME" if isinstance(value, int) and not isinstance(value, bool) and value > 1_500_000_000 else value


def differing(ours: Json, theirs: Json) -> dict[str, tuple[Any, Any]]:
    """The leaves that both have and that differ, and those that only theirs has."""
    mine = dict(leaves(ours))
    return {
        path: (mine.get(path, "MISSING"), value)
        for path, value in leaves(theirs)
        if plain(mine.get(path, "MISSING")) != plain(value) and path != ".account_name"
    }


def added(ours: Json, theirs: Json) -> set[str]:
    """The names of fields that only ours has."""
    known = {path for path, _value in leaves(theirs)}
    return {path.rpartition(".")[2].split("[")[0] for path, _value in leaves(ours) if path not in known}


@pytest.fixture
def recorded(shared: Path) -> Callable[[str], Json]:
    """Reads a recording."""

    def read(name: str) -> Json:
        found: Json = orjson.loads((shared / name).read_bytes())
        return found

    return read


@pytest.fixture
def item(api: Any, payer: Make) -> Json:
    """The invoice item of the recorded steps."""
    found: Json = api.post(
        "/v1/invoiceitems",
        customer=payer()["id"],
        amount=1000,
        currency="usd",
        description="One-time setup fee",
    )
    return found


def test_an_item_is_as_recorded(item: Json, recorded: Callable[[str], Json]) -> None:
    theirs = recorded(f"{ONE_OFF}/021.invoiceitem.json")

    assert differing(item, theirs) == {}
    assert added(item, theirs) <= NEWER | NEWER_ITEM


def test_a_draft_is_as_recorded(api: Any, item: Json, recorded: Callable[[str], Json]) -> None:
    theirs = recorded(f"{ONE_OFF}/024.invoice.json")

    ours = api.post("/v1/invoices", pending_invoice_items_behavior="include", customer=item["customer"])

    assert differing(ours, theirs) == {}
    assert added(ours, theirs) <= NEWER


def test_a_paid_invoice_is_as_recorded(api: Any, item: Json, recorded: Callable[[str], Json]) -> None:
    theirs = recorded(f"{ONE_OFF}/017.invoice.json")
    draft = api.post("/v1/invoices", pending_invoice_items_behavior="include", customer=item["customer"])

    ours = api.post(f"/v1/invoices/{draft['id']}/pay")

    assert differing(ours, theirs) == {}
    assert added(ours, theirs) <= NEWER | {"customer_account"}


def test_an_empty_draft_is_as_recorded(api: Any, payer: Make, recorded: Callable[[str], Json]) -> None:
    theirs = recorded(f"{CASSETTES}/test_sync_stripe_invoice_discounts_and_coupons/003.invoice.json")

    ours = api.post("/v1/invoices", customer=payer()["id"])

    assert differing(ours, theirs) == {}


def test_a_payment_of_an_invoice_is_as_recorded(api: Any, item: Json, recorded: Callable[[str], Json]) -> None:
    theirs = recorded(f"{CASSETTES}/test_connect_direct_subscription/009.list.json")
    draft = api.post("/v1/invoices", pending_invoice_items_behavior="include", customer=item["customer"])
    api.post(f"/v1/invoices/{draft['id']}/pay")

    ours = api.get("/v1/invoice_payments", invoice=draft["id"], status="paid")

    assert differing(ours, theirs) == {}
    assert added(ours, theirs) == set()


def test_a_credit_note_is_as_recorded(api: Any, item: Json, recorded: Callable[[str], Json]) -> None:
    theirs = recorded(
        f"{CASSETTES}/test_stripe_can_issue_credit_note_for_a_refund_for_Stripe_tax/007.credit_note.6e287fa7.json"
    )
    draft = api.post("/v1/invoices", pending_invoice_items_behavior="include", customer=item["customer"])
    api.post(f"/v1/invoices/{draft['id']}/pay")

    ours = api.post(
        "/v1/credit_notes",
        invoice=draft["id"],
        refund_amount=500,
        lines=[{"type": "custom_line_item", "description": "Refund", "quantity": 1, "unit_amount": 500}],
    )

    assert differing(ours, theirs) == {}
