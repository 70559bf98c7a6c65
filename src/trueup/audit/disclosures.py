"""Personal values of entries: digests in the log, the values themselves beside it, encrypted and erasable.

The construction is SD-JWT's: a disclosure is the base64url of ``[salt, name, value]`` as JSON, and its digest the
base64url of the SHA-256 over those characters. Without the salt nobody can try what the value may have been.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trueup.kernel.records import Record

SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
"""Of a digest: every disclosure has a salt, so no two are sealed with one nonce under a key."""


class Disclosure(Record, frozen=True):
    """A value that an entry holds the digest of; ``name`` is its place in the entry, such as ``after.name``."""

    digest: str
    text: bytes


_encoder: Final = msgspec.json.Encoder()
_URLSAFE: Final = bytes.maketrans(b"+/", b"-_")
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_NONCE_CHARACTERS: Final = NONCE_BYTES * 4 // 3


def _b64(given: bytes) -> bytes:
    # What `base64.urlsafe_b64encode` does, without its questions: this is on the way of every change.
    return binascii.b2a_base64(given, newline=False).rstrip(b"=").translate(_URLSAFE)


def disclosed(name: str, value: Any) -> Disclosure:
    """A new disclosure with a salt of its own: the same value twice has two digests."""
    salt = _b64(os.urandom(SALT_BYTES)).decode()
    text = _b64(_encoder.encode((salt, name, value)))
    return Disclosure(digest=digest_of(text), text=text)


def digest_of(text: bytes) -> str:
    """The digest that an entry holds for a disclosure."""
    return _b64(hashlib.sha256(text).digest()).decode()


def read(text: bytes) -> tuple[str, Any]:
    """The name and the value of a disclosure."""
    decoded = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    _salt, name, value = msgspec.json.decode(decoded)
    return str(name), value


def seal(disclosure: Disclosure, key: AESGCM) -> bytes:
    """Encrypt for the table; bound to its digest, so that no row can take another's place."""
    digest = disclosure.digest.encode()
    return key.encrypt(_nonce(digest), disclosure.text, digest)


def unseal(sealed: bytes, digest: str, key: AESGCM) -> bytes:
    """The disclosure again; ``cryptography``'s ``InvalidTag`` where a byte, the digest or the key differs."""
    return key.decrypt(_nonce(digest.encode()), sealed, digest.encode())


def _nonce(digest: bytes) -> bytes:
    return binascii.a2b_base64(digest[:_NONCE_CHARACTERS].translate(_STANDARD))
