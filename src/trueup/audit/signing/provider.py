"""Who signs: keys that are held in files here, in HashiCorp Vault or in AWS KMS. None of them ever leaves its place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

from trueup.audit.signing.files import Files
from trueup.audit.signing.kms import Kms
from trueup.audit.signing.vault import Vault
from trueup.runtime import configuration


class Signer(Protocol):
    """One key."""

    @property
    def public_key(self) -> bytes:
        """32 bytes of Ed25519."""

    def sign(self, message: bytes) -> bytes:
        """64 bytes of signature, by Ed25519 without a prehash; ``Unavailable`` where the key's place is away."""


class Provider(Protocol):
    """All keys of one place."""

    def signers(self, *, livemode: bool) -> Sequence[Signer]:
        """The keys that are there for the log of this mode, oldest first; ``Unavailable`` where their place is away."""

    def make(self, *, livemode: bool) -> Signer:
        """Another key; ``Refused`` where keys are made by hand, with the hint that says how."""


def provider() -> Provider:
    """The place that ``TRUEUP_AUDIT_SIGNER`` names."""
    settings = configuration.current()
    return _provider(settings.audit_signer, settings.audit_folder / "keys", settings.audit_vault_token_file)


@cache
def _provider(named: str, folder: Path, token_file: Path | None) -> Provider:
    kind, _, place = named.partition(":")
    if kind == "vault":
        address, mount, key = _vault(place)
        return Vault(address=address, mount=mount, key=key, token_file=token_file)
    if kind == "kms":
        region, _, keys = place.partition("/")
        return Kms(region=region, key_ids=tuple(reversed(keys.split(","))))
    return Files(folder)


def _vault(place: str) -> tuple[str, str, str]:
    """The address, the mount and the key; a mount may have slashes of its own, an address has none behind its host."""
    scheme, _, rest = place.partition("://")
    host, _, path = rest.partition("/")
    mount, _, key = path.rpartition("/")
    return f"{scheme}://{host}", mount, key
