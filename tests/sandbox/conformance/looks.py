"""Whether a script has come as far as making what a recorded request asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from tests.sandbox.conformance.recordings import Json, Step


class Made(Protocol):
    """A stage, as far as a look needs it."""

    step: Step

    def listed(self, path: str) -> list[Json]:
        """Everything that a list of the sandbox has, newest first."""

    def shown(self, kind: str) -> Json:
        """The object of a kind that was made last; an empty one where there is none."""

    def bind(self, recorded: str, ours: str | None) -> bool:
        """Let one of our objects stand for the recorded one, where there is one."""


def _look_for_customer(stage: Made) -> bool:
    customer, recorded = stage.shown("customer"), stage.step.answer
    if not customer or _has_default(customer) != _has_default(recorded) or customer["currency"] != recorded["currency"]:
        return False
    return stage.bind(_asked(stage), customer["id"])


def _has_default(customer: Json) -> bool:
    return customer["invoice_settings"]["default_payment_method"] is not None


def _look_for_subscription(stage: Made) -> bool:
    subscription, recorded = stage.shown("subscription"), stage.step.answer
    if not subscription or _quantities(subscription) != _quantities(recorded):
        return False
    invoice = recorded["latest_invoice"]
    credited = isinstance(invoice, dict) and invoice["post_payment_credit_notes_amount"] > 0
    if credited and not stage.shown("credit_note"):
        return False
    return stage.bind(_asked(stage), subscription["id"])


def _quantities(subscription: Json) -> list[int]:
    return [item["quantity"] for item in subscription["items"]["data"]]


def _look_for_payment(stage: Made) -> bool:
    kind, recorded = stage.step.path.split("/")[2], stage.step.answer
    wanted = {name: recorded[name] for name in ("amount", "captured") if name in recorded}
    return stage.bind(_asked(stage), _first(stage.listed(f"/v1/{kind}"), **wanted))


def _look_for_invoice(stage: Made) -> bool:
    recorded = stage.step.answer
    found = _first(
        stage.listed("/v1/invoices"), amount_due=recorded["amount_due"], billing_reason=recorded["billing_reason"]
    )
    return stage.bind(_asked(stage), found)


def _look_for_invoice_payments(stage: Made) -> bool:
    """The payment intent that the list was asked for: the one of its amount, the latest where the list was empty."""
    asked, data = stage.step.param("payment[payment_intent]"), stage.step.answer["data"]
    wanted = {"amount": data[0]["amount_requested"]} if data else {}
    return stage.bind(asked or "", _first(stage.listed("/v1/payment_intents"), **wanted))


def _first(found: list[Json], **fields: object) -> str | None:
    return next((str(one["id"]) for one in found if fields.items() <= one.items()), None)


LOOKS: Final[dict[str, Callable[[Made], bool]]] = {
    "charges": _look_for_payment,
    "customers": _look_for_customer,
    "invoice_payments": _look_for_invoice_payments,
    "invoices": _look_for_invoice,
    "payment_intents": _look_for_payment,
    "subscriptions": _look_for_subscription,
}
"""By the part of a path that names the kind."""


def _asked(stage: Made) -> str:
    """The recorded id in the step's path."""
    return stage.step.path.rpartition("/")[2]
