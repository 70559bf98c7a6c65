"""Calls to Stripe through its official library: version pinned, telemetry off, two network retries, ten seconds.

Source of the values: https://docs.stripe.com/api/versioning and the library's own defaults (a client without
``max_network_retries`` never retries).
"""

from __future__ import annotations

from typing import Final

import stripe
from stripe._base_address import BaseAddresses

from trueup.connectors.stripe.errors import StripeRefused, StripeUnavailable

API_VERSION: Final = "2026-10-28.endive"
NETWORK_RETRIES: Final = 2
TIMEOUT_SECONDS: Final = 10
UNREADABLE: Final = 403


def client(api_key: str, *, api_base: str | None = None) -> stripe.StripeClient:
    """A client for one account; ``api_base`` leads every call elsewhere, to a sandbox for instance."""
    stripe.enable_telemetry = False
    # All four have to be named: one left out stays at stripe.com.
    addresses: BaseAddresses = (
        {"api": api_base, "connect": api_base, "files": api_base, "meter_events": api_base} if api_base else {}
    )
    return stripe.StripeClient(
        api_key,
        stripe_version=API_VERSION,
        base_addresses=addresses,
        max_network_retries=NETWORK_RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )


def account_id(api_key: str, *, api_base: str | None = None) -> str | None:
    """The ``acct_…`` a key belongs to; None when the key is good but too narrow to read the account.

    Raises ``StripeRefused`` for a key Stripe does not accept and ``StripeUnavailable`` when Stripe does not answer.
    """
    try:
        account = client(api_key, api_base=api_base).v1.accounts.retrieve_current()
    except stripe.AuthenticationError:
        raise StripeRefused(
            "Stripe does not accept this API key.", hint="Copy it again from the dashboard; it may have been rolled."
        ) from None
    except stripe.PermissionError:
        return None
    except stripe.APIConnectionError:
        raise StripeUnavailable(
            "Stripe did not answer.",
            hint="Check the network, or connect with --offline and let the first events tell the account.",
        ) from None
    except stripe.StripeError as error:
        if error.http_status == UNREADABLE:
            return None
        raise StripeUnavailable(
            f"Stripe answered with {error.http_status}.", hint="Try again, or connect with --offline."
        ) from None
    return str(account.id)
