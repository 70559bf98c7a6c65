"""Whether checkpoints say the roots that the tree had, and are signed by the keys that entries announced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
import psycopg

from trueup.audit.notes.checkpoints import parse_checkpoint
from trueup.audit.notes.errors import KeyInvalid, NoteInvalid, SignatureInvalid
from trueup.audit.notes.keys import VerifierKey
from trueup.audit.notes.signatures import verified
from trueup.audit.notes.signed import parse_note
from trueup.audit.sealing import trees
from trueup.audit.signing.keys import SigningKey
from trueup.audit.store import LOG
from trueup.audit.types import Action
from trueup.audit.verifying.pieces import Checkpoint
from trueup.audit.verifying.types import Problem, Wrong

PREVIOUS: Final = b"""
select size from audit_checkpoint where livemode = %(livemode)s and size <= %(size)s order by size desc limit 1
"""
KEY_ENTRIES: Final = f"""
select e.id, e.action, e.body from {LOG} e
where e.livemode = %(livemode)s and e.action = any(%(actions)s) order by e.id
""".encode()  # noqa: S608 - our own text


class Checking:
    """Goes through the checkpoints by size."""

    def __init__(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        known: Sequence[SigningKey],
        after: int,
        *,
        livemode: bool,
    ) -> None:
        self._known = known
        self._succeeded = {one.number - 1 for one in known if one.number > 1}
        self.count = 0
        row = psycopg.Cursor(connection).execute(PREVIOUS, {"livemode": livemode, "size": after}).fetchone()
        self.last: int | None = int(row[0]) if row else None

    def check(self, stored: Sequence[Checkpoint], root_at: Callable[[int], bytes]) -> list[Problem]:
        """What is wrong with the next checkpoints, by their size."""
        return [problem for one in stored for problem in self._problems(one, root_at)]

    def _problems(self, stored: Checkpoint, root_at: Callable[[int], bytes]) -> Iterator[Problem]:
        self.count += 1
        if stored.previous_size != self.last:
            # What it names as the one before it is gone, or was put between them.
            position = stored.size if stored.previous_size is None else stored.previous_size
            sentence = f"The checkpoint of {position} entries, before that of {stored.size}, is missing."
            yield Problem(code=Wrong.CHECKPOINT_MISSING, position=position, sentence=sentence)
        self.last = stored.size
        if root_at(stored.size) != stored.root:
            sentence = f"The checkpoint of {stored.size} entries has another root than the tree had then."
            yield Problem(code=Wrong.CHECKPOINT_CHANGED, position=stored.size, sentence=sentence)
        if stored.note is not None and (wrong := self._wrong_note(stored, stored.note)):
            sentence = f"The signed note of the checkpoint of {stored.size} entries is not valid: {wrong}"
            yield Problem(code=Wrong.NOTE_INVALID, position=stored.size, sentence=sentence)

    def _wrong_note(self, stored: Checkpoint, note: str) -> str:
        try:
            parsed = parse_note(note.encode())
            told = parse_checkpoint(parsed.text)
            signers = {one.key for one in verified(parsed, [one.key for one in self._known])}
        except (NoteInvalid, SignatureInvalid, KeyInvalid) as error:
            return error.message
        if (told.size, told.root) != (stored.size, stored.root):
            return "it speaks of another tree."
        missing = [key for key in self._wanted(stored.size) if key not in signers]
        return f"the key {missing[0].key_id:08x} has not signed it." if missing else ""

    def _wanted(self, size: int) -> list[VerifierKey]:
        """The keys that a checkpoint of this size has to be signed with."""
        placed = [one for one in self._known if one.is_placed(size)]
        wanted = placed[-1:]
        # The first that holds the announcement of a key is signed by the one before it as well.
        for one in placed[-2:-1]:
            if one.number in self._succeeded:
                self._succeeded.discard(one.number)
                wanted.append(one)
        return [one.key for one in wanted]


def check_keys(
    connection: psycopg.Connection[tuple[Any, ...]], known: Sequence[SigningKey], *, livemode: bool, minimum: int
) -> list[Problem]:
    """Whether the keys are those that entries announced, each in the place of the one before it.

    An announcement that retention has dropped is believed.
    """
    actions = [Action.SIGNING_KEY_MADE.value, Action.SIGNING_KEY_ROTATED.value]
    rows = psycopg.Cursor(connection).execute(KEY_ENTRIES, {"livemode": livemode, "actions": actions}).fetchall()
    told = {entry_id: _announced(bytes(body)) for entry_id, _, body in rows}
    problems = []
    before = ""
    for number, one in enumerate(known, start=1):
        dropped = one.leaf_index is not None and one.leaf_index < minimum
        announced = told.pop(one.entry_id, None)
        if one.number != number or (announced != (before, str(one.key)) and not (announced is None and dropped)):
            sentence = (
                f"No entry announces the signing key {one.number} ({one.key.key_id:08x}) after the one before it."
            )
            problems.append(Problem(code=Wrong.KEY_CHANGED, position=one.number, sentence=sentence))
        before = str(one.key)
    if not known and trees.newest_signed(connection, livemode=livemode):
        # Their signatures are not looked at further: there is nothing to compare them with.
        sentence = "There are signed checkpoints, and no key that signed them."
        problems.append(Problem(code=Wrong.KEY_CHANGED, position=1, sentence=sentence))
    for entry_id in told:
        sentence = f"The entry {entry_id} announces a signing key that is not among the keys."
        problems.append(Problem(code=Wrong.KEY_CHANGED, position=len(known) + 1, sentence=sentence))
    return problems


def _announced(body: bytes) -> tuple[str, str]:
    """The key before and the key that an entry announces."""
    try:
        told = msgspec.json.decode(body)
        return str((told.get("before") or {}).get("key", "")), str(told["after"]["key"])
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError):
        return "", ""
