"""The key at hand, told by an id that gives nothing of it away. Looking makes no key, as a start would."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from trueup.accounts import service as accounts
from trueup.runtime import configuration, crypto
from trueup.runtime.crypto import Sealer, Unsealable

CANARY: Final = b"select sealed from accounts_canary where id = 1"


def at_hand() -> bytes | None:
    """The key of this installation; none when it was never made, or is lost."""
    settings = configuration.current()
    path = settings.secret_key_file or settings.home / "secret.key"
    if not settings.secret_key and not path.exists():
        return None
    return crypto.load_key(text=settings.secret_key, path=path)


def place() -> str:
    """Where the key is kept, for people."""
    settings = configuration.current()
    return "TRUEUP_SECRET_KEY" if settings.secret_key else str(settings.secret_key_file or settings.home / "secret.key")


def id_of(key: bytes | None) -> str | None:
    """Twelve characters that tell keys apart, the same that ``/healthz`` tells installations apart by."""
    return None if key is None else crypto.id_of(key)


def opens(connection: psycopg.Connection[Any], key: bytes | None) -> bool:
    """Whether the key is the one that a database was written with; any is, where nothing was sealed yet."""
    row = connection.execute(CANARY).fetchone()
    if row is None:
        return True
    if key is None:
        return False
    try:
        Sealer(key).open(row[0], purpose=accounts.CANARY_PURPOSE)
    except Unsealable:
        return False
    return True
