"""The same tables for single sign-on. ``audit_tables`` takes them in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.operators.sso import saml_provider
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import NotFound
from trueup.operators.sso import service as sso
from trueup.operators.sso import store
from trueup.operators.sso.types import Given, Kind
from trueup.runtime import clock

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
Scenario = Callable[[Any], object]
ADDED, CHANGED = "operators.sso_connection.added", "operators.sso_connection.changed"
SWITCHED, REMOVED = "operators.sso_connection.switched", "operators.sso_connection.removed"


def _given(**changes: Any) -> Given:
    metadata = saml_provider.metadata()
    return Given(**({"name": "Acme", "kind": Kind.SAML, "metadata": metadata, "domains": ("acme.example",)} | changes))


def _added() -> int:
    return sso.add(given=_given(), by=BY).id


def _on() -> int:
    return sso.switch_on(connection_id=_added(), by=BY).connection.id


def _unlinked(stage: Any) -> object:
    store.link(_added(), stage.person.id, "u-1", now=clock.now())
    return sso.unlink(operator_id=stage.person.id, by=BY)


def _none() -> None:
    with suppress(NotFound):
        sso.connection(1)


CHANGES: dict[str, tuple[Scenario, list[str]]] = {
    "operators.sso.add": (lambda _: _added(), [ADDED]),
    "operators.sso.change": (
        lambda _: sso.change(connection_id=_added(), given=_given(metadata="", name="Other"), by=BY),
        [ADDED, CHANGED],
    ),
    "operators.sso.switch_on": (lambda _: _on(), [ADDED, SWITCHED]),
    "operators.sso.switch_off": (lambda _: sso.switch_off(connection_id=_on(), by=BY), [ADDED, SWITCHED, SWITCHED]),
    "operators.sso.remove": (lambda _: sso.remove(connection_id=_added(), by=BY), [ADDED, REMOVED]),
    "operators.sso.unlink": (_unlinked, [ADDED, "operators.sso.unlinked"]),
}

READS: dict[str, Scenario] = {
    "operators.sso.connections": lambda _: sso.connections(),
    "operators.sso.connection": lambda _: _none(),
    "operators.sso.offered": lambda _: sso.offered(),
    "operators.sso.connections_of": lambda stage: sso.connections_of(stage.person.id),
    "operators.sso.required_for": lambda stage: sso.required_for(stage.person.email),
    "operators.sso.may_use_password": lambda stage: sso.may_use_password(stage.person),
}

UNRECORDED: dict[str, str] = {
    "operators.sso.refresh": "Asks a provider by HTTP; tests/operators/sso looks at the entry that it leaves.",
}
