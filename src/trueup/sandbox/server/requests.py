"""Requests and answers as they are on the wire."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

import orjson

from trueup.kernel.records import Record
from trueup.sandbox.wire import forms
from trueup.sandbox.wire.errors import StripeError
from trueup.sandbox.world.world import API_VERSION

_KEY_MESSAGE: Final = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
    "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we "
    "can help at https://support.stripe.com/."
)


class Request(Record, frozen=True):
    """A request as it came: ``query`` and ``body`` raw, header names lower case."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Answer(Record, frozen=True):
    """What goes back: ``body`` is JSON."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


def authenticate(request: Request) -> None:
    """Raise Stripe's 401 for a request without a key of test mode, be it as bearer or as basic user."""
    key = _key(request.headers.get("authorization", ""))
    if not key:
        raise StripeError(_KEY_MESSAGE, status=401)
    if not key.startswith(("sk_test_", "rk_test_")):
        shown = key[:8] + "*" * max(0, len(key) - 12) + key[-4:]
        raise StripeError(f"Invalid API Key provided: {shown}", status=401)


def tree_of(request: Request) -> dict[str, Any]:
    """A request's parameters as they were sent. Raises Stripe's 400 for what cannot be read."""
    if request.method == "POST" and request.headers.get("content-type", "").startswith("application/json"):
        try:
            tree = orjson.loads(request.body or b"{}")
        except orjson.JSONDecodeError as error:
            message = "Invalid request body: it is not JSON."
            raise StripeError(message) from error
        return tree if isinstance(tree, dict) else {}
    text = request.query
    if request.method == "POST":
        try:
            text = "&".join(part for part in (text, request.body.decode()) if part)
        except UnicodeDecodeError as error:
            message = "Invalid request body: it is not UTF-8."
            raise StripeError(message) from error
    return forms.decode(text)


def _key(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode().split(":")[0]
        except ValueError:
            return ""
    return ""


def dump(obj: object) -> bytes:
    """JSON as Stripe writes it: with two spaces."""
    return orjson.dumps(obj, option=orjson.OPT_INDENT_2)


def answered(
    status: int, body: bytes, request_id: str, key: str | None = None, *, original: str | None = None
) -> Answer:
    """An answer with Stripe's headers; ``original`` is the request whose answer is given again."""
    headers = {"content-type": "application/json", "request-id": request_id, "stripe-version": API_VERSION}
    if key:
        headers["idempotency-key"] = key
    if original:
        headers |= {"idempotent-replayed": "true", "original-request": original}
    return Answer(status=status, body=body, headers=headers)
