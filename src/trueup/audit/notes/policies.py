"""Policies: which logs and witnesses are trusted, and how many of them it takes, https://c2sp.org/tlog-policy."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from trueup.audit.notes.checkpoints import Checkpoint, parse_checkpoint
from trueup.audit.notes.errors import PolicyUnmet
from trueup.audit.notes.keys import VerifierKey
from trueup.audit.notes.signatures import verified
from trueup.audit.notes.signed import Note
from trueup.kernel.records import Record

NONE: Final = "none"
"""The quorum of a policy that asks for no witness."""


class Log(Record, frozen=True):
    """A trusted log; its key's name is its origin. One with several keys stands here several times."""

    key: VerifierKey
    url: str = ""


class Witness(Record, frozen=True):
    """A trusted witness under the name that the policy calls it by."""

    name: str
    key: VerifierKey
    url: str = ""


class Group(Record, frozen=True):
    """Witnesses and groups of which at least ``threshold``, 1 or more, have to have cosigned."""

    name: str
    threshold: int
    members: tuple[str, ...]


class Policy(Record, frozen=True):
    """When a checkpoint is to be believed. One that ``parse_policy`` would refuse is not to be made."""

    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    """In an order in which each one names only those before it."""
    quorum: str = NONE
    """The witness or group that has to have cosigned, or ``NONE``."""

    def is_met(self, names: Iterable[str]) -> bool:
        """Whether the quorum is reached once the witnesses of these names have cosigned."""
        reached = {witness.name for witness in self.witnesses} & set(names)
        for group in self.groups:
            if len(reached.intersection(group.members)) >= group.threshold:
                reached.add(group.name)
        return self.quorum == NONE or self.quorum in reached


class Cosigned(Record, frozen=True):
    """A witness that cosigned a checkpoint, and when."""

    name: str
    """The policy's name for it."""
    key: VerifierKey
    at: datetime


class Accepted(Record, frozen=True):
    """A checkpoint that a policy believes, and who stands behind it."""

    checkpoint: Checkpoint
    logs: tuple[VerifierKey, ...]
    """The keys of the log that signed it: at least one."""
    witnesses: tuple[Cosigned, ...]


def accept(note: Note, policy: Policy) -> Accepted:
    """What a note says, believed by this policy.

    ``NoteInvalid`` if it is no checkpoint, ``SignatureInvalid`` if a signature of a known key does not fit,
    ``PolicyUnmet`` if the log is not known or has not signed, or too few witnesses have.
    """
    checkpoint = parse_checkpoint(note.text)
    # A key speaks only for the log that it is named after.
    logs = [log.key for log in policy.logs if log.key.name == checkpoint.origin]
    if not logs:
        raise PolicyUnmet(f"The policy does not know the log {checkpoint.origin}.")
    names = {witness.key: witness.name for witness in policy.witnesses}
    found = verified(note, [*logs, *names])
    signers = tuple(one.key for one in found if one.key in logs)
    if not signers:
        raise PolicyUnmet(f"The checkpoint of {checkpoint.origin} is not signed by a key that the policy trusts.")
    cosigned = tuple(Cosigned(name=names[one.key], key=one.key, at=one.at) for one in found if one.at is not None)
    if not policy.is_met(one.name for one in cosigned):
        seen = ", ".join(one.name for one in cosigned) or "nobody"
        raise PolicyUnmet(f"The quorum {policy.quorum} is not reached: the checkpoint is cosigned by {seen}.")
    return Accepted(checkpoint=checkpoint, logs=signers, witnesses=cosigned)
