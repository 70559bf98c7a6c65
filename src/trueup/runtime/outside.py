"""What settings that name places outside have to look like; what does not raises ``ValueError``."""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64decode, b64encode
from email.utils import parseaddr
from typing import Annotated, Final
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator

from trueup.runtime.outgoing import is_address

WITNESS: Final = re.compile(
    r"(?P<key>(?P<name>[^\s+,]+)\+(?P<id>[0-9a-f]{8})\+(?P<value>[A-Za-z0-9+/]+=*))=(?P<url>http.*)"
)
COSIGNATURE: Final = 0x04
KEY_BYTES: Final = 33
"""The type of a witness's key, and an Ed25519 key with the byte of its type."""


def witnesses(value: str) -> tuple[tuple[str, str], ...]:
    """The keys and addresses of such a setting: ``KEY=URL,KEY=URL``; ``ValueError`` for one that is not of its form."""
    found = []
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        match = WITNESS.fullmatch(part)
        if match is None or not is_address(match["url"]) or not _is_witness(match):
            message = f"{part!r} is not KEY=URL with the verifier key of a witness, as trueup audit witness prints it"
            raise ValueError(message)
        found.append((match["key"], match["url"]))
    if len({key for key, _ in found}) < len(found):
        message = "names a witness twice"
        raise ValueError(message)
    return tuple(found)


def _is_witness(match: re.Match[str]) -> bool:
    """Whether the key is a witness's, and none that was copied wrongly."""
    try:
        value = b64decode(match["value"], validate=True)
    except binascii.Error:
        return False
    own = hashlib.sha256(match["name"].encode() + b"\n" + value).hexdigest()[:8]
    one_form = b64encode(value).decode() == match["value"]
    return one_form and len(value) == KEY_BYTES and value[0] == COSIGNATURE and own == match["id"]


def _witnesses(value: str) -> str:
    witnesses(value)
    return value


def _address(value: str) -> str:
    if value and not is_address(value):
        message = "is not an http or https address without a user"
        raise ValueError(message)
    return value


def _mailbox(value: str) -> str:
    if value and not is_mailbox(value):
        message = "is not one mail address"
        raise ValueError(message)
    return value


def _smtp(value: str) -> str:
    try:
        parts = urlsplit(value)
        sender = parse_qs(parts.query).get("from", [""])[0]
        fine = parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine, sender = False, ""
    if value and not (fine and (not sender or is_mailbox(sender))):
        # The address may hold a password, so it is not told.
        message = "is not smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS or the same with smtps"
        raise ValueError(message)
    return value


def is_mailbox(value: str) -> bool:
    """Whether this is one mail address and nothing else."""
    name, _, host = value.rpartition("@")
    plain = value.isascii() and value.isprintable() and not re.search(r"[\s,;<>]", value)
    return plain and bool(name) and bool(host) and parseaddr(value)[1] == value


Address = Annotated[str, AfterValidator(_address)]
"""Where something answers over http or https."""
Mailbox = Annotated[str, AfterValidator(_mailbox)]
SmtpAddress = Annotated[str, AfterValidator(_smtp)]
"""A mail server, with user and password where it wants them, and ``?from=`` for another sender."""
Witnesses = Annotated[str, AfterValidator(_witnesses)]
