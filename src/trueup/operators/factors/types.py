"""The nouns of second factors."""

from __future__ import annotations

from datetime import datetime

from trueup.kernel.records import Record


class Passkey(Record, frozen=True):
    """A key on a device or in a password manager."""

    id: int
    name: str
    added_at: datetime
    used_at: datetime | None


class Factors(Record, frozen=True):
    """What a person signs in with beside a password."""

    app_added_at: datetime | None
    """Since when there is an authenticator app; None without one."""
    app_used_at: datetime | None
    passkeys: tuple[Passkey, ...]
    codes_left: int
    """How many recovery codes were not used yet."""
    codes_made_at: datetime | None

    @property
    def any(self) -> bool:
        """Whether there is a second factor; recovery codes alone are none."""
        return self.app_added_at is not None or bool(self.passkeys)
