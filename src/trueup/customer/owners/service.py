"""What others may ask about who looks after a customer, and say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.customer.identity import merged
from trueup.customer.listing import service as lists
from trueup.customer.listing.types import Filters
from trueup.customer.owners import store
from trueup.customer.owners.types import Owner
from trueup.customer.store import own_id
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Conflict, NotFound, Refused
from trueup.operators import permissions
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.operators.types import Person
from trueup.runtime import database

MOST: Final = 1_000
"""Customers that are given to somebody at once, named one by one."""
MOST_MATCHING: Final = 10_000
"""Customers of a list that are given to somebody at once; a longer list has to be narrowed first."""


def candidates() -> list[Person]:
    """People who can look after customers: they may sign in and see them. By name."""
    able = [
        one
        for one in operators.operators()
        if one.is_active and Permission.CUSTOMERS_READ in permissions.granted(one.roles)
    ]
    return sorted(able, key=lambda one: (one.name or one.email).casefold())


def of(ids: Sequence[str]) -> dict[str, Owner]:
    """Who looks after customers, by our id; those that nobody does are left out."""
    rows = store.of(ids)
    people = {one.id: one for one in operators.operators()} if rows else {}
    return {
        customer_id: Owner(
            customer_id=customer_id,
            operator_id=operator_id,
            name=(person.name or person.email) if (person := people.get(operator_id)) else "",
            is_active=person is not None and person.is_active,
            since=since,
            by=f"{kind}:{actor}",
        )
        for customer_id, (operator_id, since, kind, actor) in rows.items()
    }


def owner(id: str) -> Owner | None:  # noqa: A002 - the field's name
    """Who looks after a customer by any of its ids; None for nobody, ``NotFound`` for an unknown customer."""
    own = own_id(merged.one(id).leader)
    return of([own]).get(own)


def assign(*, ids: Sequence[str], operator_id: int | None, by: Actor) -> int:
    """Let a person look after customers, by any of their ids, or nobody where ``operator_id`` is None.

    Returns for how many that is new. ``NotFound`` for an unknown customer or person, ``Refused`` for somebody who
    cannot see customers or no longer signs in, and for too many at once; nothing is changed then.
    """
    operators.require(by, Permission.CUSTOMERS_CHANGE)
    if len(ids) > MOST:
        raise Refused(f"At most {MOST} customers are given to somebody at once.", code="owner_too_many")
    if operator_id is not None:
        _require_able(operator_id)
    with database.transaction() as connection:
        leaders = {own_id(key): key for key in (merged.one(one).leader for one in ids)}
        store.lock(sorted(leaders))
        before = store.of(sorted(leaders))
        changed = [one for one in leaders if (before[one][0] if one in before else None) != operator_id]
        store.put(changed, operator_id, by=by)
        for one in changed:
            audit.record(
                connection,
                by=by,
                action=Action.CUSTOMER_OWNED,
                object_type="customer",
                object_id=one,
                livemode=leaders[one][1],
                before={"operator_id": before[one][0] if one in before else None},
                after={"operator_id": operator_id},
            )
    return len(changed)


def assign_matching(filters: Filters, *, told: str, number: int, operator_id: int | None, by: Actor) -> int:
    """Let a person look after all customers of a list, or nobody where ``operator_id`` is None; for how many it is new.

    ``told`` is the filter as the page's address has it: one entry of the audit log holds it, with the number.
    ``number`` is how many were shown; ``Conflict`` where by now it is another, ``Refused`` for more than
    ``MOST_MATCHING`` and for somebody who cannot see customers; nothing is changed then.
    """
    operators.require(by, Permission.CUSTOMERS_CHANGE)
    if operator_id is not None:
        _require_able(operator_id)
    with database.transaction() as connection:
        store.lock_all()
        ids = matching(filters)
        if len(ids) != number:
            raise Conflict(
                f"The list has {len(ids)} customers by now, and not {number}.",
                code="list_changed",
                hint="Look at it again, and decide anew.",
            )
        before = store.of(ids)
        changed = [one for one in ids if (before[one][0] if one in before else None) != operator_id]
        store.put(changed, operator_id, by=by)
        audit.record(
            connection,
            by=by,
            action=Action.LIST_OWNED,
            object_type="customer",
            object_id="list",
            after={"customers": len(changed), "operator_id": operator_id, "filter": told},
        )
    return len(changed)


def matching(filters: Filters) -> list[str]:
    """Our ids of all customers of a list; ``Refused`` for more than ``MOST_MATCHING``."""
    found: list[str] = []
    for rows in lists.chunks(filters, sort="name"):
        found += (row.id for row in rows)
        if len(found) > MOST_MATCHING:
            raise Refused(
                f"More than {MOST_MATCHING} customers match, which is too many to be given to somebody at once.",
                code="list_too_long",
                hint="Narrow the list first.",
            )
    return list(dict.fromkeys(found))


def _require_able(operator_id: int) -> None:
    person = next((one for one in operators.operators() if one.id == operator_id), None)
    if person is None:
        raise NotFound(f"There is no operator {operator_id}.", code="operator_unknown")
    if not person.is_active or Permission.CUSTOMERS_READ not in permissions.granted(person.roles):
        raise Refused(
            "This person cannot look after customers.",
            code="owner_unable",
            hint="An owner signs in and has a role that may see customers.",
        )


def numbers() -> dict[int, int]:
    """How many customers each person looks after, by the person's number."""
    return store.numbers([one.id for one in operators.operators()])
