"""Verifier keys: the public half of who signs notes, as one line of text.

https://c2sp.org/signed-note, section "Verifier keys": ``<name>+<key id>+<base64 of the type and the key>``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from typing_extensions import override

from trueup.audit.notes.errors import KeyInvalid, NoteInvalid
from trueup.audit.notes.lines import parse_base64, render_base64
from trueup.audit.notes.signed import is_key_name, key_id
from trueup.kernel.records import Record

ED25519: Final = 0x01
"""The type of a key that signs the text of a note: a log's."""
COSIGNATURE: Final = 0x04
"""The type of a key that cosigns checkpoints with a time, ``cosignature/v1``: a witness's."""
KEY_SIZE: Final = 32
"""Bytes of an Ed25519 public key, and of the seed that a private one is made of."""
SIGNATURE_SIZE: Final = 64
"""Bytes of an Ed25519 signature."""

Sign = Callable[[bytes], bytes]
"""Signs a message with Ed25519 (RFC 8032, not prehashed) and gives the 64 bytes of the signature."""


class VerifierKey(Record, frozen=True):
    """A public key under a name; ``str()`` is its line."""

    name: str
    public_key: bytes
    """32 bytes of Ed25519."""
    kind: int = ED25519
    """The type: ``ED25519`` or ``COSIGNATURE``."""

    def __post_init__(self) -> None:
        """Refuse with ``KeyInvalid`` what could not be written as a line and read again."""
        if not is_key_name(self.name):
            raise KeyInvalid(f"{self.name!r} is no name of a key: it has no spaces and no plus, and is not empty.")
        if self.kind not in {ED25519, COSIGNATURE}:
            raise KeyInvalid(f"The key {self.name} is of the type {self.kind:#04x}, which is not known here.")
        if len(self.public_key) != KEY_SIZE:
            raise KeyInvalid(f"The key {self.name} has {len(self.public_key)} bytes instead of {KEY_SIZE}.")

    @override
    def __str__(self) -> str:
        return f"{self.name}+{self.key_id:08x}+{render_base64(bytes([self.kind]) + self.public_key)}"

    @property
    def key_id(self) -> int:
        """The 32 bits that name it, with its name, on a signature."""
        return key_id(self.name, self.kind, self.public_key)

    def is_signature(self, message: bytes, signature: bytes) -> bool:
        """Whether these 64 bytes are this key's signature of the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def parse_key(text: str) -> VerifierKey:
    """The key of such a line, whose key id has to be its own; else ``KeyInvalid``."""
    # Base64 may hold a plus, so only the first two part the line.
    name, _, rest = text.partition("+")
    _, _, encoded = rest.partition("+")
    try:
        value = parse_base64(encoded)
    except NoteInvalid:
        value = b""
    if not value:
        raise KeyInvalid(f"{text!r} is no verifier key: it is a name, a key id and base64, with a plus between them.")
    key = VerifierKey(name=name, kind=value[0], public_key=value[1:])
    if str(key) != text:
        raise KeyInvalid(f"The key id in {text!r} is not that of the key, which is {key.key_id:08x}.")
    return key


def public_key_of(seed: bytes) -> bytes:
    """The public key of the private key that these 32 bytes are."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def signer(seed: bytes) -> Sign:
    """Signs with the private key that these 32 bytes are."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign
