"""The sequencer: numbers what is pending, signs the tree, stores the note; each step can be repeated.

Any number of workers may run it. One of them numbers at a time, by a lock of the database; only those that hold the
signing key sign.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Final

from trueup.audit.sealing import attesting, memory, numbering, trees
from trueup.audit.signing import keys
from trueup.audit.signing.errors import SigningKeyMissing
from trueup.kernel.errors import TrueupError
from trueup.runtime import clock, database, logs

log = logs.get(__name__)

MANY: Final = 1_000
"""So many entries in one piece, and the next is taken at once; after fewer it rests, and one checkpoint holds more."""
SIGNER: Final = "signer"
"""The name, and the kind, that the signer's state stands under among the places that remember checkpoints."""
ELSEWHERE_SECONDS: Final = 60.0
"""A checkpoint that nobody has signed for so long is told by those that cannot sign it themselves."""

WAITING: Final = """
select exists (select from audit_unsealed where livemode = %(livemode)s)
"""
FAILED: Final = """
insert into audit_sink (livemode, name, kind, tried_at, failures, last_error)
values (%(livemode)s, %(name)s, %(name)s, %(at)s, 1, %(error)s)
on conflict (livemode, name)
    do update set tried_at = excluded.tried_at, failures = audit_sink.failures + 1, last_error = excluded.last_error
"""
WELL: Final = """
insert into audit_sink (livemode, name, kind, size, reached_at, tried_at, failures)
values (%(livemode)s, %(name)s, %(name)s, %(size)s, %(at)s, %(at)s, 0)
on conflict (livemode, name)
    do update set size = coalesce(excluded.size, audit_sink.size), reached_at = excluded.reached_at,
                  tried_at = excluded.tried_at, failures = 0, last_error = null
"""
CLEARED: Final = """
update audit_sink set failures = 0, last_error = null
where livemode = %(livemode)s and name = %(name)s and last_error is not null
"""


def seal_once(stop: threading.Event, *, limit: int = numbering.LIMIT) -> int:
    """Do one piece for each mode; returns how many entries were numbered.

    What is wrong with one mode is noted for ``service.state`` and keeps nothing from the other.
    """
    done = 0
    for livemode in (True, False):
        if stop.is_set():
            break
        try:
            done += _place(livemode=livemode, limit=limit)
            _attest(livemode=livemode)
        except SigningKeyMissing as error:
            _elsewhere(error, livemode=livemode)
        except TrueupError as error:
            _failed(error, livemode=livemode)
    return done


def seal_paced(stop: threading.Event) -> int:
    """For the errand: go on at once while there is much to do, else rest, so that a checkpoint is made each second."""
    done = seal_once(stop)
    return done if done >= MANY else 0


def seal(*, livemode: bool, limit: int = numbering.LIMIT) -> int:
    """Do one piece for a mode; returns how many entries were numbered, and raises what keeps it from being sealed."""
    count = _place(livemode=livemode, limit=limit)
    _attest(livemode=livemode)
    return count


def _place(*, livemode: bool, limit: int) -> int:
    attesting.check(livemode=livemode)
    if database.execute(WAITING, {"livemode": livemode}).fetchone() != (True,):
        return 0
    keys.first(livemode=livemode)
    return numbering.number(livemode=livemode, limit=limit)


def _attest(*, livemode: bool) -> None:
    size = attesting.attest(livemode=livemode)
    if size is not None:
        _well(size, livemode=livemode)
    elif memory.path_of(livemode=livemode).exists():
        # Whoever never signed here does not know what keeps another host from it.
        database.execute(CLEARED, {"livemode": livemode, "name": SIGNER})


def _well(size: int, *, livemode: bool) -> None:
    values = {"livemode": livemode, "name": SIGNER, "size": size, "at": clock.now()}
    database.execute(WELL, values)


def _failed(error: TrueupError, *, livemode: bool) -> None:
    log.error("audit.not_sealed", livemode=livemode, code=error.code)
    values = {"livemode": livemode, "name": SIGNER, "at": clock.now(), "error": f"{error.code}: {error.message}"}
    database.execute(FAILED, values)


def _elsewhere(error: SigningKeyMissing, *, livemode: bool) -> None:
    """The key is on another host, which is nothing to tell of while that one signs."""
    newest = trees.newest(database.connection(), livemode=livemode)
    late = clock.now() - timedelta(seconds=ELSEWHERE_SECONDS)
    if newest is not None and newest.note is None and newest.made_at < late:
        _failed(error, livemode=livemode)
