"""One-time passwords by time (RFC 6238), and how recovery codes are written. Pure.

https://www.rfc-editor.org/rfc/rfc6238 as every app has it: SHA-1, six digits, 30 seconds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

DIGITS: Final = 6
STEP_SECONDS: Final = 30
DRIFT_STEPS: Final = 1
"""A telephone's clock may be so many steps ahead or behind."""
SECRET_BYTES: Final = 20
CODES: Final = 10
CODE_BYTES: Final = 10
CODE_LETTERS: Final = 16
"""80 bits in base32."""


def secret_of(random: bytes) -> str:
    """A secret as apps take it, from ``SECRET_BYTES`` random bytes."""
    return base64.b32encode(random).decode()


def password(secret: str, step: int) -> str:
    """The one-time password of a step of time, which is seconds since 1970 over ``STEP_SECONDS``."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8), hashlib.sha1)
    at = digest[-1] & 0x0F
    return f"{(int.from_bytes(digest[at : at + 4]) & 0x7FFFFFFF) % 10**DIGITS:0{DIGITS}}"


def matching_step(secret: str, given: str, *, unix: int, after: int) -> int | None:
    """The step whose password was given, at the moment ``unix``; None for a wrong one.

    A step up to ``after`` was used already and does not count again, so that nobody can repeat what they saw typed.
    """
    here = unix // STEP_SECONDS
    for step in range(here - DRIFT_STEPS, here + DRIFT_STEPS + 1):
        if step > after and hmac.compare_digest(password(secret, step).encode(), given.encode()):
            return step
    return None


def plain(given: str) -> str:
    """A code as it was typed, without what people put between: spaces, hyphens, capitals."""
    return "".join(given.split()).replace("-", "").lower()


def code_of(random: bytes) -> str:
    """A recovery code of ``CODE_BYTES`` random bytes, in groups of four: ``abcd-efgh-ijkl-mnop``."""
    letters = base64.b32encode(random).decode().lower()
    return "-".join(letters[at : at + 4] for at in range(0, CODE_LETTERS, 4))
