"""Checkpoints by webhook: JSON, signed as Stripe signs its own, so that whoever takes it knows who sent it.

The header ``Trueup-Signature`` is ``t=<unix second>,v1=<hex>``: HMAC-SHA256 with the secret over the second, a dot and
the body.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

import msgspec

from trueup.audit.anchors.errors import NotTaken
from trueup.audit.notes.checkpoints import Checkpoint
from trueup.audit.notes.lines import render_base64
from trueup.runtime import clock, outgoing

HEADER: Final = "Trueup-Signature"
_MOST_KEPT: Final = 4_096
_TAKEN: Final = range(200, 300)


def deliver(checkpoint: Checkpoint, note: bytes, *, url: str, secret: str) -> bytes:
    """Post a checkpoint; gives the beginning of the answer. ``NotTaken`` for any that is not of success."""
    body = msgspec.json.encode(
        {
            "type": "audit.checkpoint",
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": render_base64(checkpoint.root),
            "note": note.decode(),
        }
    )
    headers = {"Content-Type": "application/json", HEADER: signature(body, secret, clock.unix())}
    answer = outgoing.post(url, body, headers=headers)
    if answer.status not in _TAKEN:
        raise NotTaken(f"The webhook answered with {answer.status}.", code=f"audit_webhook_{answer.status}")
    return answer.body[:_MOST_KEPT]


def signature(body: bytes, secret: str, seconds: int) -> str:
    """The header's value for a body sent at that second."""
    return f"t={seconds},v1={hmac.digest(secret.encode(), b'%d.' % seconds + body, hashlib.sha256).hex()}"
