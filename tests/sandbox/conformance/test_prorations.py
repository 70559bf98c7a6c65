"""Recorded proration lines come out the same where the same change is made at the same second of the same period."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.sandbox.conformance import account
from tests.sandbox.conformance.stage import objects
from tests.sandbox.conftest import Api
from trueup.mirror.upcast import upcast
from trueup.sandbox.server.engine import Engine

Json = dict[str, Any]

_FLEXIBLE_SINCE: Final = "2025-09-30"
DAY: Final = 86_400
_PRICES: Final = frozenset({"small-monthly", "small-annual"})


@dataclass(frozen=True)
class Line:
    """A proration line, as far as it has to agree. Sides of the period are unix seconds."""

    amount: int
    description: str
    price: str
    quantity: int
    start: int
    end: int


@dataclass(frozen=True)
class Change:
    """The proration lines that one change of a subscription made, and the version it was recorded at."""

    version: str
    lines: tuple[Line, ...]


def _recorded(shared: Path, kind: str) -> Iterator[tuple[str, Json]]:
    """Each recorded object of a kind once, in the newest shape, with the version it was recorded at."""
    corpus, seen = shared / "stripe" / "corpus", set()
    with (corpus / "INDEX.csv").open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            if row["kind"] == "error":
                continue
            for one in objects(json.loads((corpus / row["file"]).read_bytes())):
                if one.get("object") == kind and one.get("id") not in seen:
                    seen.add(one.get("id"))
                    yield row["api_version"], upcast(kind, one)


def _proration(line: Json) -> bool:
    parent = line.get("parent") or {}
    held = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return bool(line.get("proration") or held.get("proration"))


def _read(line: Json) -> Line:
    return Line(
        amount=line["amount"],
        description=line["description"],
        price=line["pricing"]["price_details"]["price"],
        quantity=line["quantity"],
        start=line["period"]["start"],
        end=line["period"]["end"],
    )


def changes(shared: Path) -> list[Change]:
    """The lines of recorded invoices that credit a month and, where the year began within it, debit the year."""
    found = []
    for version, invoice in _recorded(shared, "invoice"):
        lines = [_read(line) for line in (invoice.get("lines") or {}).get("data", []) if _proration(line)]
        if lines and lines[0].price in _PRICES:
            found.append(Change(version, tuple(sorted(lines, key=lambda line: line.amount))))
    return found


def _began(credit: Line) -> int:
    """When the credited period began: on the day of the change, as all were recorded, at the time of day it ends at."""
    return credit.start - (credit.start - credit.end) % DAY


def _again(change: Change) -> list[Line]:
    """The proration lines of the same change in the sandbox: a month's price gives way to a year's."""
    credit = change.lines[0]
    engine = Engine(start=_began(credit))
    api = Api(engine)
    customer, prices = _prepare(api)
    subscription = api.post(
        "/v1/subscriptions",
        customer=customer,
        items=[{"price": prices[credit.price], "quantity": credit.quantity}],
        billing_mode={"type": "flexible" if change.version >= _FLEXIBLE_SINCE else "classic"},
    )
    assert subscription["items"]["data"][0]["current_period_end"] == credit.end
    engine.advance(credit.start)
    flexible = change.version >= _FLEXIBLE_SINCE
    asked: Json = {"billing_cycle_anchor": {"type": "now"}} if flexible and len(change.lines) == 1 else {}
    item = subscription["items"]["data"][0]["id"]
    updated = api.post(
        f"/v1/subscriptions/{subscription['id']}",
        items=[{"id": item, "price": prices["small-annual"], "quantity": credit.quantity}],
        proration_behavior="always_invoice",
        proration_date=credit.start,
        expand=["latest_invoice"],
        **asked,
    )
    names = {ours: recorded for recorded, ours in prices.items()}
    lines = [_read(line) for line in updated["latest_invoice"]["lines"]["data"] if _proration(line)]
    engine.close()
    return [Line(**{**vars(line), "price": names[line.price]}) for line in sorted(lines, key=lambda line: line.amount)]


def _prepare(api: Api) -> tuple[str, dict[str, str]]:
    for form in account.PRODUCTS:
        product: Json = dict(pair.split("=") for pair in form.split("&"))
        api.post("/v1/products", **product)
    customer = api.post("/v1/customers", email="stripe@example.org", name="Stripe User")["id"]
    method = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    api.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method})
    monthly: Json = {"product": "prod_EYTX7RYhRjcwKD", "currency": "usd", "recurring": {"interval": "month"}}
    yearly: Json = {**monthly, "recurring": {"interval": "year"}}
    return customer, {
        "small-monthly": api.post("/v1/prices", **monthly, unit_amount=2500)["id"],
        "small-annual": api.post("/v1/prices", **yearly, unit_amount=25000)["id"],
    }


def test_every_recorded_proration_line_of_a_swap_comes_out_the_same(shared: Path) -> None:
    recorded = changes(shared)

    again = [_again(change) for change in recorded]

    assert again == [list(change.lines) for change in recorded]
    assert sum(map(len, again)) == 30


def test_the_recorded_proration_of_several_comes_out_the_same(shared: Path) -> None:
    (recorded,) = [one for _, one in _recorded(shared, "invoiceitem") if _proration(one)]
    credit, month = _read(recorded), 31 * DAY
    engine = Engine(start=credit.end - month)
    api = Api(engine)
    customer, _ = _prepare(api)
    product = api.post("/v1/products", name="Error reporting for an app")["id"]
    monthly: Json = {"product": product, "currency": "usd", "recurring": {"interval": "month"}}
    price = api.post("/v1/prices", **monthly, unit_amount=recorded["plan"]["amount"])["id"]
    asked: Json = {"customer": customer, "items": [{"price": price, "quantity": credit.quantity}]}
    subscription = api.post("/v1/subscriptions", **asked, billing_mode={"type": "classic"})
    engine.advance(credit.start)

    item = subscription["items"]["data"][0]["id"]
    api.post(f"/v1/subscription_items/{item}", quantity=credit.quantity + 1)

    made = [_read(one) for one in api.get("/v1/invoiceitems", customer=customer)["data"]]
    engine.close()
    assert [Line(**{**vars(one), "price": credit.price}) for one in made if one.amount < 0] == [credit]
