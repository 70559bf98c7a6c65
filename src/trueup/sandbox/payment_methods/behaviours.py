"""What a payment method of the test world does."""

from __future__ import annotations

from typing import Literal

from trueup.kernel.records import Record
from trueup.sandbox.payment_methods.declines import Decline


class Behaviour(Record, frozen=True):
    """What comes of charging, setting up and refunding; its ``name`` is kept with the payment method.

    ``decline`` is what a charge ends in, ``declines_setup`` whether attaching and setting up do as well.
    ``authentication`` says when the holder has to be asked: ``unless_set_up`` spares charges without the holder once
    the method was set up for them, ``on_session`` asks only with the holder present, ``on_request`` only if we ask for
    it. ``dispute`` is the reason of a dispute that each charge meets. ``settles`` is None for what is paid at once,
    otherwise the number of seconds until a debit succeeds, or fails with ``decline``; ``never`` stays pending.
    ``immediate`` money is available at once.
    """

    name: str
    decline: Decline | None = None
    declines_setup: bool = False
    authentication: Literal["none", "on_request", "on_session", "unless_set_up", "always"] = "none"
    dispute: Literal["", "fraudulent", "product_not_received", "inquiry", "debit_not_authorized"] = ""
    fraud_warning: bool = False
    refund: Literal["", "pending", "fails"] = ""
    risk_level: Literal["normal", "elevated"] = "normal"
    immediate: bool = False
    settles: int | None = None
    never: bool = False
