"""What the tests of identity tell and ask."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.customer.drain import DRAIN
from trueup.kernel.actor import Actor, ActorKind
from trueup.operators.types import Role
from trueup.runtime import configuration, database, drains

ADA = Actor(kind=ActorKind.OPERATOR, id="7")

Json = dict[str, Any]


def employ_ada() -> None:
    """Let Ada be somebody who may do all of this."""
    get_user_model().objects.create(pk=ADA.id, email="ada@acme.example", roles=[Role.SALES, Role.OPS])


def tell(account: Account, *customers: Json, at: int = world.START) -> None:
    """Tell that these customers were made."""
    world.told(account, *(world.event("customer.created", one, at=at) for one in customers))


def paying(account: Account, id: str, *, amount: int, at: int = world.START + 1, **more: Any) -> None:  # noqa: A002
    """Tell that a customer pays that much a month."""
    about = world.subscription(f"sub_{id}", id, amount=amount, **more)
    world.told(account, world.event("customer.subscription.created", about, at=at))


def states() -> dict[str, tuple[Any, ...]]:
    """Every row of the list with its whole state, by our id; all but when it was folded."""
    rows = database.execute(
        "select id, c.stripe_customer_id, name, email, sort_name, stage, mrr_sort, last_event_at, fold_version, state, "
        "l.product_ids, l.search::text from customer_customer c join customer_lookup l on l.customer_id = c.id"
    ).fetchall()
    return {row[0]: row[1:] for row in rows}


def traits() -> list[tuple[Any, ...]]:
    """Everything that ties a customer to the outside, by hand or not."""
    return sorted(
        database.execute("select customer_id, kind, system, value, source, rule from customer_trait").fetchall()
    )


def configure(patch: pytest.MonkeyPatch, *, keys: str = "", rules: str = "") -> None:
    """Set what the operator may set, from now on."""
    patch.setenv("TRUEUP_IDENTITY_KEYS", keys)
    patch.setenv("TRUEUP_METADATA_RULES", rules)
    configuration.current.cache_clear()


def drain() -> None:
    """Fold what is due."""
    drains.empty(DRAIN)
