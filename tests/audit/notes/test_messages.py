"""Proof files, and what a log and a witness say to each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.merkle import reference
from tests.audit.merkle.reading import reader_of
from tests.audit.notes.keyring import FIRST, LOG, NEXT, ORIGIN, checkpoint_by, signed_by
from trueup.audit.merkle.errors import ProofInvalid
from trueup.audit.merkle.frontier import Frontier
from trueup.audit.merkle.proofs import inclusion_proof
from trueup.audit.notes.checkpoints import Checkpoint, parse_checkpoint
from trueup.audit.notes.errors import NoteInvalid, PolicyUnmet, SignatureInvalid
from trueup.audit.notes.policies import Log, Policy, Witness
from trueup.audit.notes.proof_files import ProofFile, parse_proof_file, render_proof_file, verify_proof_file
from trueup.audit.notes.signed import parse_note
from trueup.audit.notes.witnessing import (
    AddCheckpoint,
    parse_add_checkpoint,
    parse_cosignatures,
    parse_size,
    render_add_checkpoint,
    render_cosignatures,
    render_size,
)

HASHES = """PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=
"""
VECTORS = Path(__file__).parent / "vectors"
# https://c2sp.org/tlog-witness
REQUEST = VECTORS.joinpath("add-checkpoint").read_bytes()
ANSWER = VECTORS.joinpath("add-checkpoint.answer").read_bytes()
SOFA = REQUEST.partition(b"\n\n")[2]
# https://c2sp.org/tlog-proof, with extra data and a note that are whole.
PROOF = VECTORS.joinpath("example.tlog-proof").read_bytes()
LEAVES = b"".join(reference.leaves(300))
NODE = reader_of(LEAVES).node
POLICY = Policy(
    logs=(Log(key=LOG.key), Log(key=NEXT.key)), witnesses=(Witness(name="first", key=FIRST.key),), quorum="first"
)


def proof_of(index: int, size: int = 300) -> ProofFile:
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=Frontier.at(size, NODE).root)
    return ProofFile(
        index=index,
        proof=tuple(inclusion_proof(index, size, NODE)),
        checkpoint=checkpoint_by(checkpoint, LOG, FIRST),
        extra=b"\x00extra",
    )


def test_the_specifications_proof_file_is_read_and_written_again() -> None:
    file = parse_proof_file(PROOF)

    assert file.extra == b"age-v1.2.1-darwin-arm64.tar.gz"
    assert (file.index, len(file.proof), file.checkpoint) == (73_894, 5, SOFA)
    assert render_proof_file(file) == PROOF


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
def test_a_proof_file_proves_its_entry_offline(index: int) -> None:
    file = parse_proof_file(render_proof_file(proof_of(index)))

    accepted = verify_proof_file(file, reference.entry(index), POLICY)

    assert accepted.checkpoint.size == 300
    assert [one.name for one in accepted.witnesses] == ["first"]


def test_the_only_entry_of_a_log_has_an_empty_proof() -> None:
    file = proof_of(0, size=1)

    assert render_proof_file(ProofFile(index=0, proof=(), checkpoint=file.checkpoint)).startswith(
        b"c2sp.org/tlog-proof@v1\nindex 0\n\nacme.example/audit/live\n1\n"
    )
    verify_proof_file(parse_proof_file(render_proof_file(file)), reference.entry(0), POLICY)


def test_another_entry_or_signer_is_refused() -> None:
    file = proof_of(7)
    unsigned = ProofFile(index=7, proof=file.proof, checkpoint=file.checkpoint.rsplit(b"\xe2\x80\x94", 1)[0])

    with pytest.raises(ProofInvalid, match="does not lead from entry 7"):
        verify_proof_file(file, reference.entry(8), POLICY)
    with pytest.raises(ProofInvalid, match="Entry 300 is not in a tree of 300"):
        verify_proof_file(ProofFile(index=300, proof=file.proof, checkpoint=file.checkpoint), b"", POLICY)
    with pytest.raises(PolicyUnmet, match="The quorum first is not reached"):
        verify_proof_file(unsigned, reference.entry(7), POLICY)
    with pytest.raises(PolicyUnmet, match="does not know the log"):
        verify_proof_file(file, reference.entry(7), Policy())


def test_every_bit_of_a_proof_file_counts() -> None:
    data = render_proof_file(proof_of(5, size=6))
    extra = data.index(b"extra "), data.index(b"\n", data.index(b"extra "))

    for at in [at for at in range(len(data)) if not extra[0] <= at <= extra[1]]:
        for bit in (0, 3, 6):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            with pytest.raises((NoteInvalid, ProofInvalid, PolicyUnmet, SignatureInvalid)):
                verify_proof_file(parse_proof_file(bytes(flipped)), reference.entry(5), POLICY)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "an empty line and a note"),
        ("c2sp.org/tlog-proof@v1\nindex 0\n", "an empty line and a note"),
        ("c2sp.org/tlog-proof@v1\nindex 0\né\n\nnote", "Lines of ASCII"),
        ("c2sp.org/tlog-proof@v2\nindex 0\n\nnote", "begins with c2sp.org/tlog-proof@v1"),
        ("c2sp.org/tlog-proof@v1\n\nnote", "names the index"),
        ("c2sp.org/tlog-proof@v1\nextra AA==\n\nnote", "names the index"),
        ("c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nnote", "left out where it is empty"),
        ("c2sp.org/tlog-proof@v1\nextra A\nindex 0\n\nnote", "no base64"),
        ("c2sp.org/tlog-proof@v1\nindex 0\nextra AA==\n\nnote", "no base64"),
        ("c2sp.org/tlog-proof@v1\nindex 00\n\nnote", "no whole number"),
        ("c2sp.org/tlog-proof@v1\nindex -1\n\nnote", "no whole number"),
        ("c2sp.org/tlog-proof@v1\nindex 0\nAA==\n\nnote", "A hash has 32 bytes"),
        (f"c2sp.org/tlog-proof@v1\nindex 0\n{HASHES * 16}\nnote", "at most 63 hashes, and this one has 64"),
    ],
)
def test_another_form_of_a_proof_file_is_refused(data: str, message: str) -> None:
    with pytest.raises(NoteInvalid, match=message):
        parse_proof_file(data.encode())


def test_the_specifications_request_is_read_and_written_again() -> None:
    request = parse_add_checkpoint(REQUEST)

    assert (request.old_size, len(request.proof), request.checkpoint) == (20_852_014, 4, SOFA)
    assert parse_checkpoint(parse_note(request.checkpoint).text).size == 20_852_163
    assert render_add_checkpoint(request) == REQUEST


def test_a_first_request_has_no_proof() -> None:
    request = AddCheckpoint(old_size=0, proof=(), checkpoint=SOFA)

    assert render_add_checkpoint(request) == b"old 0\n\n" + SOFA
    assert parse_add_checkpoint(render_add_checkpoint(request)) == request


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "an empty line and a note"),
        (b"old 0\n", "an empty line and a note"),
        (b"new 0\n\nnote", "does not begin with the old size"),
        (b"old 01\n\nnote", "no whole number"),
        (b"old  1\n\nnote", "no whole number"),
        (b"old 1\r\n\nnote", "no whole number"),
        (b"old 9223372036854775808\n\nnote", "no whole number"),
        (b"old 1\nAA\n\nnote", "no base64"),
        (f"old 1\n{HASHES * 16}\nnote".encode(), "at most 63 hashes"),
    ],
)
def test_another_form_of_a_request_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(NoteInvalid, match=message):
        parse_add_checkpoint(body)


def test_the_specifications_answer_is_read_and_written_again() -> None:
    signatures = parse_cosignatures(ANSWER)

    assert [one.name for one in signatures] == ["witness.example/w1", "witness.example/w1", "witness.example/w2"]
    assert {len(one.value) for one in signatures} == {72}
    assert render_cosignatures(signatures) == ANSWER


@pytest.mark.parametrize("body", [b"", b"\n", b"409\n", ANSWER[:-1], b"\xff\n", ANSWER + b"\n"])
def test_another_form_of_an_answer_is_refused(body: bytes) -> None:
    with pytest.raises(NoteInvalid):
        parse_cosignatures(body)


def test_a_cosignature_goes_from_a_witness_onto_the_note() -> None:
    note = signed_by("a.example\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", FIRST)

    assert parse_cosignatures(render_cosignatures(note.signatures)) == note.signatures


def test_a_size_is_a_line() -> None:
    assert render_size(20_852_014) == b"20852014\n"
    assert parse_size(b"20852014\n") == 20_852_014


@pytest.mark.parametrize("body", [b"", b"1", b"1\n\n", b"\n", b"01\n", b"\xd9\xa1\n"])
def test_another_form_of_a_size_is_refused(body: bytes) -> None:
    with pytest.raises(NoteInvalid):
        parse_size(body)
