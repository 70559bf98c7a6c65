"""Taking the newest signed checkpoint to every witness, and keeping what each of them says to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Final

from trueup.audit.merkle.proofs import consistency_proof
from trueup.audit.notes.cosignatures import cosigned_at
from trueup.audit.notes.errors import SignatureInvalid
from trueup.audit.notes.keys import VerifierKey
from trueup.audit.notes.signed import Signature, parse_note, render_signatures
from trueup.audit.notes.witnessing import AddCheckpoint, parse_cosignatures, parse_size, render_add_checkpoint
from trueup.audit.witnesses import places, sinks, tree
from trueup.audit.witnesses.sinks import Claimed, Rhythm
from trueup.audit.witnesses.state import Conflict, Cosigned, Outcome, Refusal
from trueup.audit.witnesses.tree import SignedCheckpoint
from trueup.kernel.errors import Broken, TrueupError, Unavailable
from trueup.kernel.records import Record
from trueup.runtime import database, logs, outgoing

log = logs.get(__name__)

RHYTHM: Final = Rhythm(pause=5.0, changed_seconds=5.0, unchanged_seconds=86_400.0)
"""A witness is asked when there is a newer checkpoint, and once a day besides, so that its time is of lately."""
_OK: Final = 200
_CONFLICT: Final = 409
_UNPROVED: Final = 422


class Place(Record, frozen=True):
    """A witness as it is asked."""

    kind: str
    key: VerifierKey
    ask: Callable[[AddCheckpoint], Outcome]


class Ahead(Broken):
    """The witness knows more of the log than the database has, or another log."""

    code = sinks.WENT_BACK

    def __init__(self, key: VerifierKey, known: int, size: int) -> None:
        super().__init__(f"{key.name} knows {known} entries of a log that this one, with {size}, does not continue.")
        self.known = known


def ask(stop: threading.Event) -> int:
    """Ask every witness that is due about the newest checkpoint of each log; answers how many were asked.

    What goes wrong is noted on the place, and stops no other one.
    """
    asked = 0
    for livemode in (True, False):
        newest = tree.newest(database.connection(), livemode=livemode)
        if newest is None:
            continue
        for place in _places(livemode=livemode):
            if stop.is_set():
                return asked
            name = place.key.name
            due = sinks.claim(livemode=livemode, name=name, kind=place.kind, rhythm=RHYTHM, size=newest.size)
            if due is not None:
                _visit(place, due, newest, livemode=livemode)
                asked += 1
    return asked


def _places(*, livemode: bool) -> Iterator[Place]:
    witness = places.built_in()
    keys = tree.log_keys(database.connection(), livemode=livemode)
    yield Place(kind=places.BUILT_IN, key=witness.key, ask=lambda request: witness.add_checkpoint(request, logs=keys))
    for other in places.elsewhere():
        yield Place(kind=places.WITNESS, key=other.key, ask=_over_http(other))


def _visit(place: Place, due: Claimed, newest: SignedCheckpoint, *, livemode: bool) -> None:
    name = place.key.name
    try:
        line = cosignature(place, due.size or 0, newest, livemode=livemode)
    except Ahead as error:
        # Whoever was told of a rollback and has not forgotten yet stops nobody a second time.
        told = due.code in {sinks.ACCEPTED, sinks.AHEAD} and error.known == due.size
        if told:
            error.code = sinks.AHEAD
        log.warning("witness.ahead", witness=name, livemode=livemode, size=error.known, accepted=told)
        sinks.failed(error, livemode=livemode, name=name, size=error.known)
    except TrueupError as error:
        log.info("witness.failed", witness=name, livemode=livemode, code=error.code)
        sinks.failed(error, livemode=livemode, name=name)
    else:
        with database.transaction() as connection:
            tree.cosigned(connection, livemode=livemode, size=newest.size, key_name=name, line=line)
            sinks.reached(livemode=livemode, name=name, size=newest.size)


def cosignature(place: Place, known: int, newest: SignedCheckpoint, *, livemode: bool) -> str:
    """The witness's line below this checkpoint, verified; ``known`` is the size that it is thought to know.

    ``Ahead`` if it knows what this log does not continue; other errors where it does not answer, or not as it should.
    """
    outcome = _ask(place, min(known, newest.size), newest, livemode=livemode)
    if isinstance(outcome, Conflict) and outcome.size <= newest.size:
        # It knows another size than we thought: after a lost answer, or asked for the first time by us.
        known = outcome.size
        outcome = _ask(place, known, newest, livemode=livemode)
    match outcome:
        case Cosigned(signature=signature):
            cosigned_at(parse_note(newest.note).text, place.key, signature)
            return render_signatures([signature])
        case Conflict(size=size):
            raise Ahead(place.key, size, newest.size)
        case Refusal(status=status, reason=reason):
            if status == _UNPROVED and known:
                # Our proof leads from our root of that size to our newest one. It does not from theirs.
                raise Ahead(place.key, known, newest.size)
            raise Unavailable(f"{place.key.name} refuses with {status}: {reason}", code=f"audit_witness_{status}")


def _ask(place: Place, known: int, newest: SignedCheckpoint, *, livemode: bool) -> Outcome:
    node = tree.reader(database.connection(), livemode=livemode, size=newest.size).node
    proof = consistency_proof(known, newest.size, node)
    return place.ask(AddCheckpoint(old_size=known, proof=tuple(proof), checkpoint=newest.note))


def _over_http(other: places.Elsewhere) -> Callable[[AddCheckpoint], Outcome]:
    def ask(request: AddCheckpoint) -> Outcome:
        answer = outgoing.post(
            f"{other.url}/add-checkpoint", render_add_checkpoint(request), headers={"Content-Type": "text/plain"}
        )
        if answer.status == _OK:
            return Cosigned(signature=_of(other.key, answer.body))
        if answer.status == _CONFLICT:
            return Conflict(size=parse_size(answer.body))
        # What it says beside is not kept: it is a stranger's text.
        return Refusal(status=answer.status, reason="its answer is not a cosignature.")

    return ask


def _of(key: VerifierKey, body: bytes) -> Signature:
    """The signature of this key among those that came; others are ignored, as the specification asks."""
    for signature in parse_cosignatures(body):
        if (signature.name, signature.key_id) == (key.name, key.key_id):
            return signature
    raise SignatureInvalid(f"The answer of {key.name} has no cosignature of its key.")
