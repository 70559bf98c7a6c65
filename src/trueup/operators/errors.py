"""What can go wrong with signing in."""

from __future__ import annotations

from datetime import datetime

from trueup.kernel.errors import Refused


class SignInThrottled(Refused):
    """Too many sign-ins failed, from one place or for one address; ``retry_at`` is aware UTC."""

    status = 429
    code = "sign_in_throttled"

    def __init__(self, retry_at: datetime) -> None:
        super().__init__(
            "Too many sign-ins have failed.",
            hint=f"Try again at {retry_at:%H:%M} UTC, or set a new password with: trueup operator password",
        )
        self.retry_at = retry_at
