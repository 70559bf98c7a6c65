"""Mandates: that a payer allowed debits."""

from __future__ import annotations

from typing import Any

from trueup.sandbox.payment_methods import prints
from trueup.sandbox.world.world import Obj, World


def accepted(world: World, intent: Obj, method: Obj) -> Obj | None:
    """The mandate for debits of a bank account: the one that stands, otherwise a new one; None for other kinds."""
    kind = method["type"]
    if kind not in {"us_bank_account", "sepa_debit"}:
        return None
    for held in world.select("mandate", payment_method=method["id"]):
        if held["status"] == "active" and held["type"] == "multi_use":
            intent["$mandate"] = held["id"]
            return held
    return make(
        world,
        intent,
        method,
        multi_use=bool(intent.get("usage") or intent.get("setup_future_usage") or method["customer"]),
    )


def end(world: World, method: Obj) -> None:
    """A bank account that is detached is not debited any more: its mandates are over, with ``mandate.updated``."""
    if method["type"] not in {"us_bank_account", "sepa_debit"}:
        return
    for mandate in world.select("mandate", payment_method=method["id"]):
        if mandate["status"] == "active":
            mandate["status"] = "inactive"
            world.tell("mandate.updated", mandate)


def make(world: World, intent: Obj, method: Obj, *, multi_use: bool) -> Obj:
    """A new mandate for a method, which the intent goes by from here on."""
    kind = method["type"]
    acceptance = (intent.get("$mandate_data") or {}).get("customer_acceptance") or {"type": "offline"}
    shown: dict[str, Any] = {"accepted_at": acceptance.get("accepted_at") or world.now, "type": acceptance["type"]}
    if acceptance["type"] == "online":
        online = acceptance.get("online") or {}
        shown["online"] = {"ip_address": online.get("ip_address"), "user_agent": online.get("user_agent")}
    else:
        shown["offline"] = {}
    details: dict[str, Any] = {}
    if kind == "sepa_debit":
        reference = prints.text(world, method["id"], 16).upper()
        details = {"reference": reference, "url": f"https://hooks.stripe.com/adapter/sepa_debit/file/{reference}"}
    mandate = world.new(
        "mandate",
        {
            "customer_acceptance": dict(sorted(shown.items())),
            "livemode": False,
            "on_behalf_of": None,
            "payment_method": method["id"],
            "payment_method_details": {kind: details, "type": kind},
            "status": "active",
            "type": "multi_use" if multi_use else "single_use",
            **(
                {"multi_use": {}}
                if multi_use
                else {"single_use": {"amount": intent["amount"], "currency": intent["currency"]}}
            ),
        },
    )
    intent["$mandate"] = mandate["id"]
    return mandate
