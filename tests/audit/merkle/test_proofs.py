"""Proofs: equal to the recursive definition, verified, and refused once anything about them is changed."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.merkle import reference
from tests.audit.merkle.reading import reader_of
from trueup.audit.merkle.errors import ProofInvalid
from trueup.audit.merkle.frontier import EMPTY, Frontier
from trueup.audit.merkle.hashing import EMPTY_ROOT, leaf_hash
from trueup.audit.merkle.proofs import (
    consistency_proof,
    inclusion_proof,
    root_from_inclusion,
    verify_consistency,
    verify_inclusion,
)
from trueup.audit.merkle.reading import HashReader

LARGEST = 70_000
SIZES = [*range(1, 71), 255, 256, 257]
LEAVES = reference.leaves(257)
# The first example waits for the large tree, and a busy machine for others.
unhurried = settings(max_examples=50, deadline=None)


@cache
def large() -> tuple[bytes, HashReader]:
    leaves = b"".join(reference.leaves(LARGEST))
    return leaves, reader_of(leaves)


def root_at(size: int) -> bytes:
    return Frontier.at(size, large()[1].node).root


def leaf_at(index: int) -> bytes:
    return leaf_hash(reference.entry(index))


@pytest.mark.parametrize("size", SIZES)
def test_every_proof_is_that_of_the_definition(size: int) -> None:
    leaves = LEAVES[:size]
    node = reader_of(b"".join(leaves)).node
    root = reference.tree_hash(leaves)
    step = 1 if size <= 70 else 13

    assert EMPTY.append(b"".join(leaves)).root == Frontier.at(size, node).root == root
    for index in range(0, size, step):
        proof = inclusion_proof(index, size, node)
        assert proof == reference.path(index, leaves)
        verify_inclusion(leaves[index], index, size, proof, root)
    for old in range(1, size + 1, step):
        proof = consistency_proof(old, size, node)
        assert proof == reference.proof(old, leaves)
        verify_consistency(old, Frontier.at(old, node).root, size, root, proof)


@given(st.data())
@unhurried
def test_any_entry_of_any_size_is_proved(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))

    proof = inclusion_proof(index, size, large()[1].node)

    assert len(proof) <= (size - 1).bit_length()
    verify_inclusion(leaf_at(index), index, size, proof, root_at(size))


@given(st.data())
@unhurried
def test_any_size_is_proved_to_continue_any_smaller_one(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, LARGEST))
    old = data.draw(st.integers(0, new))

    proof = consistency_proof(old, new, large()[1].node)

    assert len(proof) <= new.bit_length() + 1
    verify_consistency(old, root_at(old), new, root_at(new), proof)


@given(st.data())
@unhurried
def test_a_flipped_bit_anywhere_in_an_inclusion_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    leaf, root = leaf_at(index), root_at(size)
    proof = inclusion_proof(index, size, large()[1].node)
    bit = data.draw(st.integers(0, 255))

    for hashes in flipped([leaf, root, *proof], bit):
        refused_inclusion(hashes[0], index, size, hashes[2:], hashes[1])


@given(st.data())
@unhurried
def test_a_flipped_bit_anywhere_in_a_consistency_is_refused(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, LARGEST))
    old = data.draw(st.integers(0, new))
    old_root, new_root = root_at(old), root_at(new)
    proof = consistency_proof(old, new, large()[1].node)
    bit = data.draw(st.integers(0, 255))
    # From the empty tree anything goes: the new root is then not what is proved.
    proved = [old_root, new_root, *proof] if old else [old_root]

    for hashes in flipped(proved, bit):
        refused_consistency(old, hashes[0], new, hashes[1] if old else new_root, hashes[2:])


@given(st.data())
@unhurried
def test_a_flipped_bit_in_an_index_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, large()[1].node)

    for bit in range(64):
        refused_inclusion(leaf_at(index), index ^ 1 << bit, size, proof, root_at(size))


@given(st.data())
@unhurried
def test_a_proof_for_one_size_is_none_for_the_root_of_another(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, LARGEST))
    other = data.draw(st.integers(1, LARGEST).filter(lambda one: one != size))
    index = data.draw(st.integers(0, min(size, other) - 1))

    refused_inclusion(leaf_at(index), index, other, inclusion_proof(index, size, large()[1].node), root_at(other))


@given(st.data())
@unhurried
def test_a_flipped_bit_in_the_sizes_of_a_consistency_is_refused_or_changes_a_root(data: st.DataObject) -> None:
    new = data.draw(st.integers(3, LARGEST))
    old = data.draw(st.integers(2, new - 1))
    proof = consistency_proof(old, new, large()[1].node)

    for bit in range(17):
        changed = old ^ 1 << bit
        refused_consistency(changed, root_at(min(changed, LARGEST)), new, root_at(new), proof)


@given(st.data())
@unhurried
def test_a_hash_more_or_less_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size - 1))
    extra = data.draw(st.binary(min_size=32, max_size=32))
    inclusion = inclusion_proof(index, size, large()[1].node)
    consistency = consistency_proof(old, size, large()[1].node)

    for proof in longer_and_shorter(inclusion, extra):
        refused_inclusion(leaf_at(index), index, size, proof, root_at(size))
    for proof in longer_and_shorter(consistency, extra):
        refused_consistency(old, root_at(old), size, root_at(size), proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (6, 5), (0, 0), (0, -1)])
def test_an_entry_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ProofInvalid, match=f"Entry {index} is not in a tree of {size} entries"):
        inclusion_proof(index, size, large()[1].node)
    with pytest.raises(ProofInvalid, match=f"Entry {index} is not in a tree of {size} entries"):
        root_from_inclusion(LEAVES[0], index, size, [])


@pytest.mark.parametrize(("old", "new"), [(6, 5), (-1, 5), (0, -1)])
def test_a_tree_does_not_continue_a_larger_one(old: int, new: int) -> None:
    with pytest.raises(ProofInvalid, match=f"of {new} entries cannot continue one of {old}"):
        consistency_proof(old, new, large()[1].node)
    with pytest.raises(ProofInvalid, match=f"of {new} entries cannot continue one of {old}"):
        verify_consistency(old, EMPTY_ROOT, new, EMPTY_ROOT, [])


@pytest.mark.parametrize(("claimed", "message"), [(2, "more hashes"), (8, "fewer hashes")])
def test_a_root_under_a_false_size_is_refused_by_the_number_of_hashes(claimed: int, message: str) -> None:
    proof = inclusion_proof(0, 4, large()[1].node)

    with pytest.raises(ProofInvalid, match=message):
        verify_inclusion(leaf_at(0), 0, claimed, proof, root_at(4))


@pytest.mark.parametrize(("claimed", "message"), [(3, "too many hashes"), (8, "too few hashes")])
def test_a_newer_root_under_a_false_size_is_refused_by_the_number_of_hashes(claimed: int, message: str) -> None:
    proof = consistency_proof(1, 4, large()[1].node)

    with pytest.raises(ProofInvalid, match=message):
        verify_consistency(1, root_at(1), claimed, root_at(4), proof if claimed == 8 else [*proof, proof[0]])


def test_a_hash_of_another_length_is_refused() -> None:
    proof = inclusion_proof(1, 3, large()[1].node)

    for wrong in (proof[0][:-1], proof[0] + b"\x00", b""):
        with pytest.raises(ProofInvalid, match="has 32 bytes"):
            root_from_inclusion(leaf_at(1), 1, 3, [wrong, proof[1]])
        with pytest.raises(ProofInvalid, match="has 32 bytes"):
            root_from_inclusion(wrong, 1, 3, proof)
        with pytest.raises(ProofInvalid, match="has 32 bytes"):
            verify_consistency(2, wrong, 3, root_at(3), consistency_proof(2, 3, large()[1].node))


def test_the_empty_tree_is_continued_by_every_tree_and_by_itself() -> None:
    verify_consistency(0, EMPTY_ROOT, 7, root_at(7), [])
    verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    refused_consistency(0, root_at(7), 0, root_at(7), [])
    refused_consistency(0, root_at(7), 7, root_at(7), [])
    refused_consistency(0, EMPTY_ROOT, 7, root_at(7), [root_at(7)])


def flipped(hashes: list[bytes], bit: int) -> list[list[bytes]]:
    """The hashes once for each of them, with this bit of it flipped."""
    return [
        [*hashes[:at], (int.from_bytes(one) ^ 1 << bit).to_bytes(32), *hashes[at + 1 :]]
        for at, one in enumerate(hashes)
    ]


def longer_and_shorter(proof: list[bytes], extra: bytes) -> list[list[bytes]]:
    return [[*proof, extra], [extra, *proof], proof[:-1], proof[1:], [*proof, proof[-1]], []]


def refused_inclusion(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> None:
    with pytest.raises(ProofInvalid):
        verify_inclusion(leaf, index, size, proof, root)


def refused_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: list[bytes]) -> None:
    with pytest.raises(ProofInvalid):
        verify_consistency(old, old_root, new, new_root, proof)
