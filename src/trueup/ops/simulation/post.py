"""The post between Stripe and the intake: real requests, in whatever order the plan wants."""

from __future__ import annotations

import http.client
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol

import orjson

from trueup.kernel.errors import Broken
from trueup.ops.simulation.types import Json, Weather
from trueup.runtime import clock
from trueup.sandbox.delivery import signing, thin

SECRET: Final = "whsec_" + "simulation" * 3
_OK: Final = 200


class Told(Protocol):
    """An event as the sandbox's listeners are told of it."""

    @property
    def seq(self) -> int:
        """Its number."""
        ...

    @property
    def body(self) -> bytes:
        """Its JSON."""
        ...


class Parcel:
    """An event that waits to be delivered, or that came and may come again."""

    __slots__ = ("again", "event", "is_thin")

    def __init__(self, event: Json, *, is_thin: bool, again: bool = False) -> None:
        self.event = event
        self.is_thin = is_thin
        self.again = again

    @property
    def name(self) -> str:
        """What it is called in a history."""
        told = "thin" if self.is_thin else "event"
        about = self.event["data"]["object"]
        return (
            f"{told} {self.event['id'][-6:]} {self.event['type']} of {about.get('id', '')} at {self.event['created']}"
        )


class Post:
    """Takes what the sandbox tells, and hands some of it to the intake when asked to."""

    def __init__(self, *, port: int, path: str, weather: Weather, seed: int) -> None:
        self._port = port
        self._path = path
        self._weather = weather
        self._seed = seed
        self._connection: http.client.HTTPConnection | None = None
        self._told: list[Told] = []
        self._delivered: list[Json] = []
        self.waiting: list[Parcel] = []
        self.lost: list[Parcel] = []
        self.counts = dict.fromkeys(("told", "delivered", "delivered_again", "delivered_thin", "dropped"), 0)

    def hear(self, told: Sequence[Told]) -> None:
        """Take what happened at Stripe; the sandbox's listener, which may not be kept waiting."""
        self._told += told

    def sort(self) -> list[Json]:
        """Decide what becomes of what was heard since the last time, and give those events."""
        told, self._told = self._told, []
        events: list[Json] = []
        for one in told:
            event: Json = orjson.loads(one.body)
            events.append(event)
            self.counts["told"] += 1
            luck = random.Random(f"{self._seed} {one.seq}")  # noqa: S311 - chances, not secrets
            both = luck.randrange(100) < self._weather.thin
            alone = both and luck.randrange(100) < self._weather.thin_alone
            for is_thin in [False] * (not alone) + [True] * both:
                parcel = Parcel(event, is_thin=is_thin)
                if luck.randrange(100) < self._weather.dropped:
                    self.lost.append(parcel)
                    self.counts["dropped"] += 1
                else:
                    self.waiting.append(parcel)
        return events

    def choose(self, rng: random.Random) -> list[Parcel]:
        """Some of what waits: the sooner told the sooner, but for those that are late."""
        chosen: list[Parcel] = []
        most = rng.choice((1, 2, 5, 20))
        for parcel in list(self.waiting):
            if len(chosen) == most:
                break
            if rng.randrange(100) >= self._weather.late:
                chosen.append(parcel)
                self.waiting.remove(parcel)
        rng.shuffle(chosen)
        if self._delivered and rng.randrange(100) < self._weather.twice:
            chosen.insert(0, Parcel(rng.choice(self._delivered), is_thin=False, again=True))
        return chosen

    def all(self, rng: random.Random) -> list[Parcel]:
        """Everything that still waits, in any order."""
        chosen, self.waiting = self.waiting, []
        rng.shuffle(chosen)
        return chosen

    def deliver(self, parcel: Parcel) -> None:
        """Hand one over. Raises ``Broken`` where the intake does not take it."""
        body = orjson.dumps(thin.notification(parcel.event) if parcel.is_thin else parcel.event)
        headers = {
            "Stripe-Signature": signing.header(body, secrets=[SECRET], at=clock.unix()),
            "Content-Type": "application/json; charset=utf-8",
        }
        status = self._send(body, headers)
        if status != _OK:
            raise Broken(f"The intake answered {status} to {parcel.name}.", code="simulation_refused")
        self.counts["delivered_again" if parcel.again else "delivered_thin" if parcel.is_thin else "delivered"] += 1
        if not parcel.is_thin and not parcel.again:
            self._delivered.append(parcel.event)

    def _send(self, body: bytes, headers: dict[str, str]) -> int:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        self._connection.request("POST", self._path, body=body, headers=headers)
        with self._connection.getresponse() as response:
            response.read()
            return response.status

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
