"""How a person comes to be: made by hand in ``service``, or invited in ``team``."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Final

import psycopg
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from trueup.kernel.errors import Conflict, Refused
from trueup.operators import rules, store
from trueup.operators.types import Person, Role

SHORTEST_PASSWORD: Final = 10
LONGEST_EMAIL: Final = 254
LONGEST_NAME: Final = 200


def check(*, email: str, name: str) -> None:
    """``Refused`` for what is no address, and for what is too long."""
    try:
        validate_email(email)
    except ValidationError:
        raise Refused(
            "That is not an email address.", code="email_invalid", hint="Write it as name@example.com."
        ) from None
    if len(email) > LONGEST_EMAIL or len(name) > LONGEST_NAME:
        raise Refused(
            "The address or the name is too long.",
            code="operator_too_long",
            hint=f"An address has at most {LONGEST_EMAIL} characters, a name {LONGEST_NAME}.",
        )


def check_password(password: str, *, of: Iterable[str]) -> None:
    """``Refused`` for a password that is too short, or among those that are guessed first.

    Those are the twenty thousand that leaked most often, as they come with Django, and the words of its person: ``of``
    is their address and name.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise Refused(f"A password has at least {SHORTEST_PASSWORD} characters.", code="password_too_short")
    if rules.is_guessable(password, common=_common(), words=rules.words_of(of)):
        raise Refused(
            "That password is among those that are guessed first.",
            code="password_guessable",
            hint="Take several words that do not belong together, or let a password manager make one.",
        )


@functools.cache
def _common() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)


def lock(connection: psycopg.Connection[tuple[Any, ...]], email: str) -> None:
    """Let whoever makes a person of this address wait for another who does, until the transaction ends.

    A violated constraint would tell the second as well, but then the database server writes the address into its log.
    """
    connection.execute("select pg_advisory_xact_lock(hashtext('operators email'), hashtext(%s))", (email.lower(),))


def check_unknown(email: str) -> None:
    """``Conflict`` where somebody has this address already; call it after ``lock``."""
    if store.find_operator(email) is not None:
        raise Conflict(
            "An operator with this address exists.",
            code="operator_exists",
            hint="Use `trueup operator password` to set a new password.",
        )


def insert(*, email: str, name: str, password: str, roles: Iterable[Role]) -> Person:
    """A new person; recording it is the caller's. Call it after ``lock`` and ``check_unknown``."""
    check_password(password, of=(email, name))
    return store.insert_operator(email=email, name=name, password=password, roles=roles)
