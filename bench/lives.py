"""Many customers in the states that people work on: who owes, is on trial, leaves, disputes, was refunded, pays.

A few lives are told to the intake as Stripe would and come through the drains; then every row that they left, in
whatever table, is copied under new ids. So a table that a later feature adds needs only its name here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, Final

import requests
from psycopg import sql

from bench.stage import SECRET, Stage
from trueup.runtime import clock

DAY: Final = 86_400
Json = dict[str, Any]

TABLES: Final = (
    "inbox_event", "mirror_about", "mirror_object", "mirror_version", "customer_customer", "customer_lookup",
    "customer_trait",
)  # fmt: skip
"""What a customer leaves rows in."""
LIVES: Final = ("pays", "owes", "tries", "leaves", "disputes", "refunded")
IN_TYPES: Final = frozenset({"text", "text[]", "jsonb", "tsvector"})
"""Types of columns in which an id may stand."""


def _event(kind: str, about: Json, at: int) -> Json:
    mark = hashlib.sha256(f"{kind} {about['id']} {at}".encode()).hexdigest()[:18]
    return {
        "id": f"evt_1LQ{mark}{about['id'][-8:]}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": at,
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "request": None,
        "type": kind,
    }


def _subscription(life: str, now: int, *, status: str, **more: Any) -> Json:
    price = {
        "id": "price_pro", "object": "price", "product": "prod_pro", "nickname": "Pro", "currency": "usd",
        "unit_amount": 4900, "unit_amount_decimal": "4900", "billing_scheme": "per_unit", "type": "recurring",
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
    }  # fmt: skip
    item = {
        "id": f"si_LQ{life}", "object": "subscription_item", "price": price, "quantity": 1,
        "subscription": f"sub_LQ{life}", "current_period_start": now - 20 * DAY, "current_period_end": now + 10 * DAY,
    }  # fmt: skip
    return {
        "id": f"sub_LQ{life}", "object": "subscription", "customer": f"cus_LQ{life}", "status": status,
        "currency": "usd", "created": now - 80 * DAY, "start_date": now - 80 * DAY, "cancel_at_period_end": False,
        "pause_collection": None, "items": {"object": "list", "data": [item], "has_more": False}, **more,
    }  # fmt: skip


def _invoice(life: str, now: int, *, paid: bool) -> Json:
    return {
        "id": f"in_LQ{life}", "object": "invoice", "customer": f"cus_LQ{life}", "currency": "usd", "total": 4900,
        "amount_due": 4900, "amount_paid": 4900 if paid else 0, "amount_remaining": 0 if paid else 4900,
        "status": "paid" if paid else "open", "attempt_count": 1 if paid else 2, "attempted": True,
        "billing_reason": "subscription_cycle", "created": now - 20 * DAY, "number": f"LQ{life}-0001",
        "next_payment_attempt": None if paid else now + 2 * DAY, "status_transitions": {"paid_at": now - 20 * DAY},
        "parent": {"subscription_details": {"subscription": f"sub_LQ{life}"}},
    }  # fmt: skip


def _charge(life: str, now: int, *, status: str, **more: Any) -> Json:
    return {
        "id": f"ch_LQ{life}", "object": "charge", "customer": f"cus_LQ{life}", "currency": "usd", "amount": 4900,
        "status": status, "paid": status == "succeeded", "captured": status == "succeeded",
        "created": now - 20 * DAY, "payment_intent": f"pi_LQ{life}", "invoice": f"in_LQ{life}", **more,
    }  # fmt: skip


def told(life: str, now: int) -> list[Json]:
    """The events of a life, until ``now`` in unix seconds."""
    at = now - 80 * DAY
    customer = {
        "id": f"cus_LQ{life}", "object": "customer", "created": at, "name": f"Company LQ{life}", "metadata": {},
        "email": f"person-LQ{life}@example.com",
    }  # fmt: skip
    status = {"owes": "past_due", "tries": "trialing", "refunded": "canceled"}.get(life, "active")
    special: dict[str, Json] = {
        "tries": {"trial_end": now + 5 * DAY},
        "leaves": {"cancel_at_period_end": True},
        "refunded": {"ended_at": now - DAY, "canceled_at": now - DAY},
    }
    more = special.get(life, {})
    events = [
        _event("customer.created", customer, at),
        _event("customer.subscription.updated", _subscription(life, now, status=status, **more), now - 2 * DAY),
    ]
    if life == "tries":
        return events
    failed: Json = {"failure_code": "insufficient_funds"} if life == "owes" else {}
    refunded: Json = {"amount_refunded": 4900, "refunded": True} if life == "refunded" else {}
    charge = _charge(life, now, status="failed" if failed else "succeeded", **failed, **refunded)
    invoice = "invoice.payment_failed" if failed else "invoice.updated"
    events += [
        _event(invoice, _invoice(life, now, paid=not failed), now - 20 * DAY),
        _event(f"charge.{charge['status']}", charge, now - 20 * DAY),
    ]
    if life == "refunded":
        refund = {
            "id": f"re_LQ{life}", "object": "refund", "charge": charge["id"], "payment_intent": f"pi_LQ{life}",
            "amount": 4900, "currency": "usd", "status": "succeeded", "created": now - DAY, "reason": None,
        }  # fmt: skip
        events.append(_event("refund.created", refund, now - DAY))
    if life == "disputes":
        dispute = {
            "id": f"du_LQ{life}", "object": "dispute", "charge": charge["id"], "amount": 4900, "currency": "usd",
            "payment_intent": charge["payment_intent"], "status": "needs_response", "reason": "fraudulent",
            "created": now - DAY, "evidence_details": {"due_by": now + 6 * DAY, "has_evidence": False},
        }  # fmt: skip
        events.append(_event("charge.dispute.created", dispute, now - DAY))
    return events


def live(stage: Stage, *, each: int) -> int:
    """So many customers of each life; returns how many in all."""
    now = clock.unix()
    with stage.running("intake", "worker"):
        for life in LIVES:
            for event in told(life, now):
                _post(stage.webhook_url, json.dumps(event).encode())
        stage.drained()
    with stage.connect() as connection:
        for life in LIVES:
            found = connection.execute(
                "select id from customer_customer where stripe_customer_id = %(id)s", {"id": f"cus_LQ{life}"}
            ).fetchone() or ("",)
            for table in TABLES:
                connection.execute(*_copying(connection, table, life, str(found[0]), each))
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
    return each * len(LIVES)


def _copying(connection: Any, table: str, life: str, id_: str, each: int) -> tuple[sql.Composed, Json]:
    """The statement that copies a life's rows of a table, each id in any column of theirs made anew."""
    columns = connection.execute(
        "select attname::text, format_type(atttypid, atttypmod) from pg_attribute where attrelid = %(table)s::regclass"
        " and attnum > 0 and not attisdropped and attidentity = '' and attgenerated = '' order by attnum",
        {"table": table},
    ).fetchall()
    made = []
    for name, cast in columns:
        told_ = sql.Identifier("t", name)
        if cast in IN_TYPES:
            # An id ends in the life's name, so that what is made from it is another for each n and each life.
            text = sql.SQL(
                "(replace(replace(replace({}::text, 'LQ', 'Q' || n || 'x'), 'lq', 'q' || n || 'x'),"
                " {}, 'tc_q' || n || {}))::{}"
            )
            made.append(text.format(told_, sql.Literal(id_), sql.Literal(life), sql.SQL(cast)))
        else:
            made.append(sql.Composed([told_]))
    statement = sql.SQL(
        "insert into {table} ({names}) select {made} from generate_series(1, %(each)s) n cross join {table} t"
        " where t::text like %(named)s or t::text like %(known)s"
    ).format(
        table=sql.Identifier(table),
        names=sql.SQL(", ").join(sql.Identifier(name) for name, _type in columns),
        made=sql.SQL(", ").join(made),
    )
    return statement, {"each": each, "named": f"%LQ{life}%", "known": f"%{id_}%"}


def _post(url: str, body: bytes) -> None:
    at = clock.unix()
    signature = hmac.digest(SECRET.encode(), f"{at}.".encode() + body, "sha256").hex()
    headers = {"Stripe-Signature": f"t={at},v1={signature}", "Content-Type": "application/json"}
    requests.post(url, body, headers=headers, timeout=30).raise_for_status()
