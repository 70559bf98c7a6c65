"""What an API key may read, tried with a call for each list that Trueup needs, before the key is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trueup.accounts import rules
from trueup.accounts.errors import ApiKeyInvalid
from trueup.connectors.stripe import client, reading
from trueup.connectors.stripe.errors import StripeForbidden, StripeMissing, StripePathUnknown, StripeRefused
from trueup.kernel.errors import Unavailable
from trueup.kernel.records import Record

LISTS: Final = (
    *("customers", "subscriptions", "subscription_schedules", "invoices", "charges", "payment_intents", "products"),
    *("prices", "events", "webhook_endpoints"),
)
"""What states are made of, and what tells whether events are missed."""


class Probed(Record, frozen=True):
    """What a key is, and what it may read: True, False, or None where this API has no such list or did not answer."""

    livemode: bool
    stripe_account_id: str | None
    restricted: bool
    lists: tuple[tuple[str, bool | None], ...]

    @property
    def refused(self) -> tuple[str, ...]:
        """The lists that it may not read."""
        return tuple(name for name, may in self.lists if may is False)


def look(api_key: str, *, api_base: str | None = None, livemode: bool | None = None) -> Probed:
    """Ask Stripe with a key that is not kept. Nothing is written, there or here; never inside a transaction.

    Raises ``Refused`` for what is no API key or an address that may not have one, ``StripeRefused`` for a key that
    Stripe does not accept and ``StripeUnavailable`` where Stripe does not answer.
    """
    if not api_key:
        raise ApiKeyInvalid("There is no API key.", hint="Paste the key: it begins with rk_ or sk_.")
    rules.check_api_base(api_base, api_key=api_key)
    live = rules.mode_of(api_key, livemode=livemode, known=None)
    account_id = client.account_id(api_key, api_base=api_base)
    return Probed(
        livemode=live,
        stripe_account_id=account_id,
        restricted=api_key.startswith("rk_"),
        lists=tuple(_lists(api_key, api_base)),
    )


def _lists(api_key: str, api_base: str | None) -> Iterator[tuple[str, bool | None]]:
    for name in LISTS:
        try:
            reading.get(f"/v1/{name}", {"limit": 1}, api_key=api_key, api_base=api_base)
        except StripeForbidden:
            yield name, False
        except (StripeMissing, StripePathUnknown, StripeRefused, Unavailable):
            yield name, None
        else:
            yield name, True
