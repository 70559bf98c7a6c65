"""Pure rules about keys, secrets and slugs."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from trueup.accounts.errors import ApiKeyInvalid, WebhookSecretInvalid
from trueup.accounts.types import Access
from trueup.kernel.errors import Refused
from trueup.kernel.modes import mode_name

KEY: Final = re.compile(r"(?P<kind>sk|rk)_(?P<mode>test|live)_[A-Za-z0-9_]{4,250}\Z")
SECRET: Final = re.compile(r"whsec_[A-Za-z0-9_+/=-]{4,250}\Z")
SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


def slug_of(name: str) -> str:
    """The slug for a name: lower case, runs of anything else than letters and digits become one hyphen."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")
    if not SLUG.match(slug):
        message = f"{name!r} leaves nothing for the webhook address."
        raise Refused(
            message, code="account_name_invalid", hint="Use a name with letters or digits, such as --name acme."
        )
    return slug


def mode_of(api_key: str, *, livemode: bool | None, known: bool | None = None) -> bool:
    """Whether an account is of live mode: its key's prefix tells, and ``livemode`` (a flag) must agree with it.

    Where there is no key the flag decides, else the mode that is ``known``, else it is test mode.
    Source: https://docs.stripe.com/keys#obtain-api-keys
    """
    if not api_key:
        return bool(known if livemode is None else livemode)
    match = KEY.match(api_key)
    if match is None:
        raise ApiKeyInvalid(
            "The API key is not a Stripe secret or restricted key.",
            hint="It begins with rk_test_, rk_live_, sk_test_ or sk_live_; publishable keys (pk_) cannot read.",
        )
    live = match["mode"] == "live"
    if livemode is not None and livemode != live:
        raise ApiKeyInvalid(
            f"The API key is of {mode_name(live)} mode, the flag says otherwise.", hint="Leave the flag out."
        )
    return live


def check_secret(secret: str) -> str:
    """The signing secret as Stripe shows it, or ``WebhookSecretInvalid``."""
    secret = secret.strip()
    if SECRET.match(secret) is None:
        raise WebhookSecretInvalid(
            "A webhook secret begins with whsec_.", hint="Copy it from the endpoint's page in the Stripe dashboard."
        )
    return secret


def access_of(wanted: Access | None, *, has_api_key: bool) -> Access:
    """What we may do: as asked, else ``watch``; acting needs a key."""
    if wanted is Access.ACT and not has_api_key:
        raise Refused(
            "To act on Stripe an API key is needed.",
            code="api_key_missing",
            hint="Add --api-key, or connect in watch mode.",
        )
    return wanted or Access.WATCH


def check_api_base(api_base: str | None, *, api_key: str) -> None:
    """Refuse an address that cannot be called, or over which a live key would travel in clear."""
    if not api_base:
        return
    try:
        parts = urlsplit(api_base)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise Refused(
            "The address of the API cannot be used.",
            code="api_base_invalid",
            hint="Write it as https://host or http://127.0.0.1:12111, without a user, a query or a fragment.",
        )
    if parts.scheme == "http" and "_live_" in api_key:
        raise Refused(
            "A live key is not sent over plain http.",
            code="api_base_insecure",
            hint="Use an address that begins with https://.",
        )
