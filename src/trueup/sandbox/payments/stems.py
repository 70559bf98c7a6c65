"""Ids of one payment: its intent, charges, refunds and transactions begin alike. Source: specification B.0.2."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.world.kinds import KINDS
from trueup.sandbox.world.world import World

_SHARED: Final = 16


def sibling(world: World, kind: str, of: str, *, prefix: str | None = None) -> str:
    """A new id for an object of the payment that another object's id ``of`` belongs to."""
    known = KINDS[kind]
    stem = of.partition("_")[2]
    if not stem.startswith("3"):
        return world.id(kind)
    return f"{prefix or known.prefix}_{stem[:_SHARED]}{world.ids.text(known.length - _SHARED)}"
