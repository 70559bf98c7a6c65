r"""Encryption of secrets at rest: AES-256-GCM under one key of the installation.

A sealed value is ``b"\x01" + 12 bytes of nonce + ciphertext and tag``; the purpose (a table and column) is bound as
associated data, so that a value moved into another column does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trueup.kernel.errors import Broken, Refused
from trueup.runtime import durable

VERSION: Final = b"\x01"
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


class KeyInvalid(Refused):
    """The key given is no key."""

    code = "secret_key_invalid"


class Unsealable(Broken):
    """A sealed value does not open with this key."""

    code = "secret_key_mismatch"


class Sealer:
    """Seals and opens with one key; safe to share between threads."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise KeyInvalid(
                f"The key has {len(key)} bytes; it must have {KEY_BYTES}.",
                hint="Make one with: openssl rand -base64 32",
            )
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, *, purpose: str) -> bytes:
        """Encrypt; two calls give different bytes."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, plain, purpose.encode())

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """Decrypt; raises ``Unsealable`` when the key, the purpose or a byte differs."""
        sealed = bytes(sealed)
        if sealed[:1] != VERSION:
            raise Unsealable(
                "A stored secret has an unknown format.", hint="It was written by a newer version of Trueup."
            )
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, purpose.encode())
        except (InvalidTag, ValueError):
            # ValueError: a value cut short has no whole nonce.
            raise Unsealable(
                "A stored secret does not open with the present key.",
                hint="Set TRUEUP_SECRET_KEY (or the key file) to the key this database was written with.",
            ) from None


def decode_key(text: str, *, source: str) -> bytes:
    """The 32 bytes that ``text`` holds in base64; ``source`` names the variable or file in errors."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyInvalid(
            f"{source} must be {KEY_BYTES} bytes in base64.", hint="Make one with: openssl rand -base64 32"
        )
    return key


def load_key(*, text: str, path: Path) -> bytes:
    """The installation's key: from ``text`` when set, else from the file, which is made with mode 0600 when missing.

    Two processes that start at once agree: the file appears whole or not at all, and the first one wins.
    """
    if text:
        return decode_key(text, source="TRUEUP_SECRET_KEY")
    try:
        if not path.exists():
            _make_key(path)
        if path.stat().st_mode & 0o077:
            raise KeyInvalid(f"{path} can be read by others.", hint=f"Run: chmod 600 {path}")
        kept = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise KeyInvalid(
            f"The key file {path} cannot be used: {error.strerror}.",
            hint="Name a file that this user may read, or create, in TRUEUP_SECRET_KEY_FILE or below TRUEUP_HOME.",
        ) from None
    return decode_key(kept, source=str(path))


def id_of(key: bytes) -> str:
    """Twelve characters that tell keys, and so installations, apart without telling the key."""
    return hmac.digest(key, b"installation id", hashlib.sha256).hex()[:12]


def _make_key(path: Path) -> None:
    # Without the key nothing that it sealed can be opened again, so it is on the disk before it is used.
    durable.create(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
