"""Headers that every answer of Django has: pages, errors, the API and files of the console alike.

Views and Django's own middleware say what is particular; this says what holds where they say nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of what is no page, such as a picture that is opened by itself."""
DEVICES: Final = (
    *("accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "hid"),
    *("magnetometer", "microphone", "midi", "payment", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
)
"""What no page of ours uses. Passkeys and copying stay with what browsers allow to the page's own origin."""
POLICY: Final = ", ".join(f"{device}=()" for device in DEVICES)


@sync_and_async_middleware
def everywhere(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Stand around everything else, so that no answer leaves without these headers."""
    if iscoroutinefunction(get_response):

        async def later(request: HttpRequest) -> HttpResponseBase:
            return _completed(await get_response(request))

        return later

    def now(request: HttpRequest) -> HttpResponseBase:
        return _completed(get_response(request))

    return now


def _completed(response: HttpResponseBase) -> HttpResponseBase:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", NOTHING)
    headers.setdefault("Permissions-Policy", POLICY)
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    # A page holds personal data, and so does what the API answers: what may be kept says so.
    headers.setdefault("Cache-Control", "private, no-store")
    return response
