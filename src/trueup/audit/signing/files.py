"""Signing keys in files of mode 0600, ``keys/<live|test>-<n>.key``: the seed in base64, one line."""

from __future__ import annotations

import base64
import binascii
import secrets
from pathlib import Path
from typing import Final

from trueup.audit.notes.keys import KEY_SIZE, Sign, public_key_of, signer
from trueup.audit.signing.errors import SigningKeyInvalid
from trueup.kernel.modes import mode_name
from trueup.kernel.records import Record
from trueup.runtime import durable

SUFFIX: Final = ".key"


class FileSigner(Record, frozen=True):
    """A key out of a file."""

    public_key: bytes
    sign: Sign


class Files:
    """The keys of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def signers(self, *, livemode: bool) -> list[FileSigner]:
        """The keys of this mode by their number; ``SigningKeyInvalid`` for one that others can read, or is none."""
        return [self._signer(path) for _, path in self._paths(livemode)]

    def make(self, *, livemode: bool) -> FileSigner:
        """A new key under the next number; two processes that make the next one at once get the same."""
        number = max((number for number, _ in self._paths(livemode)), default=0) + 1
        path = self._folder / f"{mode_name(livemode)}-{number}{SUFFIX}"
        try:
            durable.create(path, base64.b64encode(secrets.token_bytes(KEY_SIZE)) + b"\n")
        except OSError as error:
            raise SigningKeyInvalid(
                f"No signing key can be made in {self._folder}: {error.strerror}.",
                hint="Make room, or name a folder that this user may write to in TRUEUP_AUDIT_DIR.",
            ) from None
        return self._signer(path)

    def _paths(self, livemode: bool) -> list[tuple[int, Path]]:  # noqa: FBT001 - a mode, by its name everywhere
        found = []
        for path in self._folder.glob(f"{mode_name(livemode)}-*{SUFFIX}"):
            number = path.stem.rpartition("-")[2]
            if number.isdecimal() and int(number):
                found.append((int(number), path))
        return sorted(found)

    def _signer(self, path: Path) -> FileSigner:
        # Read each time: a key that others could read meanwhile may be theirs too.
        try:
            open_to_others = path.stat().st_mode & 0o077
            text = b"" if open_to_others else path.read_bytes()
        except OSError as error:
            raise SigningKeyInvalid(f"The signing key {path} cannot be read: {error.strerror}.") from None
        if open_to_others:
            raise SigningKeyInvalid(f"{path} can be read by others.", hint=f"Run: chmod 600 {path}")
        return _parse(path, text)


def _parse(path: Path, text: bytes) -> FileSigner:
    try:
        seed = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != KEY_SIZE:
        raise SigningKeyInvalid(f"{path} holds no signing key: that is {KEY_SIZE} bytes in base64.")
    return FileSigner(public_key=public_key_of(seed), sign=signer(seed))
