"""The nouns of sessions."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from trueup.kernel.records import Record

WARNING: Final = timedelta(minutes=2)
"""So long before its end an open page says that the session is about to end."""


class End(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed_out"
    IDLE = "idle"
    """Nobody used it for as long as the person's roles allow."""
    ABSOLUTE = "absolute"
    """It lasted as long as the person's roles allow, however much it was used."""
    REVOKED = "revoked"
    """The person, or whoever manages people, ended it from elsewhere."""
    CREDENTIALS = "credentials"
    """The person's password or second factors changed."""
    DEACTIVATED = "deactivated"
    """The person may not sign in any more."""


class Session(Record, frozen=True):
    """Somebody signed in from one browser."""

    id: int
    operator_id: int
    client: str
    """The network address it was used from last."""
    device: str
    """What its browser says of itself, cut to 300 characters."""
    opened_at: datetime
    used_at: datetime
    """To the minute."""
    ends_at: datetime
    """When it ends if it is not used again."""
    last_at: datetime
    """When it ends however much it is used: by the roles, or before, where a provider said so."""
