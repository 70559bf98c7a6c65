"""``/v1/disputes``."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.payments import disputes
from trueup.sandbox.wire.errors import missing
from trueup.sandbox.world.world import Obj, World


def find(world: World, dispute_id: str) -> Obj:
    """The dispute that a path names, its customer's clock in force. Raises Stripe's 404."""
    found = world.find("dispute", dispute_id)
    if found is None:
        error = missing("dispute", dispute_id)
        error.param = "dispute"
        raise error
    charge = world.get("charge", found["charge"])
    world.follow(world.find("customer", charge["customer"]) or {})
    return found


def _retrieve(world: World, call: Call) -> Obj:
    return find(world, call.ids["dispute"])


def _list(world: World, call: Call) -> Obj:
    return pages.page(world, call, "dispute", charge=call.value("charge"), payment_intent=call.value("payment_intent"))


def _update(world: World, call: Call) -> Obj:
    dispute = find(world, call.ids["dispute"])
    disputes.closed(dispute)
    if call.given("metadata"):
        dispute["metadata"] = metadata(dispute["metadata"], call.params["metadata"])
    if call.value("evidence") or call.value("submit"):
        disputes.submit(world, dispute, call.value("evidence") or {}, send=call.params.get("submit", True))
    world.tell("charge.dispute.updated", dispute)
    if call.value("evidence") or call.value("submit"):
        disputes.tell_charge(world, dispute)
    return dispute


def _close(world: World, call: Call) -> Obj:
    return disputes.close(world, find(world, call.ids["dispute"]))


ROUTES: Final[dict[str, Handler]] = {
    "GET /v1/disputes": _list,
    "GET /v1/disputes/{dispute}": _retrieve,
    "POST /v1/disputes/{dispute}": _update,
    "POST /v1/disputes/{dispute}/close": _close,
}
