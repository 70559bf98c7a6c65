"""Values that look random and are the same for the same thing in the same sandbox, such as a card's fingerprint."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from trueup.sandbox.world.world import World

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def text(world: World, of: str, length: int) -> str:
    """``length`` (at most 40) letters and digits that stand for ``of``; nothing can be read back from them."""
    return _digits(_number(world, of), 62, length)


def digits(world: World, of: str, length: int) -> str:
    """``length`` (at most 70) decimal digits that stand for ``of``."""
    return _digits(_number(world, of), 10, length)


def _number(world: World, of: str) -> int:
    return int.from_bytes(blake2b(of.encode(), digest_size=32, key=world.ids.seed.encode()[:64]).digest(), "big")


def _digits(number: int, base: int, length: int) -> str:
    found = []
    for _ in range(length):
        number, digit = divmod(number, base)
        found.append(_ALPHABET[digit])
    return "".join(found)
