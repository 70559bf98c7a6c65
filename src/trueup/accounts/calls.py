"""Calls to Stripe on behalf of an account: its key, its budget, and another try where that may help."""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from trueup.accounts import service
from trueup.accounts.errors import ApiKeyMissing
from trueup.accounts.types import Account
from trueup.connectors.stripe import reading
from trueup.connectors.stripe.errors import StripeThrottled, StripeUnavailable
from trueup.connectors.stripe.reading import Answer
from trueup.runtime import installation

TRIES: Final = 5


class Lane(StrEnum):
    """Who calls, the most urgent first: whoever comes later leaves room for those before."""

    COMMANDS = "commands"
    EVENTS = "events"
    SWEEP = "sweep"
    BACKFILL = "backfill"


def can_read(account: Account) -> bool:
    """Whether there is a key to read this account with: its own, or its platform's."""
    return account.has_api_key or (account.parent_id is not None and service.account(account.parent_id).has_api_key)


def get(
    account: Account, path: str, params: Mapping[str, Any] | None = None, *, lane: Lane, patience: float = 60.0
) -> Answer:
    """GET a path of Stripe's API for an account, a connected one through its platform's key.

    Waits for the budget, and tries again what Stripe says may be tried again, for at most ``patience`` seconds. Raises
    what ``connectors.stripe.reading.get`` raises, and ``ApiKeyMissing`` where there is no key to read with. Never call
    it inside a transaction.
    """
    owner = account if account.parent_id is None else service.account(account.parent_id)
    key = service.api_key_of(owner, sealer=installation.sealer())
    if not key:
        raise ApiKeyMissing(f"{owner.slug} has no API key to read with.", hint="Add one: trueup connect --api-key")
    until = time.monotonic() + patience
    for attempt in range(TRIES):
        try:
            return reading.get(
                path,
                params,
                api_key=key,
                api_base=owner.api_base,
                stripe_account=account.stripe_account_id if owner is not account else None,
            )
        except (StripeThrottled, StripeUnavailable):
            pause = 0.2 * 2**attempt
            if attempt == TRIES - 1 or time.monotonic() + pause > until:
                raise
            time.sleep(pause)
    raise AssertionError
