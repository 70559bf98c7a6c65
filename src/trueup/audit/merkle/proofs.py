"""Proofs that a leaf is in a tree, and that a tree continues an older one.

Made as RFC 6962, section 2.1.1 and 2.1.2 define them, and verified by the algorithms of RFC 9162, section 2.1.3.2 and
2.1.4.2: https://www.rfc-editor.org/rfc/rfc9162.html#section-2.1.3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from hmac import compare_digest

from trueup.audit.merkle.errors import ProofInvalid
from trueup.audit.merkle.hashing import EMPTY_ROOT, HASH_SIZE, NodeReader, fold_right, node_hash


def subtree_root(start: int, end: int, node: NodeReader) -> bytes:
    """The root over the leaves ``[start, end)``, where ``start`` is a multiple of the largest subtree in between."""
    hashes = []
    while start < end:
        level = (end - start).bit_length() - 1
        hashes.append(node(level, start >> level))
        start += 1 << level
    return fold_right(hashes)


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """The hashes that lead from leaf ``index`` to the root of the tree of ``size``, from the leaf up.

    Reads at most two nodes a level. An index outside the tree raises ``ProofInvalid``.
    """
    if not 0 <= index < size:
        raise ProofInvalid(f"Entry {index} is not in a tree of {size} entries.")
    proof = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _half(end - start)
        if index < middle:
            proof.append(subtree_root(middle, end, node))
            end = middle
        else:
            proof.append(subtree_root(start, middle, node))
            start = middle
    return proof[::-1]


def consistency_proof(old_size: int, new_size: int, node: NodeReader) -> list[bytes]:
    """The hashes that show that the tree of ``new_size`` begins with that of ``old_size``; none if either is trivial.

    Reads at most two nodes a level. An older tree that is larger raises ``ProofInvalid``.
    """
    if not 0 <= old_size <= new_size:
        raise ProofInvalid(f"A tree of {new_size} entries cannot continue one of {old_size}.")
    if old_size in {0, new_size}:
        return []
    proof = []
    start, end = 0, new_size
    while end != old_size:
        middle = start + _half(end - start)
        if old_size <= middle:
            proof.append(subtree_root(middle, end, node))
            end = middle
        else:
            proof.append(subtree_root(start, middle, node))
            start = middle
    # The verifier has the older root; where it is itself a node of the newer tree it is not sent.
    if start:
        proof.append(subtree_root(start, end, node))
    return proof[::-1]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that a tree of ``size`` has if ``leaf``, a leaf hash, is its entry ``index``; else ``ProofInvalid``."""
    if not 0 <= index < size:
        raise ProofInvalid(f"Entry {index} is not in a tree of {size} entries.")
    _check_hashes([leaf, *proof])
    position, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid(f"The proof for entry {index} has more hashes than a tree of {size} entries has levels.")
        if position & 1 or position == last:
            root = node_hash(sibling, root)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofInvalid(f"The proof for entry {index} has fewer hashes than a tree of {size} entries has levels.")
    return root


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Return if the leaf hash is that of entry ``index`` in the tree of this size and root; else ``ProofInvalid``."""
    if not compare_digest(root_from_inclusion(leaf, index, size, proof), root):
        raise ProofInvalid(f"The proof does not lead from entry {index} to the root of the tree of {size} entries.")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Return if the tree with the new root begins with the tree with the old root; else ``ProofInvalid``."""
    if not 0 <= old_size <= new_size:
        raise ProofInvalid(f"A tree of {new_size} entries cannot continue one of {old_size}.")
    _check_hashes([old_root, new_root, *proof])
    if old_size in {0, new_size}:
        if proof:
            raise ProofInvalid(f"From {old_size} to {new_size} entries nothing is to be proved, but there are hashes.")
        if new_size == 0:
            _require_same(new_root, EMPTY_ROOT, new_size)
        _require_same(old_root, new_root if old_size else EMPTY_ROOT, old_size)
        return
    if not proof:
        raise ProofInvalid(f"There is no proof that the tree of {new_size} entries continues that of {old_size}.")
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    # Where the older tree is one complete subtree, its root is the first node.
    first, rest = (proof[0], proof[1:]) if position else (old_root, proof)
    old = new = first
    for sibling in rest:
        if last == 0:
            raise ProofInvalid(f"The proof from {old_size} to {new_size} entries has too many hashes.")
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofInvalid(f"The proof from {old_size} to {new_size} entries has too few hashes.")
    _require_same(old, old_root, old_size)
    _require_same(new, new_root, new_size)


def _require_same(found: bytes, root: bytes, size: int) -> None:
    if not compare_digest(found, root):
        raise ProofInvalid(f"The proof does not lead to the root of the tree of {size} entries.")


def _half(width: int) -> int:
    """The largest power of two that is smaller than ``width``, which is at least 2."""
    return 1 << ((width - 1).bit_length() - 1)


def _check_hashes(hashes: Sequence[bytes]) -> None:
    for one in hashes:
        if len(one) != HASH_SIZE:
            raise ProofInvalid(f"A hash has {HASH_SIZE} bytes, and one here has {len(one)}.")
