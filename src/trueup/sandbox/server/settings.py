"""What an account may set where Stripe has a page in its Dashboard and no API."""

from __future__ import annotations

from typing import Literal

import msgspec

from trueup.sandbox.assumptions import DUNNING_END, RETRY_DAYS, SEARCH_LAG_SECONDS, UPCOMING_DAYS
from trueup.sandbox.world.store import Store


class Settings(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=False):
    """The settings; None leaves one as it is.

    ``retry_policy``: days after a failed renewal at which it is tried again. ``dunning_end``: what then becomes of the
    subscription. ``pause_on_first_failure``: whether it is paused as soon as a renewal fails. ``upcoming_days``: days
    before a renewal at which ``invoice.upcoming`` is told. ``search_lag``: seconds until search finds what changed.
    """

    retry_policy: list[int] | None = None
    dunning_end: Literal["cancel", "mark_unpaid", "leave_past_due", "pause"] | None = None
    pause_on_first_failure: bool | None = None
    upcoming_days: int | None = None
    search_lag: int | None = None

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        days = self.retry_policy
        if days is not None and (any(day < 1 for day in days) or days != sorted(set(days))):
            message = "retry_policy: days from 1 on, each later than the one before"
            raise ValueError(message)
        for name in ("upcoming_days", "search_lag"):
            if (getattr(self, name) or 0) < 0:
                message = f"{name}: 0 or more"
                raise ValueError(message)


def read(store: Store) -> Settings:
    """All settings as they are."""
    policy = store.meta("retry_policy", "")
    return msgspec.convert(
        {
            "retry_policy": msgspec.json.decode(policy) if policy else list(RETRY_DAYS),
            "dunning_end": store.meta("dunning_end", DUNNING_END),
            "pause_on_first_failure": bool(store.meta("pause_on_first_failure", "")),
            "upcoming_days": int(store.meta("upcoming_days", "") or UPCOMING_DAYS),
            "search_lag": int(store.meta("search_lag", "") or SEARCH_LAG_SECONDS),
        },
        Settings,
    )


def write(store: Store, settings: Settings) -> None:
    """Set what is not None; it holds for all that happens from now on."""
    if settings.retry_policy is not None:
        store.put_meta("retry_policy", msgspec.json.encode(settings.retry_policy).decode())
    if settings.pause_on_first_failure is not None:
        store.put_meta("pause_on_first_failure", "yes" if settings.pause_on_first_failure else "")
    for name in ("dunning_end", "upcoming_days", "search_lag"):
        value = getattr(settings, name)
        if value is not None:
            store.put_meta(name, str(value))
