"""A witness: a folder that remembers the largest tree it saw of each log, and cosigns only what continues it.

https://c2sp.org/tlog-witness. The folder has its own key and, for each log, the newest signed checkpoint as it came:
should the log ever say something else, the two notes together show who said both.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from trueup.audit.merkle.errors import ProofInvalid
from trueup.audit.merkle.proofs import verify_consistency
from trueup.audit.notes.checkpoints import Checkpoint, parse_checkpoint
from trueup.audit.notes.cosignatures import cosign
from trueup.audit.notes.errors import NoteInvalid, SignatureInvalid
from trueup.audit.notes.keys import COSIGNATURE, VerifierKey, public_key_of, signer
from trueup.audit.notes.signatures import verified
from trueup.audit.notes.signed import Signature, parse_note
from trueup.audit.notes.witnessing import AddCheckpoint
from trueup.kernel.errors import Broken, Unavailable
from trueup.kernel.records import Record
from trueup.runtime import clock, crypto, durable

KEY_FILE: Final = "witness.key"
SUFFIX: Final = ".checkpoint"
ASIDE: Final = "rolled-back"
"""How what a witness knew before a rollback that an operator accepted is called from then on; it is kept."""
_EMPTY: Final = hashlib.sha256().digest()


class Cosigned(Record, frozen=True):
    """The checkpoint continues all that the witness saw; it remembers it now, and says so."""

    signature: Signature


class Conflict(Record, frozen=True):
    """The witness knows another size than the log says, or another tree of that size."""

    size: int
    """The size that it cosigned last; 0 for a log that it has cosigned nothing of."""


class Refusal(Record, frozen=True):
    """The witness does not cosign."""

    status: int
    """As the specification has it: 400 malformed, 403 not signed by the log, 404 not a log of ours, 422 no proof."""
    reason: str


Outcome = Cosigned | Conflict | Refusal


class Witness:
    """The witness in a folder; any number of threads and processes may share it."""

    def __init__(self, folder: Path, *, name: str = "") -> None:
        """Open the folder, and make it and its key where they are missing.

        ``name`` is that of its key; without one it is made of the key itself. A key file that others may read raises
        ``Refused``, and a folder that cannot be used ``Unavailable``.
        """
        self.folder = folder
        with _using(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        seed = crypto.load_key(text="", path=folder / KEY_FILE)
        public = public_key_of(seed)
        self.key = VerifierKey(
            name=name or f"trueup-witness-{hashlib.sha256(public).hexdigest()[:12]}",
            public_key=public,
            kind=COSIGNATURE,
        )
        self._sign = signer(seed)

    def add_checkpoint(self, request: AddCheckpoint, *, logs: Sequence[VerifierKey]) -> Outcome:
        """Cosign a checkpoint that one of these keys signed and that continues what this witness saw of its log.

        What it remembers is on disk before anything is signed; where that fails, ``Unavailable`` and nothing is. A
        log whose key was rotated is followed once the new key is among ``logs``.
        """
        read = _signed(request, logs)
        if isinstance(read, Refusal):
            return read
        text, checkpoint = read
        with self._locked():
            known = self.known(checkpoint.origin)
            size, root = (known.size, known.root) if known else (0, _EMPTY)
            if request.old_size != size or (size == checkpoint.size and root != checkpoint.root):
                return Conflict(size=size)
            try:
                verify_consistency(size, root, checkpoint.size, checkpoint.root, request.proof)
            except ProofInvalid as error:
                return Refusal(status=422, reason=error.message)
            self._remember(checkpoint.origin, request.checkpoint)
        return Cosigned(signature=cosign(text, self.key, self._sign, clock.now()))

    def known(self, origin: str) -> Checkpoint | None:
        """The largest tree that it saw of a log; what was altered by somebody raises ``Broken``."""
        with _using(self.folder):
            path = self._path(origin)
            if not path.exists():
                return None
            found = _read(path)
        if found.origin != origin:
            raise _unreadable(path)
        return found

    def all_known(self) -> tuple[Checkpoint, ...]:
        """The largest tree that it saw of each log, by the log's origin."""
        with _using(self.folder):
            found = [_read(path) for path in self.folder.glob(f"*{SUFFIX}")]
        return tuple(sorted(found, key=lambda one: one.origin))

    def forget(self, origin: str) -> Path | None:
        """Begin anew with a log whose going back an operator accepted; what was known is kept in the file returned.

        None where nothing was known.
        """
        with self._locked(), _using(self.folder):
            path = self._path(origin)
            if not path.exists():
                return None
            aside = path.with_suffix(f".{clock.unix()}-{secrets.token_hex(3)}.{ASIDE}")
            durable.create(aside, path.read_bytes())
            path.unlink()
            return aside

    def _path(self, origin: str) -> Path:
        # An origin may hold what no file name can.
        return self.folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}{SUFFIX}"

    def _remember(self, origin: str, note: bytes) -> None:
        with _using(self.folder):
            durable.replace(self._path(origin), note)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder against other threads and processes."""
        with _using(self.folder):
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _signed(request: AddCheckpoint, logs: Sequence[VerifierKey]) -> tuple[str, Checkpoint] | Refusal:
    """The text of the request's checkpoint and what it says, if it is signed by its log."""
    try:
        note = parse_note(request.checkpoint)
        checkpoint = parse_checkpoint(note.text)
    except NoteInvalid as error:
        return Refusal(status=400, reason=error.message)
    trusted = [key for key in logs if key.name == checkpoint.origin]
    if not trusted:
        return Refusal(status=404, reason="The log is not one of this witness's.")
    try:
        signed = verified(note, trusted)
    except SignatureInvalid as error:
        return Refusal(status=403, reason=error.message)
    if not signed:
        return Refusal(status=403, reason="The checkpoint is not signed by a key of the log.")
    if request.old_size > checkpoint.size:
        return Refusal(status=400, reason="The old size is larger than the checkpoint's.")
    return note.text, checkpoint


def _read(path: Path) -> Checkpoint:
    try:
        return parse_checkpoint(parse_note(path.read_bytes()).text)
    except NoteInvalid:
        raise _unreadable(path) from None


def _unreadable(path: Path) -> Broken:
    return Broken(
        f"What the witness knew is not what stands in {path}.",
        code="witness_altered",
        hint="It was changed by hand, or its disk has lost it; see docs/runbooks/audit.md.",
    )


@contextmanager
def _using(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The witness's folder {folder} cannot be used: {error.strerror}.",
            code="witness_folder",
            hint="See that this user may write there, and that the disk has room.",
        ) from None
