"""The webhook intake: a raw ASGI application that verifies, stores and only then answers.

Nothing is written before the signature passes; everything that passes is kept, usable or not. It loads no Django: it
runs alone in a small process (``trueup intake``) or mounted beside Django (``trueup up``).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import msgspec
import psycopg

from trueup.accounts.registry import Endpoint
from trueup.inbox.intake import envelope as envelopes
from trueup.inbox.intake.flusher import Away, Flusher, Job
from trueup.inbox.intake.registry import Registry
from trueup.inbox.intake.signature import verify
from trueup.inbox.types import Reason
from trueup.runtime import clock, metrics
from trueup.runtime.crypto import Sealer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

PREFIX: Final = "/webhooks/stripe/"
MAX_BODY: Final = 1024 * 1024
NEW: Final = b'{"received": true, "duplicate": false}'
DUPLICATE: Final = b'{"received": true, "duplicate": true}'
JSON: Final = (b"content-type", b"application/json")

REFUSALS: Final = {
    "account_unknown": (
        404,
        "There is no account at this address.",
        "Check the end of the endpoint's URL: trueup accounts lists the addresses.",
    ),
    "method_not_allowed": (405, "Webhooks are sent with POST.", ""),
    "body_too_large": (413, "The body is larger than 1 MiB.", "Stripe never sends that much."),
    "signature_missing": (400, "There is no Stripe-Signature header.", "Only Stripe may post here."),
    "signature_invalid": (
        400,
        "No active secret made this signature.",
        "Compare the endpoint's signing secret with: trueup secrets list",
    ),
    "signature_stale": (400, "The signature is more than 300 seconds old.", "Check the clocks of both sides."),
    "signature_future": (400, "The signature lies more than 300 seconds ahead.", "Check this host's clock."),
    "https_required": (
        403,
        "A live account's events are taken over TLS only.",
        "Use --tls-cert and --tls-key, or name the TLS proxy in TRUEUP_TRUSTED_PROXIES.",
    ),
    "database_away": (503, "The event could not be stored.", "Stripe sends it again."),
    "queue_full": (503, "Too many events wait to be stored.", "Stripe sends it again."),
}


_COUNTED: Final = {
    outcome: metrics.INTAKE_REQUESTS.labels(outcome=outcome)
    for outcome in ("stored", "duplicate", "quarantined", *REFUSALS)
}


class Intake:
    """The application; ``start`` and ``stop`` belong to the server's lifespan."""

    def __init__(self, *, conninfo: str, sealer: Sealer, trusted_proxies: str = "") -> None:
        self._flusher = Flusher(conninfo)
        self._registry = Registry(conninfo, sealer)
        self._proxies = networks(trusted_proxies)

    async def start(self) -> None:
        """Load accounts and begin to write."""
        await self._registry.start()
        await self._flusher.start()

    async def stop(self) -> None:
        """Store what was accepted, then close."""
        await self._flusher.stop()
        await self._registry.stop()

    @property
    def ready(self) -> bool:
        """Whether accounts were read at least once."""
        return self._registry.loaded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request below ``/webhooks/stripe/``."""
        slug = scope["path"].removeprefix(PREFIX).rstrip("/")
        endpoint = self._registry.endpoint(slug)
        if endpoint is None:
            await _refuse(send, "account_unknown" if self._registry.loaded else "database_away")
        elif scope["method"] != "POST":
            await _refuse(send, "method_not_allowed", (b"allow", b"POST"))
        elif endpoint.livemode and not encrypted(scope, self._proxies):
            await _refuse(send, "https_required")
        else:
            await self._take(endpoint, scope, receive, send)

    async def _take(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(scope, receive)
        if body is None:
            await _refuse(send, "body_too_large")
            return
        signature = _header(scope, b"stripe-signature")
        refusal = verify(signature, body, endpoint.secrets, now=clock.unix())
        if refusal is not None:
            await _refuse(send, refusal.value)
            return
        if self._flusher.full():
            await _refuse(send, "queue_full", (b"retry-after", b"1"))
            return
        try:
            job = await self._job(endpoint, signature, body)
            stored = await self._flusher.submit(job)
        except (Away, psycopg.Error, OSError):
            await _refuse(send, "database_away", (b"retry-after", b"1"))
            return
        outcome = "quarantined" if stored.quarantined else "duplicate" if stored.duplicate else "stored"
        await _answer(send, 200, DUPLICATE if stored.duplicate else NEW, outcome)

    async def _job(self, endpoint: Endpoint, signature: str, body: bytes) -> Job:
        try:
            envelope = envelopes.read(body)
        except envelopes.Unusable as error:
            return Job(
                account_id=endpoint.account_id,
                livemode=endpoint.livemode,
                signature=signature,
                body=body,
                reason=error.reason,
                detail=error.detail,
            )
        if envelope.livemode is not None and envelope.livemode != endpoint.livemode:
            detail = f"The event is of {'live' if envelope.livemode else 'test'} mode, the account is not."
            return Job(
                account_id=endpoint.account_id,
                livemode=endpoint.livemode,
                signature=signature,
                body=body,
                reason=Reason.WRONG_MODE,
                detail=detail,
            )
        account_id = endpoint.account_id
        if envelope.account is not None:
            account_id = await self._registry.account_of(
                endpoint, livemode=endpoint.livemode, stripe_account_id=envelope.account
            )
        return Job(account_id=account_id, livemode=endpoint.livemode, signature=signature, body=body, envelope=envelope)


def networks(trusted_proxies: str) -> Networks:
    """The networks in a list separated by commas; ``ValueError`` for what is none."""
    parts = (part.strip() for part in trusted_proxies.split(","))
    return tuple(ipaddress.ip_network(part, strict=False) for part in parts if part)


def encrypted(scope: Scope, proxies: Networks) -> bool:
    """Whether the sender's side of the way was encrypted: our own TLS, or a named proxy that says so.

    Of several words in ``X-Forwarded-Proto``, on one line or on many, the last is the proxy's own; the rest is what it
    was sent.
    """
    if scope.get("scheme") == "https":
        return True
    client = scope.get("client")
    if not client or not proxies:
        return False
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return False
    if not any(address in network for network in proxies):
        return False
    said = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
    return bool(said) and said[-1].rpartition(b",")[2].strip().lower() == b"https"


def _header(scope: Scope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The request's body, or None when it is larger than allowed; at most 1 MiB is ever held."""
    length = _header(scope, b"content-length")
    if length.isdigit() and int(length) > MAX_BODY:
        return None
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body if len(body) <= MAX_BODY else None
    parts, size = [body], len(body)
    while message.get("more_body"):
        if size > MAX_BODY:
            return None
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    return b"".join(parts) if size <= MAX_BODY else None


async def _refuse(send: Send, code: str, *headers: tuple[bytes, bytes]) -> None:
    status, message, hint = REFUSALS[code]
    await _answer(
        send, status, msgspec.json.encode({"error": {"code": code, "message": message, "hint": hint}}), code, *headers
    )


async def _answer(send: Send, status: int, body: bytes, outcome: str, *headers: tuple[bytes, bytes]) -> None:
    _COUNTED[outcome].inc()
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [JSON, length, *headers]})
    await send({"type": "http.response.body", "body": body})
