"""Signing keys in the transit engine of HashiCorp Vault: each version of one Ed25519 key is a key of ours.

https://developer.hashicorp.com/vault/api-docs/secret/transit: ``POST /v1/<mount>/sign/<key>``, ``GET
/v1/<mount>/keys/<key>`` and ``POST /v1/<mount>/keys/<key>/rotate``.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from trueup.audit.notes.keys import KEY_SIZE, SIGNATURE_SIZE
from trueup.audit.signing.errors import SignerUnavailable
from trueup.kernel.errors import Unavailable
from trueup.kernel.records import Record
from trueup.runtime import outgoing

SECONDS: Final = 5.0
KIND: Final = "ed25519"


class Vault:
    """One key of one Vault; live and test mode share its versions, each under its own name."""

    def __init__(self, *, address: str, mount: str, key: str, token_file: Path | None) -> None:
        self._address = f"{address}/v1/{mount}"
        self._key = key
        self._token_file = token_file

    def signers(self, *, livemode: bool) -> list[VaultSigner]:
        """The versions of the key, oldest first; ``SignerUnavailable`` where Vault does not tell them."""
        del livemode
        data = self._ask(f"keys/{self._key}", None)
        if data.get("type") != KIND:
            raise SignerUnavailable(
                f"The key {self._key} of Vault is of the type {data.get('type')!r}, and {KIND} is needed.",
                hint=f"Make one with: vault write -f <mount>/keys/<name> type={KIND}",
            )
        # Versions below the least that Vault keeps are gone from the answer.
        versions = {int(number): told["public_key"] for number, told in dict(data.get("keys") or {}).items()}
        return [
            VaultSigner(vault=self, version=number, public_key=_bytes(versions[number], KEY_SIZE))
            for number in sorted(versions)
        ]

    def make(self, *, livemode: bool) -> VaultSigner:
        """Let Vault make the next version, as its policy allows."""
        self._ask(f"keys/{self._key}/rotate", {})
        return self.signers(livemode=livemode)[-1]

    def sign(self, version: int, message: bytes) -> bytes:
        """The signature by one version."""
        asked = {"input": base64.b64encode(message).decode(), "key_version": version}
        told = str(self._ask(f"sign/{self._key}", asked).get("signature"))
        scheme, _, rest = told.partition(":")
        number, _, value = rest.partition(":")
        if (scheme, number) != ("vault", f"v{version}"):
            raise SignerUnavailable("Vault signed with another version of the key than it was asked for.")
        return _bytes(value, SIGNATURE_SIZE)

    def _ask(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = {"X-Vault-Token": self._token(), "Content-Type": "application/json"}
        if namespace := os.environ.get("VAULT_NAMESPACE"):
            headers["X-Vault-Namespace"] = namespace
        url = f"{self._address}/{path}"
        try:
            if body is None:
                answer = outgoing.get(url, headers=headers, seconds=SECONDS)
            else:
                answer = outgoing.post(url, msgspec.json.encode(body), headers=headers, seconds=SECONDS)
        except Unavailable as error:
            raise SignerUnavailable(f"Vault: {error.message}", hint=error.hint) from None
        if answer.status not in {200, 204}:
            raise SignerUnavailable(
                f"Vault answered {answer.status} for the key {self._key}.",
                hint="See that it is unsealed, and that the token may read, sign with and rotate the key.",
            )
        try:
            data = msgspec.json.decode(answer.body or b"{}", type=dict[str, Any]).get("data") or {}
        except msgspec.DecodeError:
            raise SignerUnavailable("Vault's answer is no JSON object.") from None
        return dict(data)

    def _token(self) -> str:
        if self._token_file is None:
            return os.environ.get("VAULT_TOKEN", "")
        try:
            # Read each time: an agent of Vault's puts another one there before it expires.
            return self._token_file.read_text(encoding="ascii", errors="replace").strip()
        except OSError as error:
            raise SignerUnavailable(f"The token file {self._token_file} cannot be read: {error.strerror}.") from None


class VaultSigner(Record, frozen=True):
    """A version of the key."""

    vault: Vault
    version: int
    public_key: bytes

    def sign(self, message: bytes) -> bytes:
        """Sign with this version."""
        return self.vault.sign(self.version, message)


def _bytes(text: str, size: int) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != size:
        raise SignerUnavailable(f"Vault gave {len(value)} bytes where {size} are expected.")
    return value
