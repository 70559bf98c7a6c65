"""Cosignatures of witnesses with a time, ``cosignature/v1``: https://c2sp.org/tlog-cosignature.

One says: at this time this was the largest tree of the log that I saw, and it continues all that I had seen before.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from trueup.audit.notes.errors import SignatureInvalid
from trueup.audit.notes.keys import COSIGNATURE, SIGNATURE_SIZE, Sign, VerifierKey
from trueup.audit.notes.signed import Signature

_TIME_SIZE: Final = 8
_LATEST: Final = 253_402_300_799
"""The last second of the year 9999; the specification lets a verifier refuse a time to come."""


def cosigned_message(text: str, seconds: int) -> bytes:
    """What a witness signs: a header, the time in seconds since the epoch, and the whole text of the checkpoint."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def cosign(text: str, key: VerifierKey, sign: Sign, at: datetime) -> Signature:
    """The witness's cosignature of a checkpoint's text, as of ``at``, which is cut to the second.

    ``SignatureInvalid`` if ``sign`` does not sign with this key, or the key is no witness's.
    """
    if at.tzinfo is None:
        raise ValueError("A time without a zone is a guess.")
    if key.kind != COSIGNATURE:
        raise SignatureInvalid(f"The key {key.name} signs notes; it does not cosign checkpoints.")
    seconds = int(at.timestamp())
    value = seconds.to_bytes(_TIME_SIZE) + sign(cosigned_message(text, seconds))
    signature = Signature(name=key.name, key_id=key.key_id, value=value)
    cosigned_at(text, key, signature)
    return signature


def cosigned_at(text: str, key: VerifierKey, signature: Signature) -> datetime:
    """When the key cosigned this checkpoint's text, to the second, in UTC; ``SignatureInvalid`` if it did not."""
    seconds = int.from_bytes(signature.value[:_TIME_SIZE])
    value = signature.value[_TIME_SIZE:]
    # The length is asked for first: a time cut short would read as another one.
    fits = key.kind == COSIGNATURE and len(value) == SIGNATURE_SIZE and seconds <= _LATEST
    if not fits or not key.is_signature(cosigned_message(text, seconds), value):
        raise SignatureInvalid(f"The cosignature of {key.name} does not fit the checkpoint.")
    return datetime.fromtimestamp(seconds, UTC)
