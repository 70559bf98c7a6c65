"""Every route answers what Stripe's schema allows, refuses what is wrong in Stripe's way, and every event happens."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from tests.sandbox.conftest import Api, Checking
from tests.sandbox.properties.scene import Scene
from tests.sandbox.properties.walk import CALLS, STORIES
from trueup.sandbox.delivery.courier import Courier
from trueup.sandbox.server import triggers
from trueup.sandbox.server.desk import Desk
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.wiring import WIRING
from trueup.sandbox.wire import parameters, schema
from trueup.sandbox.world.kinds import KINDS

Json = dict[str, Any]

_PLACE: Final = re.compile(r"\{[^}]+\}")
_TYPES: Final = frozenset({"api_error", "card_error", "idempotency_error", "invalid_request_error"})

REFUSED: Final = {"POST /v1/charges", "POST /v1/charges/{charge}/capture"}
"""What Stripe has ended: whatever is asked, it refuses."""

STUBS: Final = {"DELETE /v2/core/event_destinations/{id}"}
"""What /v2 answers here is a stub that is no kind of its own: an id and the name of the kind."""

NOT_HERE: Final = {
    "account.updated": "no route changes the account",
    "tax_rate.updated": "there are no tax rates yet",
}
"""Types of events that the sandbox's text names and that nothing in this walk makes happen, each with its reason."""


def _ask(api: Api, operation: str, ids: tuple[str, ...], params: Json) -> tuple[int, Json]:
    method, path = operation.split(" ")
    places = iter(ids)
    path = _PLACE.sub(lambda _: next(places), path)
    assert parameters.match(method, path) is not None
    answer = api.answer(method, path, params)
    return answer.status, orjson.loads(answer.body)


def test_every_route_is_walked() -> None:
    assert set(CALLS) == set(WIRING.routes)


@pytest.mark.parametrize("operation", sorted(WIRING.routes))
def test_it_answers_as_the_schema_says(api: Api, operation: str) -> None:
    ids, params = CALLS[operation](Scene(api))

    status, body = _ask(api, operation, ids, params)

    if operation in REFUSED:
        assert (status, body["error"]["type"]) == (400, "invalid_request_error")
        return
    assert (status, body.get("error")) == (200, None)
    assert operation in STUBS or schema.violations(body) == []
    if operation.startswith("GET") and "preview" not in operation:
        assert _ask(api, operation, ids, params) == (status, body)


@pytest.mark.parametrize("operation", sorted(WIRING.routes))
def test_it_refuses_what_is_wrong_and_changes_nothing(api: Api, operation: str) -> None:
    ids, params = CALLS[operation](Scene(api))
    before = _everything(api.engine)

    unknown, said = _ask(api, operation, ids, {**params, "nonsense": "1"})
    strangers = tuple("nobody" for _ in ids)
    strange, missing = _ask(api, operation, strangers, params) if ids else (404, {"error": said["error"]})

    assert unknown == 400
    assert (said["error"]["type"], said["error"]["param"]) == ("invalid_request_error", "nonsense")
    assert strange in {400, 403, 404}
    assert missing["error"]["type"] in _TYPES
    assert missing["error"]["message"]
    assert _everything(api.engine) == before


def _everything(engine: Engine) -> list[Any]:
    return [
        engine.store.db.execute(f"select * from {table} order by 1, 2").fetchall()
        for table in ("object", "event", "timer")
    ]


def _named() -> set[str]:
    """The types of events that the sandbox's text names, but for those by which triggers are called."""
    package = Path(triggers.__file__).parents[1]
    types = set(schema.event_types())
    found = {kind.updated for kind in KINDS.values() if kind.updated}
    for path in package.rglob("*.py"):
        if path.name != "triggers.py" and "scenarios" not in path.parts:
            tree = ast.walk(ast.parse(path.read_text()))
            found |= {node.value for node in tree if isinstance(node, ast.Constant) and node.value in types}
    return {str(one) for one in found}


def test_every_event_happens_at_least_once() -> None:
    happened: set[str] = set()
    for operation, prepare in sorted(CALLS.items()):
        engine = Engine()
        api = Api(engine)
        ids, params = prepare(Scene(api))
        _ask(api, operation, ids, params)
        engine.settle()
        api.advance(32 * 86_400)
        happened |= {event["type"] for event in api.told}
        engine.close()
    for story in STORIES:
        engine = Engine()
        api = Api(engine)
        story(Scene(api))
        happened |= {event["type"] for event in api.told}
        engine.close()
    for event in triggers.known():
        engine = Engine()
        checking = Checking()
        engine.listeners.append(checking.read)
        happened |= set(triggers.trigger(Desk(engine, Courier(engine.outbox)), event))
        assert checking.faults == []
        engine.close()

    missing = sorted(_named() - happened)
    assert missing == sorted(NOT_HERE), missing
