"""RFC 6962, section 2.1, word for word: recursive and slow, to be compared with."""

from __future__ import annotations

from hashlib import sha256


def leaves(count: int) -> list[bytes]:
    return [sha256(b"\x00" + entry(index)).digest() for index in range(count)]


def entry(index: int) -> bytes:
    return f"entry {index}".encode()


def tree_hash(hashes: list[bytes]) -> bytes:
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = largest_power_below(len(hashes))
    return sha256(b"\x01" + tree_hash(hashes[:k]) + tree_hash(hashes[k:])).digest()


def path(m: int, hashes: list[bytes]) -> list[bytes]:
    n = len(hashes)
    if n == 1:
        return []
    k = largest_power_below(n)
    if m < k:
        return [*path(m, hashes[:k]), tree_hash(hashes[k:])]
    return [*path(m - k, hashes[k:]), tree_hash(hashes[:k])]


def proof(m: int, hashes: list[bytes]) -> list[bytes]:
    return subproof(m, hashes, known=True)


def subproof(m: int, hashes: list[bytes], *, known: bool) -> list[bytes]:
    n = len(hashes)
    if m == n:
        return [] if known else [tree_hash(hashes)]
    k = largest_power_below(n)
    if m <= k:
        return [*subproof(m, hashes[:k], known=known), tree_hash(hashes[k:])]
    return [*subproof(m - k, hashes[k:], known=False), tree_hash(hashes[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k
