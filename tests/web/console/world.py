"""A small world for the console's tests: events stored as the intake does it, read and folded by the real drains."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.customer.drain import DRAIN as CUSTOMER_DRAIN
from trueup.inbox.intake import envelope
from trueup.inbox.intake.statements import STORE
from trueup.inbox.types import Source
from trueup.kernel.actor import system
from trueup.mirror.drain import DRAIN as MIRROR_DRAIN
from trueup.runtime import database, drains
from trueup.runtime.crypto import Sealer

DAY = 86_400
START = 1_790_000_000
"""A moment in September 2026."""

Json = dict[str, Any]


def connect(name: str = "acme", *, livemode: bool = False) -> Account:
    """An account that may be told of events."""
    return accounts.connect(
        name=name,
        api_key="",
        webhook_secrets=["whsec_" + "a" * 32],
        livemode=livemode,
        access=None,
        api_base=None,
        stripe_account_id=None,
        sealer=Sealer(bytes(32)),
        by=system("test"),
    )


def event(kind: str, about: Json, *, at: int = START, id: str = "", previous: Json | None = None) -> Json:  # noqa: A002
    """A snapshot event about one object, in Stripe's envelope."""
    data: Json = {"object": about}
    named = about["id"]
    if previous is not None:
        data["previous_attributes"] = previous
    return {
        "id": id or f"evt_{hashlib.sha256(f'{kind} {named} {at}'.encode()).hexdigest()[:24]}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": at,
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": None,
        "type": kind,
    }


def customer(id: str, name: str | None, email: str | None = None, **more: Any) -> Json:  # noqa: A002
    """A customer as Stripe sends it."""
    return {"id": id, "object": "customer", "created": START, "name": name, "email": email, "metadata": {}, **more}


def subscription(
    id: str,  # noqa: A002
    of: str,
    *,
    status: str = "active",
    amount: int = 4900,
    quantity: int = 1,
    **more: Any,
) -> Json:
    """A monthly subscription with one licensed item in US dollars."""
    price = {
        "id": "price_pro",
        "object": "price",
        "product": "prod_pro",
        "nickname": "Pro",
        "currency": "usd",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        "billing_scheme": "per_unit",
        "type": "recurring",
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
    }
    item = {
        "id": f"si_{id}",
        "object": "subscription_item",
        "price": price,
        "quantity": quantity,
        "subscription": id,
        "current_period_start": START,
        "current_period_end": START + 30 * DAY,
    }
    return {
        "id": id,
        "object": "subscription",
        "customer": of,
        "status": status,
        "currency": "usd",
        "created": START,
        "start_date": START,
        "cancel_at_period_end": False,
        "pause_collection": None,
        "items": {"object": "list", "data": [item], "has_more": False},
        **more,
    }


def told(account: Account, *events: Json | bytes, drain: bool = True, signature: str | None = "t=1,v1=00") -> None:
    """Store these events (or exact bodies) as the intake would, and let the drains read them unless told not to."""
    bodies = [
        event if isinstance(event, bytes) else orjson.dumps(event, option=orjson.OPT_INDENT_2) for event in events
    ]
    read = [envelope.read(body) for body in bodies]
    database.execute(
        STORE.decode(),
        {
            "account_id": [account.id for _ in bodies],
            "livemode": [account.livemode for _ in bodies],
            "event_id": [one.event_id for one in read],
            "created": [one.created for one in read],
            "type": [one.type for one in read],
            "kind": [one.kind.value for one in read],
            "object_type": [one.object_type or "" for one in read],
            "object_id": [one.object_id or "" for one in read],
            "customer": [one.customer or "" for one in read],
            "api_version": [one.api_version or "" for one in read],
            "signature": [signature for _ in bodies],
            "body_sha256": [hashlib.sha256(body).digest() for body in bodies],
            "body": bodies,
            "source": Source.WEBHOOK.value,
        },
    )
    if drain:
        drains.empty(MIRROR_DRAIN)
        drains.empty(CUSTOMER_DRAIN)


def many(account: Account, number: int, *, at: int = START) -> None:
    """That many customers, ``Company 000`` and so on, since ``at``; a third each is active, past due and on trial."""
    events = []
    for index in range(number):
        id_ = f"cus_{index:03}"
        events.append(
            event("customer.created", customer(id_, f"Company {index:03}", f"c{index:03}@x.example"), at=at + index)
        )
        status = ("active", "past_due", "trialing")[index % 3]
        about = subscription(f"sub_{index:03}", id_, status=status, amount=1000 + index)
        if status == "trialing":
            about["trial_end"] = START + 400 * DAY
        events.append(event("customer.subscription.created", about, at=at + index))
    told(account, *events)
