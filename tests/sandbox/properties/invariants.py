"""What holds of everything in a sandbox after every step: I1 to I6 of its specification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from trueup.sandbox.invoices.invariants import broken
from trueup.sandbox.server.engine import Engine

Json = dict[str, Any]

FINAL: Final[Mapping[str, frozenset[str]]] = {
    "subscription": frozenset({"canceled", "incomplete_expired"}),
    "invoice": frozenset({"paid", "void"}),
    "payment_intent": frozenset({"succeeded", "canceled"}),
    "setup_intent": frozenset({"succeeded", "canceled"}),
    "refund": frozenset({"failed", "canceled"}),
    "dispute": frozenset({"won", "lost", "warning_closed"}),
    "credit_note": frozenset({"void"}),
    "subscription_schedule": frozenset({"canceled", "completed", "released"}),
}
"""The states that nothing leaves."""

_CUT: Final = frozenset({"paused", "canceled"})
"""A period ends when a subscription is paused, be it in its first second."""

_PERIODIC: Final = frozenset({"active", "trialing", "past_due"})


class Watch:
    """Remembers in which final state an object was, and says what is wrong with a sandbox now."""

    def __init__(self) -> None:
        self._final: dict[str, str] = {}

    def faults(self, engine: Engine) -> list[str]:
        """Everything that does not hold; nothing where all is well."""
        found = list(_late(engine))
        for obj in stored(engine):
            kind, status = obj["object"], obj.get("status")
            final = self._final.get(obj["id"])
            if final is not None and status != final:
                found.append(f"I6: {obj['id']} was {final} and is {status}")
            if status in FINAL.get(kind, ()):
                self._final[obj["id"]] = str(status)
            found += [f"{obj['id']}: {fault}" for fault in _CHECKS.get(kind, _nothing)(obj)]
        return found


def stored(engine: Engine) -> Iterator[Json]:
    """All objects that are not deleted, with the sandbox's own fields."""
    rows = engine.store.db.execute("select body from object where not deleted order by seq").fetchall()
    return (orjson.loads(body) for (body,) in rows)


def _late(engine: Engine) -> Iterator[str]:
    for clock, due, name, about in engine.store.db.execute("select clock, due, name, about from timer").fetchall():
        if due < engine.clocks.now(clock):
            yield f"the timer {name} of {about} was due at {due} and did not fire"


def _nothing(_obj: Json) -> Iterable[str]:
    return ()


def _transaction(obj: Json) -> Iterable[str]:
    if obj["net"] != obj["amount"] - obj["fee"]:
        yield f"I5: {obj['amount']} less {obj['fee']} is not {obj['net']}"


def _charge(obj: Json) -> Iterable[str]:
    if not 0 <= obj["amount_refunded"] <= obj["amount"]:
        yield f"{obj['amount_refunded']} of {obj['amount']} refunded"
    if obj["refunded"] != (obj["amount_refunded"] == obj["amount"] and obj["amount"] > 0):
        yield f"refunded {obj['refunded']} with {obj['amount_refunded']} of {obj['amount']}"


def _intent(obj: Json) -> Iterable[str]:
    if (obj["status"] == "succeeded") != (obj["amount_received"] > 0):
        yield f"{obj['status']} with {obj['amount_received']} received"


def _subscription(obj: Json) -> Iterable[str]:
    if (obj["status"] in FINAL["subscription"]) != (obj["ended_at"] is not None):
        yield f"{obj['status']} with ended_at {obj['ended_at']}"
    items = obj["items"]["data"]
    if not items:
        yield "it has no items"
    if any(item["current_period_start"] > item["current_period_end"] - (obj["status"] not in _CUT) for item in items):
        yield "an item's period is empty"
    if obj["status"] == "paused" and not obj["status_details"]:
        yield "paused without saying why"


def _note(obj: Json) -> Iterable[str]:
    if sum(line["amount"] for line in obj["lines"]["data"]) != obj["subtotal"]:
        yield "its lines do not give its subtotal"


_CHECKS: Final = {
    "balance_transaction": _transaction,
    "charge": _charge,
    "credit_note": _note,
    "invoice": broken,
    "payment_intent": _intent,
    "subscription": _subscription,
}


def periods_passed(engine: Engine) -> list[str]:
    """Live subscriptions whose period is over by their clock though their renewal had its time."""
    found = []
    for obj in stored(engine):
        if obj["object"] == "subscription" and obj["status"] in _PERIODIC:
            now = engine.clocks.now(obj["test_clock"] or "")
            found += [obj["id"] for item in obj["items"]["data"] if item["current_period_end"] < now]
    return found
