"""Who signed a note."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from trueup.audit.notes.cosignatures import cosigned_at
from trueup.audit.notes.errors import KeyInvalid, SignatureInvalid
from trueup.audit.notes.keys import COSIGNATURE, ED25519, Sign, VerifierKey
from trueup.audit.notes.signed import Note, Signature, check_text
from trueup.kernel.records import Record


class Signed(Record, frozen=True):
    """A signature that fits, and the known key that made it."""

    key: VerifierKey
    signature: Signature
    at: datetime | None
    """For a cosignature, when; a log's signature has no time."""


def sign(text: str, key: VerifierKey, signing: Sign) -> Signature:
    """A log's signature of a note's text; ``SignatureInvalid`` if ``signing`` does not sign with this key."""
    check_text(text)
    if key.kind != ED25519:
        raise SignatureInvalid(f"The key {key.name} cosigns checkpoints; it does not sign notes.")
    signature = Signature(name=key.name, key_id=key.key_id, value=signing(text.encode()))
    # A signer far away may hold another key than its settings say: nothing it signed should be published.
    _check(text, key, signature)
    return signature


def verified(note: Note, keys: Iterable[VerifierKey]) -> tuple[Signed, ...]:
    """The signatures by these keys, in the note's order; signatures by other keys are passed over, and may be all.

    A signature that names one of the keys and does not fit raises ``SignatureInvalid``: the note is to be thrown away.
    Two different keys that share name and key id raise ``KeyInvalid``.
    """
    known: dict[tuple[str, int], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.key_id), key) != key:
            raise KeyInvalid(f"Two keys have the name {key.name} and the key id {key.key_id:08x}.")
    found = []
    for signature in note.signatures:
        named = known.get((signature.name, signature.key_id))
        if named:
            found.append(Signed(key=named, signature=signature, at=_check(note.text, named, signature)))
    return tuple(found)


def _check(text: str, key: VerifierKey, signature: Signature) -> datetime | None:
    if key.kind == COSIGNATURE:
        return cosigned_at(text, key, signature)
    if not key.is_signature(text.encode(), signature.value):
        raise SignatureInvalid(f"The signature of {key.name} does not fit the note.")
    return None
