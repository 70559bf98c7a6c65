"""How a request to AWS is signed: Signature Version 4, as much of it as two calls of KMS need.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. AWS's own library for it is
larger than all of Trueup; this is checked against its published examples.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from trueup.kernel.records import Record

ALGORITHM: Final = "AWS4-HMAC-SHA256"


class Credentials(Record, frozen=True):
    """Who asks."""

    key_id: str
    secret: str
    session_token: str = ""
    """Of a role that was assumed; empty for a user's own key."""


def signed_headers(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    credentials: Credentials,
    region: str,
    service: str,
    at: datetime,
) -> dict[str, str]:
    """The headers to send: those given, the moment, and the signature over all of them, the address and the body."""
    parts = urlsplit(url)
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    sent = {**headers, "Host": parts.netloc, "X-Amz-Date": stamp}
    if credentials.session_token:
        sent["X-Amz-Security-Token"] = credentials.session_token
    lowered = {name.lower(): " ".join(value.split()) for name, value in sent.items()}
    names = ";".join(sorted(lowered))
    query = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in _query(parts.query))
    canonical = "\n".join(
        [
            method,
            quote(parts.path or "/", safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{lowered[name]}" for name in sorted(lowered)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join([ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = signing_key(credentials.secret, stamp[:8], region, service)
    signature = hmac.digest(key, text.encode(), hashlib.sha256).hex()
    granted = f"Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**sent, "Authorization": f"{ALGORITHM} {granted}"}


def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """The key of one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key


def _query(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)
