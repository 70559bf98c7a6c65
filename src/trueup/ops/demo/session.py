"""What a demo remembers between two runs: who signs in, and how far its invented year has come.

Kept in ``TRUEUP_HOME/demo.json``, mode 0600.
"""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from trueup.kernel.errors import Refused
from trueup.ops.demo.trickle import Session

EMAIL: Final = "demo@trueup.example"
ACCOUNT: Final = "demo"


class Remembered(msgspec.Struct, kw_only=True):
    """The demo's own state; ``now`` is the moment its year ends."""

    now: datetime
    companies: int
    seed: int
    password: str
    webhook_secret: str
    token: str = ""
    seeded: bool = False
    sessions: list[Session] = []


def recall(path: Path, *, now: datetime, companies: int, seed: int) -> Remembered:
    """What the last run left, or a fresh start when there was none."""
    if not path.exists():
        fresh = Remembered(
            now=now.replace(microsecond=0),
            companies=companies,
            seed=seed,
            password=secrets.token_urlsafe(12),
            webhook_secret="whsec_" + secrets.token_hex(24),
        )
        remember(path, fresh)
        return fresh
    try:
        return msgspec.json.decode(path.read_bytes(), type=Remembered)
    except msgspec.DecodeError as error:
        raise Refused(
            f"{path} is damaged: {error}.",
            code="demo_damaged",
            hint="Move it away; the demo then begins a new year beside the old one.",
        ) from None


def remember(path: Path, state: Remembered) -> None:
    """Keep the state; the file is replaced whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(state), indent=2))
    fresh.replace(path)
