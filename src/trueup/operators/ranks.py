"""Owners and admins: who may make and unmake them, and when it takes two. ``service`` and ``team`` ask it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import psycopg

from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Conflict, Forbidden
from trueup.operators import store
from trueup.operators.types import Role
from trueup.runtime import clock, configuration

HIGH: Final = frozenset({Role.OWNER, Role.ADMIN})
_HOST: Final = frozenset({ActorKind.COMMAND_LINE, ActorKind.SYSTEM})


def lock(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Let one change of who is owner, or of who may sign in, wait for the other until the transaction ends."""
    connection.execute(b"select pg_advisory_xact_lock(hashtext('operators roles'))")


def _is_owner(by: Actor) -> bool:
    return by.kind is ActorKind.OPERATOR and Role.OWNER in store.roles(int(by.id), now=clock.now())


def require(by: Actor, roles: Iterable[Role]) -> None:
    """Go on only if whoever acts may change people with these roles: for owners and admins only an owner may."""
    if HIGH.isdisjoint(roles) or by.kind in _HOST or _is_owner(by):
        return
    raise Forbidden("Only an owner makes or unmakes owners and admins.", code="owner_needed", hint="Ask an owner.")


def needs_another(by: Actor, added: Iterable[Role]) -> bool:
    """Whether an owner beside whoever acts has to agree before somebody gets these roles.

    On the host nobody has to be asked, because nobody there can be kept from the database. An owner asks nobody where
    there is no other, and where ``TRUEUP_FOUR_EYES`` is off.
    """
    if HIGH.isdisjoint(added) or by.kind in _HOST:
        return False
    if not _is_owner(by):
        return True
    return configuration.current().four_eyes and store.owners(but=int(by.id)) > 0


def require_alone(by: Actor, added: Iterable[Role]) -> None:
    """Go on only if nobody else has to agree before somebody gets these roles; ``Conflict`` else."""
    if needs_another(by, added):
        raise Conflict(
            "Another owner has to agree before somebody is made owner or admin.",
            code="approval_needed",
            hint="Ask for it on the person's page below Settings, Team; new people are invited with another role.",
        )
