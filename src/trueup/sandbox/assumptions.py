"""Rules that nobody could verify against Stripe: what the specification marks as from memory, and what it leaves open.

Each is used by name where it applies, so that a better fact changes one line.
"""

from __future__ import annotations

from typing import Final

IDEMPOTENCY_SECONDS: Final = 24 * 3600
"""How long an answer is kept for its ``Idempotency-Key``. Stripe documents at least 24 hours."""

CLOCK_KEPT_SECONDS: Final = 30 * 86_400
"""A test clock deletes itself this long after it was made, by the sandbox's own clock. Source: sandbox specification B.0.3."""

CLOCK_INTERVALS_AT_ONCE: Final = 2
"""How many of the shortest subscription interval a test clock may be advanced at once. Source: B.0.3."""

CLOCK_YEARS_WITHOUT_SUBSCRIPTION: Final = 2
"""How many years a test clock without subscriptions may be advanced at once. Source: B.0.3."""

CLOCK_CUSTOMERS: Final = 3
"""How many customers a test clock may have. Documented for the Dashboard; that the API refuses a fourth is assumed."""
