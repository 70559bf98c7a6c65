"""Stripe's webhook signatures: every active secret against every ``v1=``, skew bounded in both directions.

Source: https://docs.stripe.com/webhooks#verify-manually
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

TOLERANCE_SECONDS: Final = 300


class Refusal(StrEnum):
    """Why a signature was not accepted."""

    MISSING = "signature_missing"
    INVALID = "signature_invalid"
    STALE = "signature_stale"
    FUTURE = "signature_future"


def verify(header: str, body: bytes, secrets: Iterable[bytes], *, now: int) -> Refusal | None:
    """None when one secret made one of the header's signatures over ``body`` within 300 s of ``now`` (Unix seconds).

    The time is judged only after the signature matched, so a stranger learns nothing but "invalid".
    """
    if not header:
        return Refusal.MISSING
    stamp, candidates = "", []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            stamp = value
        elif name == "v1":
            candidates.append(value)
    if not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 12 or not candidates:
        return Refusal.INVALID
    signed = stamp.encode() + b"." + body
    given = [candidate.encode() for candidate in candidates[:16]]
    for secret in secrets:
        expected = hmac.digest(secret, signed, hashlib.sha256).hex().encode()
        for candidate in given:
            if hmac.compare_digest(expected, candidate):
                return _in_time(int(stamp), now)
    return Refusal.INVALID


def _in_time(stamp: int, now: int) -> Refusal | None:
    if stamp < now - TOLERANCE_SECONDS:
        return Refusal.STALE
    return Refusal.FUTURE if stamp > now + TOLERANCE_SECONDS else None
