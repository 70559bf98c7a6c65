"""Six hundred proofs and their checkpoints, verified by programs that are not ours.

`pymerkle` builds its own tree of the same entries and lays out its own proofs; it is under the GPL, so nothing of the
product may import it. `sigstore` verifies inclusion and signed checkpoints as it does those of Rekor.
"""

from __future__ import annotations

import random
from base64 import b64encode
from functools import cache

import pymerkle
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pymerkle.core import _consistency_path_layout, _inclusion_path_layout
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint, verify_checkpoint
from sigstore._internal.trust import Keyring, RekorKeyring
from sigstore.errors import VerificationError
from sigstore.models import TransparencyLogEntry
from sigstore_models.common.v1 import PublicKey, PublicKeyDetails
from sigstore_models.rekor.v1 import TransparencyLogEntry as RekorEntry

from tests.audit.merkle import reference
from tests.audit.merkle.reading import reader_of
from tests.audit.notes.keyring import FIRST, LOG, NEXT, ORIGIN, SECOND, Held, checkpoint_by
from trueup.audit.merkle.frontier import Frontier
from trueup.audit.merkle.hashing import leaf_hash
from trueup.audit.merkle.proofs import consistency_proof, inclusion_proof, subtree_root, verify_consistency
from trueup.audit.merkle.reading import HashReader
from trueup.audit.notes.checkpoints import Checkpoint

LARGEST = 70_000
DICE = random.Random(6962)
SMALL = [(index, size) for size in range(1, 9) for index in range(size)]
INCLUSIONS = SMALL + [(DICE.randrange(size), size) for size in DICE.choices(range(1, LARGEST + 1), k=300 - len(SMALL))]
CONSISTENCIES = [(old + 1, new) for old, new in SMALL]
CONSISTENCIES += [(DICE.randint(1, new), new) for new in DICE.choices(range(1, LARGEST + 1), k=300 - len(SMALL))]


@cache
def ours() -> HashReader:
    return reader_of(b"".join(reference.leaves(LARGEST)))


@cache
def theirs() -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    tree.append_entries([reference.entry(index) for index in range(LARGEST)])
    return tree


def root_at(size: int) -> bytes:
    return Frontier.at(size, ours().node).root


def test_pymerkle_has_the_same_roots() -> None:
    for size in {size for _, size in INCLUSIONS + CONSISTENCIES}:
        assert theirs().get_root(size) == root_at(size)


def test_pymerkle_verifies_three_hundred_inclusions() -> None:
    assert len(INCLUSIONS) == 300
    for index, size in INCLUSIONS:
        leaf = leaf_hash(reference.entry(index))
        # Its rule is the order in which the hashes are joined, which it works out from the position alone.
        rule, _ = _inclusion_path_layout(index + 1, size)
        path = [leaf, *inclusion_proof(index, size, ours().node)]
        proof = pymerkle.InclusionProof("sha256", True, size, index + 1, rule, path)

        pymerkle.verify_inclusion(leaf, theirs().get_root(size), proof, index=index + 1, size=size)
        with pytest.raises(pymerkle.InvalidProof):
            pymerkle.verify_inclusion(leaf, theirs().get_root(size + 1 if size < LARGEST else 1), proof)


def test_pymerkle_verifies_three_hundred_consistencies() -> None:
    assert len(CONSISTENCIES) == 300
    for old, new in CONSISTENCIES:
        # Its proofs hold some nodes that RFC 6962 leaves out; they are read out of our tiles.
        rule, subset, ranges = _consistency_path_layout(old, new)
        path = [subtree_root(start, end, ours().node) for start, end in ranges]
        proof = pymerkle.ConsistencyProof("sha256", True, new, old, rule, subset, path)

        pymerkle.verify_consistency(root_at(old), root_at(new), proof, prior_size=old, later_size=new)
        verify_consistency(
            old, theirs().get_root(old), new, theirs().get_root(new), consistency_proof(old, new, ours().node)
        )


def rekor_keyring(held: Held) -> RekorKeyring:
    """The key as sigstore holds those of logs."""
    public = Ed25519PublicKey.from_public_bytes(held.key.public_key)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return RekorKeyring(Keyring([PublicKey(raw_bytes=b64encode(der), key_details=PublicKeyDetails.PKIX_ED25519)]))


def rekor_entry(index: int, size: int, *holders: Held) -> TransparencyLogEntry:
    """An entry of ours with its proof and checkpoint, as sigstore takes them from a bundle."""
    note = checkpoint_by(Checkpoint(origin=ORIGIN, size=size, root=root_at(size)), *holders)
    proof = {
        "logIndex": str(index),
        "rootHash": b64encode(root_at(size)),
        "treeSize": str(size),
        "hashes": [b64encode(one) for one in inclusion_proof(index, size, ours().node)],
        "checkpoint": {"envelope": note.decode()},
    }
    entry = {
        "logIndex": str(index),
        "logId": {"keyId": b64encode(LOG.key.key_id.to_bytes(4))},
        "kindVersion": {"kind": "audit", "version": "1"},
        "inclusionProof": proof,
        "canonicalizedBody": b64encode(reference.entry(index)),
    }
    return TransparencyLogEntry(RekorEntry.from_dict(entry))


def test_sigstore_verifies_three_hundred_inclusions_and_their_checkpoints() -> None:
    keyring = rekor_keyring(LOG)
    for index, size in INCLUSIONS:
        entry = rekor_entry(index, size, FIRST, LOG, SECOND)

        verify_merkle_inclusion(entry)
        verify_checkpoint(keyring, entry)


def test_sigstore_reads_the_checkpoint_as_we_do() -> None:
    note = checkpoint_by(Checkpoint(origin=ORIGIN, size=300, root=root_at(300)), LOG, FIRST).decode()

    signed = SignedCheckpoint.from_text(note)

    assert (signed.checkpoint.origin, signed.checkpoint.log_size) == (ORIGIN, 300)
    assert (signed.checkpoint.log_hash, signed.checkpoint.other_content) == (root_at(300).hex(), [])
    assert [(one.name, one.sig_hash) for one in signed.signed_note.signatures] == [
        (held.key.name, held.key.key_id.to_bytes(4)) for held in (LOG, FIRST)
    ]


def test_sigstore_refuses_what_is_not_ours() -> None:
    with pytest.raises(VerificationError, match="Signature not found"):
        verify_checkpoint(rekor_keyring(LOG), rekor_entry(7, 300, NEXT))
    with pytest.raises(VerificationError, match="invalid signature"):
        verify_checkpoint(rekor_keyring(NEXT), rekor_entry(7, 300, LOG))
