"""What others may ask about lists of customers that are kept under a name, and keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.customer.views import store
from trueup.customer.views.types import View
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Conflict, Forbidden, NotFound, Refused
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import database

LONGEST_NAME: Final = 60
LONGEST_VALUE: Final = 200
MOST: Final = 50
"""Lists that one person keeps."""
PARAMETERS: Final = frozenset("q stage account product status owner trial mrr_from mrr_to drift sort col".split())
"""What an address of the list may have, and a view keeps."""
_OBJECT: Final = "view"


def views(*, operator_id: int) -> list[View]:
    """A person's own lists, then those of all, by name."""
    return store.of(operator_id)


def save(*, name: str, parameters: Mapping[str, Sequence[str]], shared: bool, by: Actor) -> View:
    """Keep a list under a name; one of that name of the same person, or of all, is replaced.

    Everybody keeps their own; one for all needs ``settings.change``. ``Refused`` for a name that is empty or too long,
    for parameters that no list has, and for too many.
    """
    operators.require(by, Permission.CUSTOMERS_READ)
    if shared:
        operators.require(by, Permission.SETTINGS_CHANGE)
    kept = " ".join(name.replace("\x00", "").split())
    if not kept or len(kept) > LONGEST_NAME:
        raise Refused(f"A name has 1 to {LONGEST_NAME} characters.", code="view_name")
    query = _query(parameters)
    operator_id = _person(by)
    with database.transaction() as connection:
        connection.execute(b"select pg_advisory_xact_lock(hashtext('customer view'))")
        before = store.called(kept, operator_id=operator_id, shared=shared)
        if before is None and store.number(operator_id) >= MOST:
            raise Conflict(
                f"You keep {MOST} lists already.", code="view_too_many", hint="Remove one that you no longer need."
            )
        made = store.put(
            None if before is None else before.id, operator_id=operator_id, shared=shared, name=kept, query=query
        )
        if before != made:
            audit.record(
                connection,
                by=by,
                action=Action.VIEW_SAVED,
                object_type=_OBJECT,
                object_id=str(made.id),
                before=None if before is None else _recorded(before),
                after=_recorded(made),
            )
    return made


def remove(*, view_id: int, by: Actor) -> None:
    """Keep a list no longer. ``NotFound`` where there is none that one sees; for one of all as for ``save``."""
    operators.require(by, Permission.CUSTOMERS_READ)
    with database.transaction() as connection:
        found = store.find(view_id) if 0 < view_id < 2**63 else None
        if found is None or (not found.shared and found.operator_id != _person(by)):
            raise NotFound("There is no such list.", code="view_unknown", hint="It may have been removed.")
        if found.shared:
            operators.require(by, Permission.SETTINGS_CHANGE)
        store.delete(view_id)
        audit.record(
            connection,
            by=by,
            action=Action.VIEW_REMOVED,
            object_type=_OBJECT,
            object_id=str(view_id),
            before=_recorded(found),
        )


def _recorded(view: View) -> dict[str, object]:
    """What the audit log has of a list: a name and values may tell of a person, so only what it is narrowed by."""
    return {"view_id": view.id, "shared": view.shared, "parameters": sorted(view.parameters)}


def _query(parameters: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    kept = {name: [value for value in values if value] for name, values in parameters.items()}
    kept = {name: values for name, values in sorted(kept.items()) if values}
    if not kept.keys() <= PARAMETERS:
        raise Refused("A list has no such filter.", code="view_parameters", hint="Load the page again.")
    if any("\x00" in value or len(value) > LONGEST_VALUE for values in kept.values() for value in values):
        raise Refused("A filter is too long.", code="view_parameters", hint=f"At most {LONGEST_VALUE} characters.")
    return kept


def _person(by: Actor) -> int:
    if by.kind is not ActorKind.OPERATOR or not by.id.isdecimal():
        raise Forbidden("Only people keep lists.", code="view_person", hint="Sign in to the console.")
    return int(by.id)
