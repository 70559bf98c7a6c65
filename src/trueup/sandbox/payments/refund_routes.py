"""``/v1/refunds``, and the refunds of a charge."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.payments import refunds
from trueup.sandbox.wire.errors import StripeError, invalid, missing
from trueup.sandbox.world.world import Obj, World, cut, listed, render


def find(world: World, refund_id: str) -> Obj:
    """The refund that a path names, its customer's clock in force. Raises Stripe's 404."""
    found = world.find("refund", refund_id)
    if found is None:
        error = missing("refund", refund_id)
        error.param = "id"
        raise error
    world.follow(world.find("customer", found["customer"]) or {})
    return found


def _create(world: World, call: Call) -> Obj:
    charge = _charge(world, call)
    world.follow(world.find("customer", charge["customer"]) or {})
    return refunds.create(
        world,
        charge=charge,
        amount=call.value("amount"),
        reason=call.value("reason"),
        metadata=metadata({}, call.params.get("metadata")),
    )


def _charge(world: World, call: Call) -> Obj:
    if charge_id := call.value("charge"):
        return world.get("charge", charge_id)
    intent_id = call.value("payment_intent")
    if not intent_id:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise invalid(message)
    intent = world.get("payment_intent", intent_id)
    charge = world.find("charge", intent["latest_charge"])
    if charge is None:
        message = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
        raise StripeError(message)
    return charge


def _retrieve(world: World, call: Call) -> Obj:
    return find(world, call.ids["refund"])


def _list(world: World, call: Call) -> Obj:
    return pages.page(world, call, "refund", charge=call.value("charge"), payment_intent=call.value("payment_intent"))


def _update(world: World, call: Call) -> Obj:
    refund = find(world, call.ids["refund"])
    if call.given("metadata"):
        refund["metadata"] = metadata(refund["metadata"] or {}, call.params["metadata"])
    refunds.tell(world, refund)
    return refund


def _cancel(world: World, call: Call) -> Obj:
    return refunds.cancel(world, find(world, call.ids["refund"]))


def of_charge(world: World, charge: Obj) -> Obj:
    """``refunds`` of a charge: the newest ten."""
    found = [render(refund) for refund in world.select("refund", charge=charge["id"])]
    return cut(listed(f"/v1/charges/{charge['id']}/refunds", found, total=True))


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/refunds": _create,
    "GET /v1/refunds": _list,
    "GET /v1/refunds/{refund}": _retrieve,
    "POST /v1/refunds/{refund}": _update,
    "POST /v1/refunds/{refund}/cancel": _cancel,
}
