"""What a doing at Stripe may use: the API, objects chosen by chance, and time."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final, Protocol

from trueup.ops.simulation.types import Json

HOUR: Final = 3_600
DAY: Final = 86_400
NAMES: Final = ("Ada", "Bea", "Cleo", "Dora")


class Stripe(Protocol):
    """What a doing may use."""

    rng: random.Random

    def ask(self, method: str, path: str, **params: Any) -> Json:
        """Ask the API; raises ``Refused``."""
        ...

    def any(self, kind: str, **fields: Any) -> Json:
        """An object of a kind as it was last told, by chance; raises ``LookupError`` where there is none."""
        ...

    def turn(self, seconds: int) -> None:
        """Let the sandbox's own time pass."""
        ...


Doing = Callable[[Stripe], object]


def post(me: Stripe, path: str, **params: Any) -> Json:
    """POST to a path."""
    return me.ask("POST", path, **params)


def path_of(kind: str, obj: Json) -> str:
    """Where an object is."""
    names = {"test_helpers.test_clock": "test_helpers/test_clocks"}
    return f"/v1/{names.get(kind, kind + 's')}/{obj['id']}"


def note(me: Stripe) -> dict[str, str]:
    """Some metadata."""
    return {me.rng.choice(("tier", "owner")): me.rng.choice(NAMES)}
