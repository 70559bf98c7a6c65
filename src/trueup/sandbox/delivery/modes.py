"""How deliveries are ordered, put off, doubled and lost: chosen for all endpoints or for one, drawn from the seed."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, Literal, get_args

import msgspec

from trueup.kernel.errors import Refused
from trueup.kernel.records import Record
from trueup.sandbox.world.store import Store

Order = Literal["in_order", "parallel", "shuffled", "crossed"]
ORDERS: Final[tuple[str, ...]] = get_args(Order)
_KEY: Final = "delivery_modes"
_WHOLE: Final = 100


class Mode(Record, frozen=True):
    """How events are delivered.

    ``order``: ``in_order``, one after another as they were told; ``parallel``, begun so but ``at_once`` at a time, as
    Stripe does; ``shuffled``, events within ``within`` seconds of each other in any order; ``crossed``, likewise, but
    those of one object stay in order. ``delay`` puts everything off by so many seconds. ``duplicates`` percent are
    delivered twice. ``dropped`` percent are lost on their way once, and come with the first retry. ``held``: nothing is
    delivered until it is released.
    """

    order: Order = "in_order"
    within: int = 0
    delay: int = 0
    duplicates: int = 0
    dropped: int = 0
    held: bool = False
    at_once: int = 8

    @property
    def disturbs(self) -> bool:
        """Whether somebody wants events late, lost, twice or out of their order."""
        return bool(self.held or self.delay or self.duplicates or self.dropped or self.within)

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise Refused(f"{self.order} is no order.", code="delivery_mode", hint=f"One of: {', '.join(ORDERS)}.")
        if self.at_once < 1:
            raise Refused("At least one event goes at a time.", code="delivery_mode")
        if self.within < 0 or self.delay < 0:
            raise Refused("Seconds cannot be negative.", code="delivery_mode")
        if not (0 <= self.duplicates <= _WHOLE and 0 <= self.dropped <= _WHOLE):
            raise Refused("A percentage is from 0 to 100.", code="delivery_mode")
        if self.order in {"shuffled", "crossed"} and not self.within:
            raise Refused(f"{self.order} needs the seconds within which it may.", code="delivery_mode")


class Copy(Record, frozen=True):
    """One delivery of an event as planned: number 0 is the event, 1 its duplicate.

    ``key`` sorts what waits for one endpoint, before the order of telling; ``off`` is by how many seconds it is put
    off; ``lost`` how many attempts get lost.
    """

    number: int
    key: int
    off: int
    lost: int


def copies(mode: Mode, *, seed: str, event: int, about: str, created: int, endpoint: str) -> list[Copy]:
    """The deliveries of one event to one endpoint. The same arguments give the same deliveries."""
    number = 2 if _percent(seed, "twice", event, endpoint) < mode.duplicates else 1
    lost = int(_percent(seed, "lost", event, endpoint) < mode.dropped)
    return [
        Copy(
            number=copy,
            key=0 if mode.order in {"in_order", "parallel"} else created + mode.delay + off,
            off=mode.delay + off,
            lost=lost if copy == 0 else 0,
        )
        for copy in range(number)
        for off in (_off(mode, seed, about if mode.order == "crossed" and copy == 0 else event, endpoint, copy=copy),)
    ]


def _off(mode: Mode, seed: str, what: int | str, endpoint: str, *, copy: int) -> int:
    """Seconds by which the event or, where those of one object stay in order, the object ``what`` is moved."""
    if mode.order in {"in_order", "parallel"}:
        return 0
    return _draw(seed, f"off{copy}", what, endpoint) % (mode.within + 1)


def _percent(seed: str, purpose: str, event: int, endpoint: str) -> int:
    return _draw(seed, purpose, event, endpoint) % _WHOLE


def _draw(seed: str, *facts: int | str) -> int:
    text = "\0".join(map(str, (seed, *facts)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def read(store: Store) -> dict[str, Mode]:
    """The modes by endpoint; under the empty text that of those without one of their own."""
    return msgspec.json.decode(store.meta(_KEY, "{}"), type=dict[str, Mode])


def write(store: Store, modes: dict[str, Mode]) -> None:
    """Keep the modes."""
    store.put_meta(_KEY, msgspec.json.encode(modes).decode())
