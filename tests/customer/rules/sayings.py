"""What the timeline says of one made-up event."""

from __future__ import annotations

from typing import Any

from trueup.customer.rules import entry
from trueup.customer.types import Entry
from trueup.mirror.types import Fact

NOW = 1_779_782_400  # May 26, 2026
DAY = 86_400
USD: dict[str, Any] = {"amount": 4900, "currency": "usd"}
INVOICE: dict[str, Any] = {"number": "A-1", "currency": "usd", "total": 4900, "amount_due": 4900, "amount_paid": 4900}


def told(event_type: str, data: dict[str, Any], previous: dict[str, Any] | None = None) -> Entry | None:
    fact = Fact(
        object_type="x",
        object_id="x_1",
        created=NOW,
        event_id="evt_1",
        event_type=event_type,
        deleted=False,
        data=data,
        previous=previous,
        customer="cus_1",
    )
    return entry(fact, product_names={})


def said(event_type: str, data: dict[str, Any], previous: dict[str, Any] | None = None) -> object:
    found = told(event_type, data, previous)
    return None if found is None else (found.title, found.detail, found.tone)
