"""Signatures of webhooks as Standard Webhooks has them, so that libraries of every language check them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (symmetric signatures, v1):
HMAC-SHA256 with the bytes of the secret over ``<id>.<unix second>.<body>``, in base64.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from typing import Final

from trueup.kernel.errors import Refused

PREFIX: Final = "whsec_"
_BYTES: Final = 24
_LEAST, _MOST = 24, 64


class SecretInvalid(Refused):
    """It is no secret to sign with."""

    code = "webhook_secret_invalid"


def new_secret() -> str:
    """A secret to sign with: ``whsec_`` and 24 random bytes in base64."""
    return PREFIX + b64encode(secrets.token_bytes(_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes of a secret, 24 to 64; ``SecretInvalid`` for anything else."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not _LEAST <= len(key) <= _MOST:
        raise SecretInvalid("That is no signing secret.", hint="It is whsec_ and 24 to 64 bytes in base64.")
    return key


def headers(body: bytes, *, secret: str, id: str, seconds: int) -> dict[str, str]:  # noqa: A002 - the header's word
    """The three headers of a message sent at that unix second; the same id says that it is the same message."""
    signed = f"{id}.{seconds}.".encode() + body
    signature = b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
    return {"webhook-id": id, "webhook-timestamp": str(seconds), "webhook-signature": f"v1,{signature}"}
