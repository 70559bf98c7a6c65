"""The same tables for people and tokens. ``audit_tables`` takes them in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trueup.kernel.actor import Actor, ActorKind
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Role, Scope

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
PASSWORD = "correct horse battery"
Scenario = Callable[[Any], object]

CHANGES: dict[str, tuple[Scenario, list[str]]] = {
    "operators.create_operator": (
        lambda _: operators.create_operator(email="a@b.example", password=PASSWORD, roles=[Role.OPS], by=BY),
        ["operators.operator.created"],
    ),
    "operators.set_roles": (
        lambda stage: operators.set_roles(operator_id=stage.person.id, roles=[Role.OWNER, Role.OPS], by=BY),
        ["operators.operator.roles_set"],
    ),
    "operators.set_password": (
        lambda stage: operators.set_password(email=stage.person.email, password=PASSWORD, by=BY),
        ["operators.operator.password_set"],
    ),
    "operators.tokens.create_token": (
        lambda _: tokens.create_token(name="x", scopes=[Scope.READ], by=BY),
        ["operators.token.created"],
    ),
    "operators.tokens.revoke_token": (
        lambda stage: tokens.revoke_token(token_id=stage.token.id, by=BY),
        ["operators.token.revoked"],
    ),
    "operators.tokens.rotate_token": (
        lambda stage: tokens.rotate_token(token_id=stage.token.id, by=BY),
        ["operators.token.rotated"],
    ),
    "operators.record_sign_in": (
        lambda stage: operators.record_sign_in(stage.person.id),
        ["operators.operator.signed_in"],
    ),
    "operators.record_sign_out": (
        lambda stage: operators.record_sign_out(stage.person.id),
        ["operators.operator.signed_out"],
    ),
    "operators.record_refused_sign_in": (
        lambda stage: operators.record_refused_sign_in(stage.person.email),
        ["operators.operator.sign_in_refused"],
    ),
}

READS: dict[str, Scenario] = {
    "operators.find_operator": lambda _: operators.find_operator("elena@acme.example"),
    "operators.operator_count": lambda _: operators.operator_count(),
    "operators.tokens.tokens": lambda _: tokens.tokens(),
    "operators.operators": lambda _: operators.operators(),
    "operators.permissions_of": lambda _: operators.permissions_of(BY),
    "operators.require": lambda _: operators.require(BY, Permission.TOKENS_MANAGE),
}

UNRECORDED: dict[str, str] = {
    "operators.tokens.authenticate": "Notes when a token was last used; reads through it are not changes.",
    "operators.begin_sign_in": "Counts attempts for minutes; how the attempt ends is recorded.",
}

COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "operator create": (
        ["operator", "create", "a@b.example", "--password", PASSWORD, "--role", "ops"],
        ["operators.operator.created"],
    ),
    "operator list": (["operator", "list"], []),
    "operator roles": (["operator", "roles", "elena@acme.example", "owner", "ops"], ["operators.operator.roles_set"]),
    "operator password": (
        ["operator", "password", "elena@acme.example", "--password", PASSWORD],
        ["operators.operator.password_set"],
    ),
    "token create": (["token", "create", "--name", "x"], ["operators.token.created"]),
    "token revoke": (["token", "revoke", "{token}"], ["operators.token.revoked"]),
    "token list": (["token", "list"], []),
}
