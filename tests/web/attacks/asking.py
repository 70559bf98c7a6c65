"""What schemathesis loads before it asks: which token each operation is asked with, and ids that there are.

An operation is asked with a token of the one scope that the description names for it. An operation that ends or turns
the token that asks gets a token of its own each time, or it would lock out all that follow.
"""

from __future__ import annotations

import json
import os
import zlib
from typing import Any, Final
from urllib.request import Request, urlopen

import schemathesis
from schemathesis import AuthContext, Case, HookContext

TOKENS: Final[dict[str, str]] = json.loads(os.environ["API_TOKENS"])
"""A token by its scope."""
URL: Final = os.environ["API_URL"]


def told(path: str, scope: str, body: Any = None) -> Any:
    """What the API answers to this scope's token."""
    headers = {"Authorization": f"Bearer {TOKENS[scope]}", "Content-Type": "application/json"}
    asked = Request(  # noqa: S310 - this machine
        f"{URL}{path}", None if body is None else json.dumps(body).encode(), headers
    )
    with urlopen(asked, timeout=10) as answer:  # noqa: S310 - this machine
        return json.loads(answer.read())


def first(path: str, name: str, scope: str = "read") -> list[Any]:
    """This field of the first rows of a list."""
    return [row[name] for row in told(path, scope)["data"]][:5]


def fresh() -> str:
    """A token with the scope ``read`` that nobody else uses."""
    return str(told("/tokens", "maker", {"name": "passing", "scopes": ["read"], "days": 1})["token"])


KNOWN: Final[dict[str, list[Any]]] = {
    "customer_id": first("/customers", "id"),
    "event_id": first("/events", "event_id"),
    "object_id": first("/objects", "id"),
    "entry_id": first("/audit/entries", "id", "audit"),
    "field": ["stage", "mrr", "name", "no_such_field"],
    "account": ["demo"],
    "tile": ["0/000.p/1", "entries/000.p/1"],
}
"""Ids that there are, by the parameter that takes them; without these nothing but 404 would be seen."""


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Ask every other time for what is there, where all that is asked keeps to the description."""
    del context, kwargs
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    asked = case.path_parameters
    for name, value in list(asked.items()) if asked else ():
        turn = zlib.crc32(str(value).encode("utf-8", "surrogatepass"))
        if name in KNOWN and KNOWN[name] and turn % 2:
            asked[name] = KNOWN[name][turn % len(KNOWN[name])]


@schemathesis.auth(refresh_interval=None)
class ByScope:
    """Chooses the token by what the description demands."""

    def get(self, case: Case[Any], context: AuthContext) -> str:
        """The token to ask this operation with."""
        del context
        described: Any = case.operation.definition.raw
        (scopes,) = described["security"][0].values()
        return TOKENS[scopes[0]] if scopes else fresh()

    def set(self, case: Case[Any], data: str, context: AuthContext) -> None:
        """Send it."""
        del context
        case.headers["Authorization"] = f"Bearer {data}"
