"""Rules that nobody could verify against Stripe: what the specification marks as from memory, and what it leaves open.

Each is used by name where it applies, so that a better fact changes one line.
"""

from __future__ import annotations

from typing import Final

IDEMPOTENCY_SECONDS: Final = 24 * 3600
"""How long an answer is kept for its ``Idempotency-Key``. Stripe documents at least 24 hours."""
