"""Payments, invoices, refunds and disputes for the tests of lists of money, as Stripe sends them."""

from __future__ import annotations

from tests.web.console import world
from tests.web.console.world import DAY, START, Json, event
from trueup.accounts.types import Account


def charge(id: str, of: str, *, amount: int = 4900, at: int = START, failed: str = "", **more: object) -> Json:  # noqa: A002
    """A charge in US dollars; ``failed`` is the bank's reason."""
    told: Json = {"failure_code": "card_declined", "outcome": {"reason": failed, "type": "issuer_declined"}}
    return {
        "id": id,
        "object": "charge",
        "customer": of,
        "created": at,
        "amount": amount,
        "currency": "usd",
        "captured": not failed,
        "paid": not failed,
        "refunded": False,
        "amount_refunded": 0,
        "status": "failed" if failed else "succeeded",
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}},
        **(told if failed else {}),
        **more,
    }


def invoice(id: str, of: str, *, status: str = "open", total: int = 4900, at: int = START, **more: object) -> Json:  # noqa: A002
    """An invoice in US dollars."""
    return {
        "id": id,
        "object": "invoice",
        "customer": of,
        "created": at,
        "number": f"ACME-{id[-4:]}",
        "status": status,
        "currency": "usd",
        "total": total,
        "amount_due": total,
        "amount_remaining": 0 if status == "paid" else total,
        "attempt_count": 0,
        "billing_reason": "subscription_cycle",
        **more,
    }


def failing(account: Account, id: str, of: str, *, reason: str, at: int, total: int = 4900, tries: int = 1) -> None:  # noqa: A002
    """An invoice that could not be collected, with the charge that failed; the next attempt is in three days."""
    told = invoice(id, of, total=total, at=at, attempt_count=tries, next_payment_attempt=at + 3 * DAY)
    tried = charge(f"ch_{id}", of, amount=total, at=at + 1, failed=reason, invoice=id)
    world.told(
        account,
        event("charge.failed", tried, at=at + 1),
        event("invoice.payment_failed", told, at=at + 2),
    )


def settled(account: Account, id: str, of: str, *, status: str, at: int, total: int = 4900, tries: int = 1) -> None:  # noqa: A002
    """What became of it in the end."""
    kind = {"paid": "invoice.paid", "uncollectible": "invoice.marked_uncollectible", "void": "invoice.voided"}[status]
    world.told(account, event(kind, invoice(id, of, status=status, total=total, at=at, attempt_count=tries), at=at + 9))


def dispute(id: str, of: str, *, due: int, amount: int = 4900, status: str = "needs_response") -> Json:  # noqa: A002
    """A dispute about the charge ``of``."""
    return {
        "id": id,
        "object": "dispute",
        "charge": of,
        "created": START,
        "amount": amount,
        "currency": "usd",
        "status": status,
        "reason": "product_not_received",
        "evidence_details": {"due_by": due, "has_evidence": False, "past_due": False, "submission_count": 0},
    }


def refund(id: str, of: str, *, amount: int = 900, at: int = START) -> Json:  # noqa: A002
    """A refund of a part of the charge ``of``."""
    return {
        "id": id,
        "object": "refund",
        "charge": of,
        "created": at,
        "amount": amount,
        "currency": "usd",
        "status": "succeeded",
        "reason": "requested_by_customer",
    }
