"""What a demo remembers between two runs: who signs in, and where its sandbox is.

Kept in ``TRUEUP_HOME/demo.json``, mode 0600.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from trueup.kernel.errors import Refused

EMAIL: Final = "demo@trueup.example"
ACCOUNT: Final = "demo"
AFRESH: Final = "Begin a new one in another folder: TRUEUP_HOME=~/trueup-demo trueup demo"

_VERSION: Final = 2
"""1 was a demo that invented its events itself, without a sandbox."""


class Remembered(msgspec.Struct, kw_only=True):
    """The demo's own state."""

    version: int = _VERSION
    companies: int
    seed: int
    password: str
    webhook_secret: str = ""
    """The secret of the sandbox's endpoint ``endpoint`` at the intake."""
    endpoint: str = ""
    token: str = ""
    url: str = ""
    """Where Trueup answered last."""
    port: int = 0
    """Where the sandbox answered last; 0 before it ever did."""
    api_key: str = ""
    """The sandbox's."""
    lives_seed: str = ""
    """What the companies of the year came from."""
    made: int = 0
    """How many companies were made up, so that later ones are others."""
    seeded: bool = False
    """Whether the whole year has arrived."""


def recall(path: Path, *, companies: int, seed: int) -> Remembered:
    """What the last run left, or a fresh start when there was none. Raises ``Refused`` for what it cannot read."""
    if not path.exists():
        fresh = Remembered(companies=companies, seed=seed, password=secrets.token_urlsafe(12))
        remember(path, fresh)
        return fresh
    try:
        kept: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        if kept.get("version", 1) != _VERSION:
            raise Refused(f"{path} is of a former demo, which had no sandbox.", code="demo_former", hint=AFRESH)
        return msgspec.convert(kept, Remembered)
    except msgspec.DecodeError as error:
        raise Refused(f"{path} is damaged: {error}.", code="demo_damaged", hint=AFRESH) from None


def remember(path: Path, state: Remembered) -> None:
    """Keep the state; the file is replaced whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(state), indent=2))
    fresh.replace(path)


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Whether no other process is in such a block with this file; a process that ends, in whatever way, leaves it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
