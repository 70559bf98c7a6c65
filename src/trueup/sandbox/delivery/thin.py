"""Thin events: a snapshot event's twin in /v2, which names its object instead of holding it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from trueup.sandbox.delivery.targets import is_thin
from trueup.sandbox.wire import parameters
from trueup.sandbox.wire.schema import event_objects

_PREFIX: Final = "evt_test_65"
_SNAPSHOT: Final = "evt_1"

_SINGLE: Final = {
    "balance": "/v1/balance",
    "balance_settings": "/v1/balance_settings",
    "tax.settings": "/v1/tax/settings",
}
"""Of these there is one to an account, so their references have no id."""

_WITHIN: Final = {
    "capability": "/v1/accounts/{account}/capabilities/{id}",
    "cash_balance": "/v1/customers/{customer}/cash_balance",
    "customer_cash_balance_transaction": "/v1/customers/{customer}/cash_balance_transactions/{id}",
    "discount": "/v1/customers/{customer}/discount",
    "fee_refund": "/v1/application_fees/{fee}/refunds/{id}",
    "person": "/v1/accounts/{account}/persons/{id}",
    "scheduled_query_run": "/v1/sigma/scheduled_query_runs/{id}",
}
"""Where objects are found that have no address of their own."""


def notification(event: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent of an event: ``event`` is its snapshot form as the sandbox keeps it.

    Source: https://docs.stripe.com/event-destinations#thin-events
    """
    kind = event["type"] if is_thin(event["type"]) else f"v1.{event['type']}"
    found: dict[str, Any] = {
        "id": thin_id(event["id"]),
        "object": "v2.core.event",
        "type": kind,
        "livemode": False,
        "created": moment(event["created"]),
        "context": None,
        "reason": _reason(event["request"]),
    }
    if related := related_object(kind, event["data"]["object"]):
        found["related_object"] = related
    return found


def full(event: Mapping[str, Any]) -> dict[str, Any]:
    """What ``/v2/core/events`` answers of an event: more than is sent."""
    found = notification(event)
    alone = is_thin(event["type"])
    found["snapshot_event"] = None if alone else event["id"]
    if alone and "data" in event["data"]:
        found["data"] = event["data"]["data"]
    elif found["type"] == "v1.invoice.upcoming":
        found["data"] = {"subscription": _subscription(event["data"]["object"])}
    found["changes"] = None
    return found


def thin_id(snapshot_id: str) -> str:
    """The id of a snapshot event's twin."""
    return _PREFIX + snapshot_id.removeprefix(_SNAPSHOT)


def snapshot_id(found: str) -> str | None:
    """The other way; None for what is no thin event's id."""
    return _SNAPSHOT + found.removeprefix(_PREFIX) if found.startswith(_PREFIX) else None


def moment(at: int) -> str:
    """A unix second as /v2 writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def related_object(kind: str, obj: Mapping[str, Any]) -> dict[str, str] | None:
    """The reference to an event's object; None for types that have none."""
    name = obj.get("object", "")
    if name not in event_objects(kind):
        return None
    if name in _SINGLE:
        return {"type": name, "url": _SINGLE[name]}
    if name in _WITHIN:
        return {"id": obj.get("id") or "", "type": name, "url": _within(name, obj)}
    root = "/" if name.startswith("v2.") else "/v1/"
    url = f"{root}{name.replace('.', '/')}s/{obj['id']}"
    return {"id": obj["id"], "type": name, "url": url} if parameters.match("GET", url) else None


def _within(name: str, obj: Mapping[str, Any]) -> str:
    if name == "discount" and obj.get("subscription"):
        return f"/v1/subscriptions/{obj['subscription']}/discount"
    facts = {field: obj.get(field) or "" for field in ("account", "customer", "fee", "id")}
    return _WITHIN[name].format(**facts)


def _reason(request: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not request or not request["id"]:
        return None
    return {
        "type": "request",
        "request": {"id": request["id"], "idempotency_key": request["idempotency_key"] or ""},
    }


def _subscription(invoice: Mapping[str, Any]) -> str | None:
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    found: str | None = details.get("subscription")
    return found
