"""One's own password, changed by whoever knows the one before."""

from __future__ import annotations

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Conflict, Forbidden
from trueup.operators import admitting
from trueup.operators import store as people
from trueup.operators.factors import service as factors
from trueup.operators.sessions.types import End
from trueup.runtime import clock, database


def change(*, operator_id: int, old: str, new: str, client: str, but: int | None = None, by: Actor) -> None:
    """Replace one's own password; the person's sessions but ``but`` end, since one of them may be why.

    ``FactorRefused`` where ``old`` is not the password, ``SignInThrottled`` after too many of these, ``Refused`` for a
    new one that is too short or guessed first, ``Conflict`` for the old one. A second factor is asked for by the page.
    """
    if by != Actor(kind=ActorKind.OPERATOR, id=str(operator_id)):
        raise Forbidden("Only they themselves change somebody's password so.", code="password_of_another")
    person = people.operator(operator_id)
    admitting.check_password(new, of=(person.email, person.name))
    factors.check_password(operator_id=operator_id, password=old, client=client)
    if old == new:
        raise Conflict("That is the password that you have.", code="password_same", hint="Choose another.")
    with database.transaction() as connection:
        people.update_password(operator_id, new)
        people.end_sessions(operator_id, why=End.CREDENTIALS.value, now=clock.now(), but=but)
        audit.record(
            connection,
            by=by,
            action=Action.OPERATOR_PASSWORD_SET,
            object_type="operator",
            object_id=str(operator_id),
        )


def has_password(operator_id: int) -> bool:
    """Whether a person signs in with a password; whoever came by single sign-on may have none."""
    return people.has_usable_password(operator_id)
