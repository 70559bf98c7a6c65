"""What comes of a charge beyond the money: the disputes and warnings of test cards."""

from __future__ import annotations

from trueup.sandbox.payment_methods.behaviours import Behaviour
from trueup.sandbox.payments import disputes, warnings
from trueup.sandbox.world.world import Obj, World


def follow(world: World, charge: Obj, behaviour: Behaviour) -> None:
    """Bring about what a test card is made for, right after ``charge.succeeded``."""
    if behaviour.dispute:
        disputes.begin(world, charge, behaviour.dispute)
    if behaviour.fraud_warning:
        warnings.begin(world, charge)
