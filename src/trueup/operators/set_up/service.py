"""The first person of an installation, who makes themselves its owner."""

from __future__ import annotations

import base64
import hmac
from typing import Final

from trueup.kernel.actor import system
from trueup.kernel.errors import Conflict
from trueup.operators import service as operators
from trueup.operators import store as people
from trueup.operators.set_up.errors import SetUpRefused
from trueup.operators.types import Person, Role
from trueup.runtime import database, installation

CODE_LETTERS: Final = 16
"""80 bits in base32."""


def is_open() -> bool:
    """Whether nobody may sign in yet, so that the next person makes themselves owner."""
    return people.operator_count() == 0


def code() -> str:
    """What the first person shows to have a shell on the host, or its logs: ``ABCD-EFGH-IJKL-MNOP``.

    Every process of the installation works it out from its key, so that nothing is stored; it opens nothing once there
    is a person.
    """
    letters = base64.b32encode(installation.derived("set-up code")).decode()
    return "-".join(letters[at : at + 4] for at in range(0, CODE_LETTERS, 4))


def create_owner(*, given: str, email: str, name: str, password: str, client: str) -> Person:
    """Make the first person, who is owner.

    ``SetUpRefused`` for another code, ``SignInThrottled`` after ten of them within fifteen minutes, ``Conflict`` once
    there is somebody, and what ``operators.create_operator`` refuses.
    """
    attempt = operators.begin_sign_in(email="set-up:code", client=client)
    if not hmac.compare_digest(_plain(given).encode(), _plain(code()).encode()):
        raise SetUpRefused("That is not the code that Trueup printed when it started.")
    with database.transaction() as connection:
        people.forget_attempts(attempt.ids)
        # Of two who come at once the second waits, and finds that there is an owner.
        connection.execute(b"select pg_advisory_xact_lock(hashtext('operators set-up'))")
        if not is_open():
            raise Conflict("Trueup has an owner already.", code="set_up_done", hint="Sign in, or ask to be invited.")
        return operators.create_operator(
            email=email, name=name, password=password, roles=[Role.OWNER], by=system("set-up")
        )


def _plain(given: str) -> str:
    return "".join(given.split()).replace("-", "").upper()
