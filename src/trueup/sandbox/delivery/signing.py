"""The ``Stripe-Signature`` header."""

from __future__ import annotations

import hmac
from collections.abc import Iterable


def header(body: bytes, *, secrets: Iterable[str], at: int) -> str:
    """The header's value for ``body`` sent at the unix second ``at``: a ``v1`` for each secret, the newest first.

    In test mode Stripe adds a ``v0`` that is no signature and has to be passed over; ours comes from the first ``v1``.
    Source: https://docs.stripe.com/webhooks#verify-manually
    """
    signed = b"%d." % at + body
    found = [hmac.digest(secret.encode(), signed, "sha256").hex() for secret in secrets]
    decoy = hmac.digest(b"v0", found[0].encode(), "sha256").hex()
    return ",".join((f"t={at}", *(f"v1={one}" for one in found), f"v0={decoy}"))
