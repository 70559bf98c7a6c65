"""The same tables for lists of money. ``audit_tables`` takes them in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from trueup.customer.money import service as money
from trueup.kernel.actor import Actor, ActorKind
from trueup.mirror.amounts import RENEWS
from trueup.mirror.money import service as mirrored
from trueup.mirror.money.types import Which
from trueup.mirror.types import ObjectKey

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
PAYMENTS: Final = Which(types=("charge",))
SINCE: Final = datetime(2026, 9, 1, tzinfo=UTC)
UNTIL: Final = SINCE + timedelta(days=90)
BEGIN: Final = int(SINCE.timestamp())
END: Final = int(UNTIL.timestamp())
Scenario = Callable[[Any], object]


def _keys(stage: Any) -> list[ObjectKey]:
    return [ObjectKey(account_id=stage.account.id, livemode=False, object_type="subscription", object_id="sub_000")]


CHANGES: dict[str, tuple[Scenario, list[str]]] = {
    "customer.money.begin_export": (
        lambda _: money.begin_export(1, kind="payments", told="", by=BY),
        ["customer.money.exported"],
    ),
}
READS: dict[str, Scenario] = {
    "customer.money.ahead": lambda _: money.ahead(RENEWS, since=SINCE, until=UNTIL),
    "customer.money.chunks": lambda _: list(money.chunks(PAYMENTS)),
    "customer.money.chunks_ahead": lambda _: list(money.chunks_ahead(RENEWS, since=SINCE, until=UNTIL)),
    "customer.money.coming": lambda _: money.coming(RENEWS, since=SINCE, until=UNTIL),
    "customer.money.dressed": lambda stage: money.dressed(list(mirrored.these(_keys(stage)).values())),
    "customer.money.number_of": lambda _: money.number_of(PAYMENTS),
    "customer.money.numbered": lambda _: money.numbered("ACME-0001", limit=2),
    "customer.money.reasons": lambda _: money.reasons(PAYMENTS),
    "customer.money.revenue_leaving": lambda _: money.revenue_leaving([]),
    "customer.money.rows": lambda _: money.rows(PAYMENTS),
    "customer.money.searched": lambda _: money.searched(PAYMENTS, "company"),
    "customer.money.total_of": lambda _: money.total_of("paid", []),
    "customer.money.totals": lambda _: money.totals(PAYMENTS),
    "customer.money.usual_currency": lambda _: money.usual_currency(RENEWS, since=SINCE, number=2),
    "customer.money.weeks": lambda _: money.weeks(RENEWS, since=SINCE, number=2, currency="usd"),
    "customer.money.with_revenue": lambda _: money.with_revenue(money.ahead(RENEWS, since=SINCE, until=UNTIL)[0]),
    "mirror.money.ahead": lambda _: mirrored.ahead(RENEWS, since=BEGIN, until=END),
    "mirror.money.failed": lambda _: mirrored.failed(since=BEGIN, until=END),
    "mirror.money.failed_sums": lambda _: mirrored.failed_sums(begins=[BEGIN], until=END),
    "mirror.money.failing": lambda _: mirrored.failing(),
    "mirror.money.failures": lambda stage: mirrored.failures(_keys(stage)),
    "mirror.money.invoice_number": lambda _: mirrored.invoice_number("ACME-0001"),
    "mirror.money.numbered": lambda _: mirrored.numbered("acme-0001"),
    "mirror.money.reasons": lambda _: mirrored.reasons(PAYMENTS),
    "mirror.money.rows": lambda _: mirrored.rows(PAYMENTS),
    "mirror.money.spans": lambda _: mirrored.spans(RENEWS, since=BEGIN, until=END, length=86_400),
    "mirror.money.sums": lambda _: mirrored.sums(PAYMENTS),
    "mirror.money.these": lambda stage: mirrored.these(_keys(stage)),
}
