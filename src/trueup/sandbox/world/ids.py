"""Ids that look like Stripe's and come out the same for the same seed."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LETTERS: Final = bytes(ord(_ALPHABET[byte % len(_ALPHABET)]) for byte in range(256))
"""A letter or digit for every byte; that some come a little more often harms nobody."""

_STEMMED: Final = {"pi": "3", "ch": "3", "re": "3", "txn": "3"}


class Ids:
    """The source of all that looks random. ``count`` is how often it was asked; it is part of the saved state."""

    def __init__(self, seed: str, count: int = 0) -> None:
        self.seed = seed
        self.count = count
        self._key = blake2b(seed.encode(), digest_size=32).digest()

    def number(self) -> int:
        """The next number, below 2**256."""
        self.count += 1
        return int.from_bytes(blake2b(b"%d" % self.count, digest_size=32, key=self._key).digest(), "big")

    def text(self, length: int) -> str:
        """The next ``length`` characters (at most 64) of letters and digits."""
        self.count += 1
        digest = blake2b(b"%d" % self.count, digest_size=length, key=self._key).digest()
        return digest.translate(_LETTERS).decode()

    def new(self, prefix: str, length: int) -> str:
        """The next id of a kind. Long ones begin with 1, those of payments with 3, as Stripe's do."""
        if not prefix:
            return self.text(length)
        if length < 24:
            return f"{prefix}_{self.text(length)}"
        return f"{prefix}_{_STEMMED.get(prefix, '1')}{self.text(length - 1)}"

    def below(self, bound: int) -> int:
        """A number from 0 to ``bound`` - 1."""
        return self.number() % bound
