"""What the payments package answers, and what time brings to payments."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers.calls import Handler, Included, Timers
from trueup.sandbox.payments import (
    capturing,
    charge_routes,
    dispute_routes,
    disputes,
    intent_routes,
    refund_routes,
    refunds,
)

ROUTES: Final[dict[str, Handler]] = {
    **intent_routes.ROUTES,
    **charge_routes.ROUTES,
    **refund_routes.ROUTES,
    **dispute_routes.ROUTES,
}

TIMERS: Final[Timers] = {
    "charge_settled": capturing.settled,
    "dispute_step": disputes.step,
    "refund_step": refunds.step,
}

INCLUDED: Final[Included] = {("charge", "refunds"): refund_routes.of_charge}
