"""This installation: its database, embedded or given, and its key."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from trueup.kernel.errors import TrueupError
from trueup.runtime import configuration, crypto, logs
from trueup.runtime.crypto import Sealer
from trueup.runtime.postgres.cluster import Cluster

log = logs.get(__name__)

_held: list[Cluster] = []
"""The embedded database while this process uses it; at most one."""


@cache
def sealer() -> Sealer:
    """The one that seals and opens this installation's secrets; makes the key at the first start."""
    return Sealer(_key())


def identifier() -> str:
    """Twelve characters that tell installations apart; another key of the installation gives others."""
    return crypto.id_of(_key())


def derived(purpose: str) -> bytes:
    """32 bytes that every process of this installation works out alike, for one purpose; they do not tell the key."""
    return hmac.digest(_key(), f"trueup {purpose}".encode(), hashlib.sha256)


def _key() -> bytes:
    settings = configuration.current()
    return crypto.load_key(text=settings.secret_key, path=settings.secret_key_file or settings.home / "secret.key")


@contextmanager
def opened(progress: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the database while the block runs and name it in ``DATABASE_URL``, for Django and for child processes.

    With ``DATABASE_URL`` given nothing is started; otherwise the embedded server is, and it stops when its last user
    leaves.
    """
    settings = configuration.current()
    if settings.database_url:
        # The file may name it; children read the environment only.
        os.environ["DATABASE_URL"] = settings.database_url
        yield
        return
    cluster = Cluster(settings.home)
    os.environ["DATABASE_URL"] = cluster.acquire(progress)
    configuration.current.cache_clear()
    _held.append(cluster)
    try:
        yield
    finally:
        _held.remove(cluster)
        cluster.release()


def look_after() -> None:
    """Make sure somebody watches the embedded server; for a supervisor's loop."""
    for cluster in _held:
        try:
            if not cluster.check():
                log.warning("postgres.keeper_replaced")
        except (TrueupError, OSError) as error:
            log.error("postgres.unwatched", error=type(error).__name__)


def keep_across_exec() -> None:
    """Go on holding the embedded database in the program this process is about to become."""
    for cluster in _held:
        cluster.keep_across_exec()
