"""Signing keys in AWS KMS, of the key spec ``ECC_NIST_EDWARDS25519``, used with ``ED25519_SHA_512`` over raw messages.

https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html. KMS has no versions of such a key: the next one is
another key, made by whoever looks after KMS and named before the older ones in ``TRUEUP_AUDIT_SIGNER``. Credentials
are those of the environment, under AWS's own names.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from trueup.audit.notes.keys import SIGNATURE_SIZE
from trueup.audit.signing.aws import Credentials, signed_headers
from trueup.audit.signing.errors import SignerUnavailable, SigningKeyByHand
from trueup.kernel.errors import Unavailable
from trueup.kernel.records import Record
from trueup.runtime import clock, outgoing

SECONDS: Final = 5.0
ALGORITHM: Final = "ED25519_SHA_512"


class Kms:
    """Keys of one region, oldest first."""

    def __init__(self, *, region: str, key_ids: Sequence[str]) -> None:
        self._region = region
        self._key_ids = tuple(key_ids)
        # The standard variable for another address of the service, such as a private endpoint.
        self._address = os.environ.get("AWS_ENDPOINT_URL_KMS") or f"https://kms.{region}.amazonaws.com"
        self._known: dict[str, KmsSigner] = {}

    def signers(self, *, livemode: bool) -> list[KmsSigner]:
        """The named keys, oldest first; live and test mode share them, each under its own name."""
        del livemode
        for key_id in self._key_ids:
            if key_id not in self._known:
                self._known[key_id] = KmsSigner(kms=self, key_id=key_id, public_key=self._public_key(key_id))
        return [self._known[key_id] for key_id in self._key_ids]

    def make(self, *, livemode: bool) -> KmsSigner:
        """Refuse: a key of KMS costs money and has a policy, which people decide."""
        del livemode
        raise SigningKeyByHand(
            "Trueup makes no keys in AWS KMS.",
            hint="Make one of the spec ECC_NIST_EDWARDS25519 and name it first: kms:<region>/<new key>,<present key>",
        )

    def sign(self, key_id: str, message: bytes) -> bytes:
        """The signature by one key."""
        asked = {
            "KeyId": key_id,
            "Message": base64.b64encode(message).decode(),
            "MessageType": "RAW",
            "SigningAlgorithm": ALGORITHM,
        }
        value = _bytes(self._ask("Sign", asked).get("Signature"))
        if len(value) != SIGNATURE_SIZE:
            raise SignerUnavailable(f"KMS gave a signature of {len(value)} bytes instead of {SIGNATURE_SIZE}.")
        return value

    def _public_key(self, key_id: str) -> bytes:
        told = _bytes(self._ask("GetPublicKey", {"KeyId": key_id}).get("PublicKey"))
        try:
            key = load_der_public_key(told)
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise SignerUnavailable(f"The key {key_id} of KMS is no Ed25519 key (ECC_NIST_EDWARDS25519).")
        return key.public_bytes_raw()

    def _ask(self, operation: str, body: dict[str, str]) -> dict[str, Any]:
        content = msgspec.json.encode(body)
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"TrentService.{operation}"}
        signed = signed_headers(
            method="POST",
            url=f"{self._address}/",
            headers=headers,
            body=content,
            credentials=_credentials(),
            region=self._region,
            service="kms",
            at=clock.now(),
        )
        try:
            answer = outgoing.post(f"{self._address}/", content, headers=signed, seconds=SECONDS)
        except Unavailable as error:
            raise SignerUnavailable(f"KMS: {error.message}", hint=error.hint) from None
        try:
            told = msgspec.json.decode(answer.body, type=dict[str, Any])
        except msgspec.DecodeError:
            told = {}
        if answer.status != 200:
            kind = str(told.get("__type", "")).rpartition("#")[2]
            raise SignerUnavailable(
                f"KMS answered {answer.status} {kind} to {operation}.",
                hint="See that the credentials are those of a role that may use the key (kms:Sign, kms:GetPublicKey).",
            )
        return told


class KmsSigner(Record, frozen=True):
    """A key."""

    kms: Kms
    key_id: str
    public_key: bytes

    def sign(self, message: bytes) -> bytes:
        """Sign with this key."""
        return self.kms.sign(self.key_id, message)


def _credentials() -> Credentials:
    key_id, secret = os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    if not key_id or not secret:
        raise SignerUnavailable(
            "There are no credentials for AWS.", hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    return Credentials(key_id=key_id, secret=secret, session_token=os.environ.get("AWS_SESSION_TOKEN", ""))


def _bytes(told: object) -> bytes:
    try:
        return base64.b64decode(str(told), validate=True)
    except (binascii.Error, ValueError):
        return b""
