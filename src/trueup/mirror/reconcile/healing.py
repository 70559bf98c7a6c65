"""Differences that end by themselves: what was missing has arrived since, and no comparison has to be waited for.

What is open is looked at again, some at a time, against what Stripe said when it was compared. Stripe is not asked:
what only Stripe could tell is left to the next comparison, and so is everything of an account that is being compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from trueup.connectors.stripe.client import API_VERSION
from trueup.kernel.records import Record
from trueup.mirror.order.fingerprint import fingerprint
from trueup.mirror.reading import parse
from trueup.mirror.reconcile import explaining, looking, raising, store
from trueup.mirror.reconcile.looking import Held
from trueup.mirror.reconcile.store import Standing
from trueup.mirror.types import ObjectKey
from trueup.runtime import database

MOST: Final = 100
"""Differences of one look."""


class Look(Record, frozen=True):
    """What a look came to: how many differences ended, of which accounts, and the last one that was looked at."""

    healed: int
    accounts: frozenset[int]
    last: ObjectKey | None
    """None where the end was reached, and the next look begins anew."""


def objects(after: ObjectKey | None) -> Look:
    """Look at some objects that differ, and close what is as Stripe said by now."""
    with database.transaction():
        found = store.standing(after, states=False, limit=MOST)
        held = looking.held([one.key for one in found], thorough=True)
        right = [one for one in found if _is_right(one, held.get(one.key))]
        healed = [one for one in right if store.heal(one)]
        for account_id in {one.key.account_id for one in healed}:
            raising.drift(account_id)
    return Look(
        healed=len(healed),
        accounts=frozenset(one.key.account_id for one in healed),
        last=found[-1].key if len(found) == MOST else None,
    )


def states(after: ObjectKey | None) -> list[Standing]:
    """Some states that differ; whoever folds them says with ``heal`` which are right by now. At most ``MOST``."""
    return store.standing(after, states=True, limit=MOST)


def objects_differ(account_id: int, customers: Sequence[str], *, livemode: bool) -> bool:
    """Whether any object of these customers is known to differ."""
    return store.objects_differ(account_id, customers, livemode=livemode)


def heal(state: Standing) -> bool:
    """Close a state that is right by now, in the caller's transaction; False where a run has seen it meanwhile."""
    return store.heal(state)


def settle(accounts: Iterable[int]) -> None:
    """Let alarms stand for what still differs in these accounts."""
    for account_id in accounts:
        raising.drift(account_id)


def _is_right(one: Standing, held: Held | None) -> bool:
    """Whether an object is as Stripe had it, or has been so since and newer facts came."""
    told: dict[str, Any] | None = None if one.told is None else parse(one.told.encode())
    if looking.compare(one.key, held, told, version=API_VERSION) is None:
        return True
    if told is None or held is None or held.damage or held.gone or held.invented:
        return False
    return explaining.arrived(one.key, since=one.last_seen_at, state=fingerprint(told), event_id=one.event_id)
