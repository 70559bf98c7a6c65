"""Every operation as the token of every role: nothing is told that its maker may not see."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.operators import permissions
from trueup.operators import service as operators
from trueup.operators.models import ApiToken
from trueup.operators.permissions import Permission
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Role, Scope
from trueup.web.api import permitted
from trueup.web.api.app import api
from trueup.web.api.auth import Bearer

BY = system("test")


def test_every_operation_stands_in_the_table_and_asks_for_what_stands_there() -> None:
    found = [one for _path, one in api.operations()]

    assert {str(one.operation_id) for one in found} == set(permitted.OPERATIONS)
    for one in found:
        (bearer,) = one.auth_callbacks
        assert isinstance(bearer, Bearer)
        assert bearer.needed == permitted.OPERATIONS[str(one.operation_id)]
        scope = bearer.scope
        # What a scope does not have at all would be refused to everybody.
        assert set(bearer.needed) <= (permissions.SCOPES[scope] if scope else set())
        assert bearer.needed or one.operation_id == "rotateOwnToken"


def reading() -> list[tuple[str, str]]:
    """The operations that answer a GET without an id in their address."""
    return [
        (str(one.operation_id), f"/api/v1{path}")
        for path, one in api.operations()
        if "GET" in one.methods and "{" not in path
    ]


@pytest.mark.parametrize("role", list(Role))
def test_a_token_is_told_what_its_maker_may_see_and_no_more(account: Account, role: Role) -> None:
    operators.create_operator(email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=BY)
    maker = operators.create_operator(email="m@acme.example", password="nine quiet rivers", roles=[role], by=BY)
    world.many(account, 1)
    made = tokens.create_token(name="x", scopes=list(Scope), by=BY)
    ApiToken.objects.filter(pk=made.id).update(made_by_id=maker.id)
    client = Client(headers={"authorization": f"Bearer {made.token}"}, raise_request_exception=False)

    for name, path in reading():
        answer: Any = client.get(path)
        allowed = set(permitted.OPERATIONS[name]) <= permissions.TABLE[role]
        assert (name, answer.status_code) == (name, 200 if allowed else 403)


def test_what_a_maker_loses_their_token_loses_at_the_next_request(account: Account) -> None:
    operators.create_operator(email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=BY)
    maker = operators.create_operator(email="m@acme.example", password="nine quiet rivers", roles=[Role.ADMIN], by=BY)
    by = Actor(kind=ActorKind.OPERATOR, id=str(maker.id))
    made = tokens.create_token(name="x", scopes=[Scope.READ], by=by)
    client = Client(headers={"authorization": f"Bearer {made.token}"})
    assert client.get("/api/v1/objects").status_code == 200

    operators.set_roles(operator_id=maker.id, roles=[Role.SALES], by=BY)

    refused = client.get("/api/v1/objects")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "permission_missing")
    assert Permission.PERSONAL_PAYLOAD.value in refused.json()["error"]["message"]
    assert client.get("/api/v1/customers").status_code == 200
