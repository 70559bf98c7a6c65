"""``Idempotency-Key``: a request that comes again gets the answer it got."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

from trueup.kernel.records import Record
from trueup.sandbox.assumptions import IDEMPOTENCY_SECONDS
from trueup.sandbox.wire.errors import StripeError
from trueup.sandbox.world.store import Store


class Known(Record, frozen=True):
    """The answer that was given."""

    status: int
    body: bytes
    request: str


class Idempotency:
    """Answers by key, for 24 hours of the sandbox's own clock. Source: sandbox specification B.0.8."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def known(self, key: str, path: str, tree: Mapping[str, Any], *, now: int) -> Known | None:
        """The answer of a key, None where it is new. Raises Stripe's 400 where it came with other parameters."""
        row = self._store.db.execute(
            "select at, print, status, body, request from idempotency where key = ?", (key,)
        ).fetchone()
        if row is None or now - row[0] >= IDEMPOTENCY_SECONDS:
            return None
        if row[1] != _print(path, tree):
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request."
            )
            raise StripeError(message, type="idempotency_error")
        return Known(status=row[2], body=bytes(row[3]), request=row[4])

    def keep(
        self, key: str, path: str, tree: Mapping[str, Any], *, status: int, body: bytes, request: str, now: int
    ) -> None:
        """Remember an answer."""
        self._store.db.execute(
            "insert or replace into idempotency values (?, ?, ?, ?, ?, ?)",
            (key, now, _print(path, tree), status, body, request),
        )


def _print(path: str, tree: Mapping[str, Any]) -> str:
    return sha256(orjson.dumps([path, tree], option=orjson.OPT_SORT_KEYS)).hexdigest()
