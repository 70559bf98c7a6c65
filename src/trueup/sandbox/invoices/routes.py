"""What invoices answer, do at their time and listen to."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers.calls import Handler, Included
from trueup.sandbox.invoices import (
    credit_note_routes,
    ending,
    invoice_payments,
    invoice_routes,
    item_routes,
    line_routes,
    paying,
    preview,
    timers,
)
from trueup.sandbox.world.world import Signal

ROUTES: Final[dict[str, Handler]] = {
    **preview.ROUTES,
    **invoice_routes.ROUTES,
    **line_routes.ROUTES,
    **item_routes.ROUTES,
    **credit_note_routes.ROUTES,
}

TIMERS: Final = timers.TIMERS

INCLUDED: Final[Included] = {
    ("invoice", "payments"): invoice_payments.included,
    ("invoice", "confirmation_secret"): invoice_payments.confirmation_secret,
}

SIGNALS: Final[dict[str, Signal]] = {"intent_settled": paying.settled, "customer_deleted": ending.customer_deleted}
