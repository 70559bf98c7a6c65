"""Reading from Stripe: one GET, its bytes as they came, and the second in Stripe's time at which reading began.

One POST reads too, ``PREVIEW``: Stripe works out the invoice that would come and keeps nothing of it. No other is made.
Nothing is retried here and no budget is asked: whoever calls, ``accounts.calls``, does both for all processes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
import stripe
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from stripe._base_address import BaseAddresses

from trueup.connectors.stripe.client import API_VERSION, TIMEOUT_SECONDS
from trueup.connectors.stripe.errors import (
    StripeForbidden,
    StripeMissing,
    StripeNothingUpcoming,
    StripeParameterMissing,
    StripePathUnknown,
    StripeRefused,
    StripeThrottled,
    StripeUnauthorized,
    StripeUnavailable,
)
from trueup.kernel.records import Record
from trueup.runtime import clock

_THROTTLED: Final = 429
_MISSING: Final = 404
_FORBIDDEN: Final = 403
_INVALID: Final = 400
_UNAUTHORIZED: Final = 401
_CONFLICT: Final = 409
_REDIRECTED: Final = 300
_OURS: Final = 500
_LONGEST_SECONDS: Final = 60.0
_PERMISSION: Final = re.compile(r"'(?:rak_)?([a-z_]+_(?:read|write))'")
"""How a refusal names what is missing: ``Having the 'rak_customer_read' permission would allow this request``."""
PREVIEW: Final = "/v1/invoices/create_preview"
"""Source: https://docs.stripe.com/api/invoices/create_preview"""
_NOTHING_UPCOMING: Final = "invoice_upcoming_none"
_CONNECTIONS: Final = 32
"""Connections that are kept; all threads share them, and more are opened where more are wanted at once."""
_NO_KEY: Final = "each_call_brings_its_own"


class Answer(Record, frozen=True):
    """What Stripe answered.

    ``body`` is the JSON as it came. ``second`` is a unix second of Stripe's clock that had not passed when the request
    was begun: the ``Date`` header less the time the request took, rounded down. ``request_id`` is Stripe's own.
    """

    body: bytes
    second: int
    request_id: str | None = None


@lru_cache(maxsize=8)
def _client(api_base: str | None) -> stripe.StripeClient:
    """One client for each address: it keeps connections, and no key."""
    stripe.enable_telemetry = False
    addresses: BaseAddresses = (
        {"api": api_base, "connect": api_base, "files": api_base, "meter_events": api_base} if api_base else {}
    )
    return stripe.StripeClient(
        _NO_KEY,
        stripe_version=API_VERSION,
        base_addresses=addresses,
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS, session=_session(api_base)),
    )


def _session(api_base: str | None) -> requests.Session:
    """One session for all threads: it keeps connections and, beside these, nothing of any call.

    The environment is asked for a proxy once. Asking anew for each call, as the library does, takes longer than all
    else that it does here.
    """
    session = requests.Session()
    session.trust_env = False
    session.proxies = get_environ_proxies(api_base or stripe.DEFAULT_API_BASE, no_proxy=None)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))
    return session


def get(
    path: str,
    params: Mapping[str, Any] | None = None,
    *,
    api_key: str,
    api_base: str | None = None,
    stripe_account: str | None = None,
) -> Answer:
    """Ask Stripe once. ``stripe_account`` names a connected account (``acct_…``) that is meant.

    Raises ``StripeThrottled`` for a 429, ``StripeMissing`` for an object that there is not,
    ``StripeParameterMissing`` where a parameter names one, ``StripePathUnknown`` for a path that the API does not have,
    ``StripeForbidden`` for a
    permission that the key lacks, ``StripeRefused`` for a key that Stripe does not take and for any other fault of
    ours, and ``StripeUnavailable`` when there was no answer, or one that blames Stripe.
    """
    return _asked("get", path, params, api_key=api_key, api_base=api_base, stripe_account=stripe_account)


def preview(
    params: Mapping[str, Any], *, api_key: str, api_base: str | None = None, stripe_account: str | None = None
) -> Answer:
    """Ask Stripe once for the invoice that would come; nothing is made there.

    Raises what ``get`` raises, and ``StripeNothingUpcoming`` where none would come.
    """
    return _asked("post", PREVIEW, params, api_key=api_key, api_base=api_base, stripe_account=stripe_account)


def _asked(
    method: str,
    path: str,
    params: Mapping[str, Any] | None,
    *,
    api_key: str,
    api_base: str | None,
    stripe_account: str | None,
) -> Answer:
    options: dict[str, Any] = {"api_key": api_key}
    if stripe_account is not None:
        options["stripe_account"] = stripe_account
    begun = clock.monotonic()
    try:
        response = _client(api_base).raw_request(method, path, **(dict(params or {}) | options))
    except stripe.APIConnectionError:
        raise StripeUnavailable("Stripe did not answer.", hint="It is tried again; check the network.") from None
    except stripe.StripeError as error:
        raise _translated(error, path, _second(error.headers or {}, clock.monotonic() - begun)) from None
    took = clock.monotonic() - begun
    return Answer(body=response.body.encode(), second=_second(response.headers, took), request_id=response.request_id)


def _second(headers: Mapping[str, str], took: float) -> int:
    """The second of Stripe's clock in which a request that ``took`` so long was begun, or an earlier one."""
    told = headers.get("Date") or headers.get("date")
    try:
        answered = parsedate_to_datetime(told).timestamp() if told else clock.unix()
    except ValueError:
        answered = clock.unix()
    return math.floor(answered - took)


def _translated(error: stripe.StripeError, path: str, second: int) -> Exception:
    status, headers = error.http_status or 0, error.headers or {}
    # The library's error for a 429 keeps the code inside.
    code = error.code or (error.error.code if error.error is not None else None) or ""
    should = headers.get("stripe-should-retry")
    final, retry_after = should == "false", _retry_after(headers)
    if status == _THROTTLED:
        # A lock that somebody else holds has no reason in the headers, and is told by its code.
        reason = headers.get("stripe-rate-limited-reason") or code or "rate_limit"
        return StripeThrottled(
            f"Stripe wants fewer calls ({reason}).", reason=reason, final=final, retry_after=retry_after
        )
    if status == _MISSING and code in {"resource_missing", _NOTHING_UPCOMING}:
        none = StripeNothingUpcoming("Stripe sees no invoice to come.")
        return none if code == _NOTHING_UPCOMING else StripeMissing(f"Stripe has nothing at {path}.", second=second)
    if status in {_FORBIDDEN, _UNAUTHORIZED}:
        return _of_the_key(error, path)
    if status < _REDIRECTED:
        # The library found no JSON in an answer that says all is well: something between us and Stripe spoke.
        return StripeUnavailable(
            "Stripe's answer is no JSON.", hint="It is tried again later; look for a proxy between.", final=True
        )
    if should == "true" or status == _CONFLICT or status >= _OURS:
        return StripeUnavailable(
            f"Stripe answered with {status}.", hint="It is tried again.", final=final, retry_after=retry_after
        )
    kind: type[StripeRefused] = StripeRefused
    if status == _MISSING:
        kind = StripePathUnknown
    elif status == _INVALID and code == "resource_missing":
        kind = StripeParameterMissing
    return kind(f"Stripe refused {path} with {status} {code}.".replace(" .", "."))


def _of_the_key(error: stripe.StripeError, path: str) -> StripeRefused:
    if error.http_status == _UNAUTHORIZED:
        return StripeUnauthorized("Stripe does not accept this API key.", hint="It may have been rolled: connect anew.")
    named = _PERMISSION.search(error.user_message or "")
    permission = f"rak_{named[1]}" if named else ""
    return StripeForbidden(
        f"The API key may not read {path}{f': it lacks {permission}' if permission else ''}.",
        hint="Give the restricted key this permission in Stripe's dashboard.",
        permission=permission,
    )


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that an answer asks to wait, up to a minute; 0 where it does not say, or says a date."""
    told = headers.get("retry-after", "")
    return min(float(told), _LONGEST_SECONDS) if told.isdecimal() else 0.0
