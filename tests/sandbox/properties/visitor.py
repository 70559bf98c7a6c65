"""Somebody who asks a sandbox for anything: what was asked is kept, and what came back is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import orjson

from tests.sandbox.conftest import Checking
from tests.sandbox.properties.invariants import Watch, periods_passed
from trueup.sandbox.payment_methods import setup_intents
from trueup.sandbox.payments import intents
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.requests import Answer, Request
from trueup.sandbox.wire import forms
from trueup.sandbox.wire.schema import violations
from trueup.sandbox.world.store import Told

Json = dict[str, Any]

SEED: Final = "chance"
LONGEST: Final = 800 * 86_400


class Visitor:
    """One engine, all that was done with it in order, and all bytes that left it."""

    def __init__(self) -> None:
        self.engine = Engine(seed=SEED)
        self.steps: list[tuple[Any, ...]] = []
        self.bodies: list[bytes] = []
        self.told: list[bytes] = []
        self.failed: list[str] = []
        self.broken = False
        self._checking = Checking()
        self._watch = Watch()
        self.engine.listeners.append(self._listen)

    def close(self) -> None:
        """Let the engine go."""
        self.engine.close()

    # --- what can be done --------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, *, key: str = "", **params: Any) -> Json:
        """A request; whatever the answer is, it has to be Stripe's. Errors come as they are."""
        headers = {"authorization": "Bearer sk_test_chance", **({"idempotency-key": key} if key else {})}
        text = forms.encode(params)
        request = Request(
            method=method,
            path=path,
            query="" if method == "POST" else text,
            body=text.encode() if method == "POST" else b"",
            headers=headers,
        )
        self.steps.append(("ask", request))
        self.broken = True
        answer: Answer = self.engine.answer(request)
        self.broken = False
        self.bodies.append(answer.body)
        body: Json = orjson.loads(answer.body)
        if answer.status >= 500:
            self.failed.append(f"{method} {path} {params}: {answer.status}")
        elif answer.status == 200:
            self.failed += [f"{method} {path}: {fault}" for fault in violations(body)]
        elif not body["error"].get("message") or not body["error"].get("type"):
            self.failed.append(f"{method} {path}: an error that says nothing: {body}")
        return body

    def post(self, path: str, **params: Any) -> Json:
        """A request that changes something."""
        return self.ask("POST", path, **params)

    def advance(self, seconds: int, clock: str = "") -> None:
        """Turn a clock on, but not beyond what a run can take."""
        self.steps.append(("advance", seconds, clock))
        self.broken = True
        self._advance(seconds, clock)
        self.broken = False

    def _advance(self, seconds: int, clock: str) -> None:
        self.engine.settle()
        self.engine.advance(self.engine.now(clock) + seconds, clock)

    def authenticate(self, intent: str, *, succeed: bool) -> None:
        """Do what the payer does at 3D Secure."""
        self.steps.append(("authenticate", intent, succeed))
        self.broken = True
        self._authenticate(intent, succeed=succeed)
        self.broken = False

    def _authenticate(self, intent: str, *, succeed: bool) -> None:
        self.engine.settle()
        with self.engine.change() as world:
            for kind, act in (("payment_intent", intents.authenticate), ("setup_intent", setup_intents.authenticate)):
                found = world.find(kind, intent)
                if found is not None:
                    world.follow(world.find("customer", found["customer"]) or {})
                    act(world, found, succeed)

    # --- what there is -----------------------------------------------------------------------------------------------

    def count(self, kind: str) -> int:
        """How many objects of a kind there ever were."""
        found = self.engine.store.db.execute("select count(*) from object where kind = ?", (kind,)).fetchone()
        return int(found[0])

    def any(self, kind: str, which: int) -> str:
        """The id of an object of a kind, deleted or not; of none at all an id that there never was."""
        rows = self.engine.store.db.execute("select id from object where kind = ? order by seq", (kind,)).fetchall()
        return str(rows[-1 - which % len(rows)][0]) if rows else f"{kind}_none"

    def seen(self, kind: str, which: int) -> Mapping[str, Any]:
        """The object that ``any`` names, as it is stored; an empty one where there is none."""
        return self.seen_as(kind, self.any(kind, which))

    def seen_as(self, kind: str, name: str) -> Mapping[str, Any]:
        """The object of that id, as it is stored; an empty one where there is none."""
        row = self.engine.store.read(kind, name)
        return cast("Json", orjson.loads(row)) if row else {}

    # --- what has to hold --------------------------------------------------------------------------------------------

    def faults(self) -> list[str]:
        """All that is wrong after the last step."""
        self.engine.settle()
        return [
            *self.failed,
            *self._checking.faults,
            *self._watch.faults(self.engine),
            *(f"{name}: its period is over" for name in periods_passed(self.engine)),
        ]

    def events(self) -> list[Json]:
        """All events ever told."""
        return [orjson.loads(one) for one in self.told]

    def again(self) -> Visitor:
        """Another that did the same."""
        other = Visitor()
        for kind, *arguments in self.steps:
            if kind == "ask":
                other.bodies.append(other.engine.answer(arguments[0]).body)
            elif kind == "advance":
                other._advance(*arguments)
            else:
                other._authenticate(arguments[0], succeed=arguments[1])
        other.engine.settle()
        return other

    def _listen(self, told: list[Told]) -> None:
        self.told += [one.body for one in told]
        self._checking.read(told)
