"""One checkpoint against another, and one entry for somebody who has no database of ours."""

from __future__ import annotations

import pytest

from tests.audit.writing import record, record_many, seal, seal_all, signed
from trueup.audit import service as audit
from trueup.audit.merkle.errors import ProofInvalid
from trueup.audit.notes.cosignatures import cosign
from trueup.audit.notes.errors import PolicyUnmet, SignatureInvalid
from trueup.audit.notes.keys import COSIGNATURE, VerifierKey, public_key_of, signer
from trueup.audit.notes.policy_files import parse_policy
from trueup.audit.notes.signed import parse_note, render_signatures
from trueup.audit.signing import rotation
from trueup.audit.verifying import service as verifying
from trueup.kernel.errors import Conflict, NotFound, Refused
from trueup.runtime import clock, database

pytestmark = pytest.mark.usefixtures("db", "home")

SEED = bytes(range(32))
WITNESS = VerifierKey(name="witness.acme.example", public_key=public_key_of(SEED), kind=COSIGNATURE)


def policy(*witnesses: VerifierKey, livemode: bool = True) -> bytes:
    """What verifiers are given."""
    return rotation.policy(database.connection(), livemode=livemode, witnesses=witnesses)


@pytest.mark.parametrize("livemode", [True, False])
def test_an_entry_is_proved_to_somebody_with_the_policy(livemode: bool) -> None:
    wrote = record_many(300, livemode=livemode)
    seal_all()

    for entry_id in (wrote[0], wrote[256], wrote[299]):
        text = verifying.prove(database.connection(), entry_id)
        body = audit.entry(database.connection(), entry_id).body
        accepted = verifying.verify_proof(text, body, parse_policy(policy(livemode=livemode)))
        assert accepted.checkpoint.size == 301
        with pytest.raises(ProofInvalid):
            verifying.verify_proof(text, body + b" ", parse_policy(policy(livemode=livemode)))
    with pytest.raises(PolicyUnmet):
        verifying.verify_proof(text, body, parse_policy(b"quorum none\n"))


def test_a_proof_carries_what_witnesses_said() -> None:
    entry_id = record()
    seal()
    note = parse_note((signed().note or "").encode())
    line = render_signatures([cosign(note.text, WITNESS, signer(SEED), clock.now())])
    database.execute(
        "insert into audit_cosignature (livemode, size, key_name, line) values (true, 2, %s, %s)", (WITNESS.name, line)
    )
    record()
    seal()

    text = verifying.prove(database.connection(), entry_id)

    asking = policy(WITNESS).replace(b"quorum none", b"quorum witness-1")
    body = audit.entry(database.connection(), entry_id).body
    accepted = verifying.verify_proof(text, body, parse_policy(asking))
    assert (accepted.checkpoint.size, [one.key for one in accepted.witnesses]) == (2, [WITNESS])


def test_what_cannot_be_proved_is_told() -> None:
    entry_id = record()

    with pytest.raises(Conflict, match="no signed checkpoint yet"):
        verifying.prove(database.connection(), entry_id)
    with pytest.raises(NotFound):
        verifying.prove(database.connection(), entry_id + 1)


def test_two_checkpoints_are_of_one_history() -> None:
    notes = []
    for count in (1, 300, 5):
        record_many(count)
        seal()
        notes.append((signed().note or "").encode())

    old, new = verifying.verify_between(database.connection(), notes[2], notes[0])
    assert (old.size, new.size) == (2, 307)
    assert verifying.verify_between(database.connection(), notes[1], notes[1])[0].size == 302


def test_two_checkpoints_that_do_not_continue_each_other_are_refused() -> None:
    record_many(3)
    seal()
    older = (signed().note or "").encode()
    record(livemode=False)
    record_many(3)
    seal()
    newer = (signed().note or "").encode()
    test = (signed(livemode=False).note or "").encode()

    with pytest.raises(Refused, match="not of one log"):
        verifying.verify_between(database.connection(), older, test)
    with pytest.raises(SignatureInvalid):
        verifying.verify_between(database.connection(), older.replace(b"\n4\n", b"\n5\n"), newer)
    database.execute("set local session_replication_role = replica")
    database.execute("update audit_tile set hashes = overlay(hashes placing sha256('x') from 161) where livemode")
    with pytest.raises(ProofInvalid):
        verifying.verify_between(database.connection(), older, newer)
    database.execute("delete from audit_leaf where livemode and leaf_index > 2")
    with pytest.raises(Refused, match="larger log than this database holds"):
        verifying.verify_between(database.connection(), older, newer)
