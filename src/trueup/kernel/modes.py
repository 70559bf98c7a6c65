"""The two worlds of Stripe, by their names."""

from __future__ import annotations


def mode_name(livemode: bool) -> str:  # noqa: FBT001 - Stripe's own field, by its name everywhere
    """``live`` or ``test``, as people and files name what Stripe calls ``livemode``."""
    return "live" if livemode else "test"
