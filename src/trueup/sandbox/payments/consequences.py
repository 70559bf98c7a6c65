"""What comes of a charge beyond the money: disputes and warnings of test cards, and holds that are let go."""

from __future__ import annotations

from trueup.sandbox.payment_methods.behaviours import Behaviour
from trueup.sandbox.payments import disputes
from trueup.sandbox.world.world import Obj, World


def follow(world: World, charge: Obj, behaviour: Behaviour) -> None:
    """Bring about what a test card is made for, right after ``charge.succeeded``."""
    if behaviour.dispute:
        disputes.begin(world, charge, behaviour.dispute)
    if behaviour.fraud_warning:
        warn(world, charge)


def warn(world: World, charge: Obj) -> Obj:
    """An early fraud warning, with ``radar.early_fraud_warning.created``."""
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
    world.tell("radar.early_fraud_warning.created", warning)
    return warning


def release(world: World, charge: Obj, *, expired: bool = False) -> None:
    """Let go what was authorized and never captured: it counts as refunded, and no money moved."""
    charge["amount_refunded"] = charge["amount"]
    charge["refunded"] = True
    world.tell("charge.expired" if expired else "charge.refunded", charge)
