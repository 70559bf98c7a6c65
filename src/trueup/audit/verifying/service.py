"""Checking the log: all of it against its tree, one checkpoint against another, and one entry for somebody outside."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from trueup.audit import service as audit
from trueup.audit.merkle.proofs import consistency_proof, inclusion_proof, verify_consistency
from trueup.audit.notes.checkpoints import Checkpoint, parse_checkpoint
from trueup.audit.notes.policies import Accepted, Log, Policy, accept
from trueup.audit.notes.proof_files import ProofFile, parse_proof_file, render_proof_file, verify_proof_file
from trueup.audit.notes.signed import Note, parse_note, parse_signatures, render_note
from trueup.audit.sealing import trees
from trueup.audit.signing import keys
from trueup.audit.verifying import running
from trueup.audit.verifying.running import Progress
from trueup.audit.verifying.types import Finding, LastVerification
from trueup.kernel.errors import Conflict, Refused

NOTE_RESULT: Final = b"""
insert into audit_verification (livemode, size, started_at, ended_at, verified, code, position, finding)
values (%(livemode)s, %(size)s, %(started_at)s, %(ended_at)s, %(verified)s, %(code)s, %(position)s, %(finding)s)
"""
LAST: Final = b"""
select livemode, size, started_at, ended_at, verified, code, position, finding
from audit_verification where livemode = %s order by id desc limit 1
"""
PLACE: Final = b"select livemode, leaf_index from audit_leaf where entry_id = %s"
# One that a witness has cosigned says more than a newer one without.
NEWEST_COSIGNED: Final = b"""
select c.size, c.note, coalesce(array_agg(s.line order by s.key_name) filter (where s.line is not null), '{}')
from audit_checkpoint c left join audit_cosignature s using (livemode, size)
where c.livemode = %(livemode)s and c.size > %(leaf_index)s and c.note is not null
group by c.size, c.note order by count(s.line) > 0 desc, c.size desc limit 1
"""


def verify_database(
    connection: psycopg.Connection[tuple[Any, ...]],
    *,
    livemode: bool,
    since_size: int | None = None,
    progress: Progress | None = None,
) -> Finding:
    """Hash every entry again and compare leaves, columns, tiles, checkpoints, signatures and keys of a mode.

    ``since_size`` leaves out what is below it. The log may grow meanwhile. The result is noted, which
    ``last`` reads; nothing else is changed.
    """
    finding = running.check(connection, livemode=livemode, since_size=since_size or 0, progress=progress)
    values = {
        "livemode": livemode,
        "size": finding.size,
        "started_at": finding.started_at,
        "ended_at": finding.ended_at,
        "verified": finding.verified,
        "code": finding.first.code.value if finding.first else "",
        "position": finding.first.position if finding.first else None,
        "finding": finding.first.sentence if finding.first else "",
    }
    psycopg.Cursor(connection).execute(NOTE_RESULT, values)
    return finding


def last(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> LastVerification | None:
    """How the last check of a mode ended; None where there was none."""
    row = psycopg.Cursor(connection).execute(LAST, (livemode,)).fetchone()
    return None if row is None else LastVerification(**dict(zip(LastVerification.__struct_fields__, row, strict=True)))


def verify_between(
    connection: psycopg.Connection[tuple[Any, ...]], first: bytes, second: bytes
) -> tuple[Checkpoint, Checkpoint]:
    """Return what two signed checkpoints of this log say, smaller first, if the one continues the other.

    Both are taken as anybody may have kept them; the proof is made of the stored tiles. ``NoteInvalid``,
    ``SignatureInvalid`` and ``PolicyUnmet`` for what is no checkpoint that our keys signed, ``ProofInvalid`` where the
    larger does not continue the smaller, ``Refused`` where this database has fewer entries than either.
    """
    parsed = [parse_note(data) for data in (first, second)]
    modes = {checkpoint.origin.endswith("/live") for checkpoint in (parse_checkpoint(note.text) for note in parsed)}
    if len(modes) != 1:
        raise Refused("The two checkpoints are not of one log.", code="audit_checkpoints_differ")
    livemode = modes.pop()
    known = keys.announced(connection, livemode=livemode)
    policy = Policy(logs=tuple(Log(key=key) for key in dict.fromkeys(one.key for one in known)))
    old, new = sorted((accept(note, policy).checkpoint for note in parsed), key=lambda checkpoint: checkpoint.size)
    size = trees.leaves(connection, livemode=livemode)
    if new.size > size:
        raise Refused(
            f"The checkpoint of {new.size} entries is of a larger log than this database holds, which has {size}.",
            code="audit_went_back",
            hint="If the checkpoint is yours, the database went back: see docs/runbooks/audit.md.",
        )
    proof = consistency_proof(old.size, new.size, trees.reader(connection, new.size, livemode=livemode).node)
    verify_consistency(old.size, old.root, new.size, new.root, proof)
    return old, new


def prove(connection: psycopg.Connection[tuple[Any, ...]], entry_id: int) -> bytes:
    """A C2SP proof file that an entry is in the log, with the newest checkpoint that witnesses cosigned, if one did.

    The bytes that it is of are the entry's ``body``. ``NotFound`` for an entry that there is not, ``Conflict`` for one
    that is in no signed checkpoint yet.
    """
    audit.entry(connection, entry_id)
    cursor = psycopg.Cursor(connection)
    place = cursor.execute(PLACE, (entry_id,)).fetchone()
    livemode, leaf_index = place or (True, 0)
    row = (
        cursor.execute(NEWEST_COSIGNED, {"livemode": livemode, "leaf_index": leaf_index}).fetchone() if place else None
    )
    if row is None:
        raise Conflict(
            f"The entry {entry_id} is in no signed checkpoint yet.",
            code="audit_entry_unsealed",
            hint="A running worker signs one each second; see trueup audit status.",
        )
    size, text, lines = row
    note = parse_note(text.encode())
    cosigned = tuple(one for line in lines for one in parse_signatures(line))
    file = ProofFile(
        index=leaf_index,
        proof=tuple(inclusion_proof(leaf_index, size, trees.reader(connection, size, livemode=livemode).node)),
        checkpoint=render_note(Note(text=note.text, signatures=(*note.signatures, *cosigned))),
    )
    return render_proof_file(file)


def verify_proof(text: bytes, entry: bytes, policy: Policy) -> Accepted:
    """Return who vouches that these bytes are an entry of a log, by a proof file and a policy; needs no database.

    ``NoteInvalid``, ``SignatureInvalid``, ``PolicyUnmet`` or ``ProofInvalid`` where nobody does.
    """
    return verify_proof_file(parse_proof_file(text), entry, policy)
