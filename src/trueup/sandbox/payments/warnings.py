"""Early fraud warnings: a network fears that a payment will be disputed."""

from __future__ import annotations

from trueup.sandbox.world.world import Obj, World


def begin(world: World, charge: Obj) -> Obj:
    """A warning about a charge, with ``radar.early_fraud_warning.created``."""
    warning = world.new(
        "radar.early_fraud_warning",
        {
            "actionable": True,
            "charge": charge["id"],
            "created": world.now,
            "fraud_type": "made_with_stolen_card",
            "livemode": False,
            "payment_intent": charge["payment_intent"],
        },
    )
    charge["$warning"] = warning["id"]
    world.tell("radar.early_fraud_warning.created", warning)
    return warning


def settle(world: World, charge: Obj) -> None:
    """Nothing is left to be done about a charge that is refunded or disputed: its warning says so, and is told."""
    warning = world.find("radar.early_fraud_warning", charge.get("$warning"))
    if warning is not None and warning["actionable"]:
        warning["actionable"] = False
        world.tell("radar.early_fraud_warning.updated", warning)
