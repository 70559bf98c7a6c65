"""Entries that tell of somebody."""

from __future__ import annotations

from datetime import datetime

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind
from trueup.runtime import database

BY = Actor(kind=ActorKind.OPERATOR, id="8")


def tell(customer: str, name: str, *, at: datetime | None = None, livemode: bool = True) -> int:
    """An entry that tells of a customer, by a transaction of its own: a name, and a reason with the name in it."""
    with database.transaction() as connection:
        return audit.record(
            connection,
            at=at,
            by=BY,
            action=Action.LINK_ADDED,
            object_type="customer",
            object_id=customer,
            livemode=livemode,
            why=f"{name} asked.",
            after={"value": name, "kind": "user"},
        )
