"""Objects of one made-up customer, in the newest shape, with no more fields than a test names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from trueup.customer.fold import fold
from trueup.customer.types import CustomerState
from trueup.mirror.types import MirrorObject

NOW = 1_700_000_000
DAY = 86_400


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def told(object_type: str, object_id: str, *, when: int = NOW, deleted: bool = False, **data: Any) -> MirrorObject:
    return MirrorObject(
        object_type=object_type,
        object_id=object_id,
        data={"id": object_id, "object": object_type, **data},
        deleted=deleted,
        created=when,
        event_id=f"evt_{object_id}_{when}",
        event_type=f"{object_type}.updated",
    )


def customer(**data: Any) -> MirrorObject:
    return told("customer", "cus_1", **data)


def price(unit_amount: int | None = 4900, interval: str = "month", count: int = 1, **more: Any) -> dict[str, Any]:
    recurring = {"interval": interval, "interval_count": count, "usage_type": "licensed"}
    return {
        "id": "price_1",
        "object": "price",
        "currency": "usd",
        "product": "prod_1",
        "recurring": recurring,
        "unit_amount": unit_amount,
    } | more


def item(of: dict[str, Any] | str | None = None, quantity: int | None = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": "si_1",
        "price": of if of is not None else price(),
        "quantity": quantity,
        "current_period_end": NOW + 30 * DAY,
    } | more


def subscription(status: str | None = "active", *items: dict[str, Any], id: str = "sub_1", **data: Any) -> MirrorObject:  # noqa: A002 - the field's name
    listing = {"object": "list", "data": list(items) or [item()]}
    return told("subscription", id, customer="cus_1", status=status, items=listing, **data)


def state_of(*objects: MirrorObject, when: int = 0) -> CustomerState:
    return fold("cus_1", objects, at=when)
