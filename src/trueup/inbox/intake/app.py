"""The webhook intake: what is asked of a request, and a raw ASGI application around it.

Nothing is written before the signature passes; everything that passes is kept, usable or not. It loads no Django: it
runs alone in a small process (``trueup intake``, where ``protocol`` shortens the way) or mounted beside Django
(``trueup up``).
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

import psycopg

from trueup.accounts.registry import Endpoint
from trueup.inbox.intake import answers
from trueup.inbox.intake import envelope as envelopes
from trueup.inbox.intake.answers import Answer, counted
from trueup.inbox.intake.batch import Job
from trueup.inbox.intake.flusher import Flusher
from trueup.inbox.intake.registry import Registry
from trueup.inbox.intake.signature import Refusal, verify
from trueup.inbox.types import Reason
from trueup.kernel.modes import mode_name
from trueup.runtime import clock
from trueup.runtime.crypto import Sealer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Done = Callable[[Answer], None]
Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

PREFIX: Final = "/webhooks/stripe/"
MAX_BODY: Final = 1024 * 1024

_REFUSED: Final = {
    Refusal.MISSING: answers.SIGNATURE_MISSING,
    Refusal.INVALID: answers.SIGNATURE_INVALID,
    Refusal.STALE: answers.SIGNATURE_STALE,
    Refusal.FUTURE: answers.SIGNATURE_FUTURE,
}


class Intake:
    """The application; ``start`` and ``stop`` belong to the server's lifespan."""

    def __init__(self, *, conninfo: str, sealer: Sealer, trusted_proxies: str = "") -> None:
        self._flusher = Flusher(conninfo)
        self._registry = Registry(conninfo, sealer)
        self._proxies = networks(trusted_proxies)
        self._appearing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Load accounts and begin to write."""
        await self._registry.start()
        await self._flusher.start()

    async def stop(self) -> None:
        """Store what was accepted, then close."""
        if self._appearing:
            await asyncio.wait(self._appearing)
        await self._flusher.stop()
        await self._registry.stop()

    @property
    def ready(self) -> bool:
        """Whether accounts were read at least once."""
        return self._registry.loaded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request below ``/webhooks/stripe/``."""
        endpoint = self.addressed(scope)
        if isinstance(endpoint, Answer):
            await _answer(send, counted(endpoint))
            return
        body = await _body(scope, receive)
        if body is None:
            await _answer(send, counted(answers.BODY_TOO_LARGE))
            return
        told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def done(answer: Answer) -> None:
            if not told.done():
                told.set_result(answer)

        self.take(endpoint, _header(scope, b"stripe-signature"), body, done)
        await _answer(send, await told)

    def addressed(self, scope: Mapping[str, Any]) -> Endpoint | Answer:
        """Whose a request is by its head, or why it is refused; reads what ASGI's scope says of path and peer."""
        endpoint = self._registry.endpoint(scope["path"][len(PREFIX) :].rstrip("/"))
        if endpoint is None:
            return answers.ACCOUNT_UNKNOWN if self._registry.loaded else answers.DATABASE_AWAY
        if scope["method"] != "POST":
            return answers.METHOD_NOT_ALLOWED
        if endpoint.livemode and not encrypted(scope, self._proxies):
            return answers.HTTPS_REQUIRED
        return endpoint

    def take(self, endpoint: Endpoint, signature: str, body: bytes, done: Done) -> None:
        """Verify a body of at most ``MAX_BODY`` bytes and have it stored.

        ``done`` is called once with the counted answer, at once or from the loop after the commit; it must not raise.
        """
        refusal = verify(signature, body, endpoint.secrets, now=clock.unix())
        if refusal is not None:
            done(counted(_REFUSED[refusal]))
            return
        if self._flusher.full():
            done(counted(answers.QUEUE_FULL))
            return
        livemode = endpoint.livemode
        try:
            envelope = envelopes.read(body)
            if envelope.livemode is not livemode and envelope.livemode is not None:
                detail = f"The event is of {mode_name(envelope.livemode)} mode, the account is not."
                raise envelopes.Unusable(Reason.WRONG_MODE, detail)
        except envelopes.Unusable as error:
            job = Job(endpoint.account_id, livemode, signature, body, done, None, error.reason, error.detail)
            self._flusher.submit(job)
            return
        account_id = self._registry.known(endpoint, livemode=livemode, stripe_account_id=envelope.account)
        job = Job(account_id or 0, livemode, signature, body, done, envelope)
        if account_id is not None:
            self._flusher.submit(job)
            return
        task = asyncio.ensure_future(self._appear(endpoint, job, envelope.account or ""))
        self._appearing.add(task)
        task.add_done_callback(self._appearing.discard)

    async def _appear(self, endpoint: Endpoint, job: Job, stripe_account_id: str) -> None:
        """Submit the event of a connected account that is not known yet, when it is."""
        try:
            job.account_id = await self._registry.appear(
                endpoint, livemode=job.livemode, stripe_account_id=stripe_account_id
            )
        except (psycopg.Error, OSError):
            answer = counted(answers.DATABASE_AWAY)
            if job.done is not None:
                job.done(answer)
        else:
            self._flusher.submit(job)


def networks(trusted_proxies: str) -> Networks:
    """The networks in a list separated by commas; ``ValueError`` for what is none."""
    parts = (part.strip() for part in trusted_proxies.split(","))
    return tuple(ipaddress.ip_network(part, strict=False) for part in parts if part)


def encrypted(scope: Mapping[str, Any], proxies: Networks) -> bool:
    """Whether the sender's side of the way was encrypted: our own TLS, or a named proxy that says so.

    Of several words in ``X-Forwarded-Proto``, on one line or on many, the last is the proxy's own; the rest is what it
    was sent.
    """
    if scope.get("scheme") == "https":
        return True
    client = scope.get("client")
    if not client or not proxies or not _within(client[0], proxies):
        return False
    said = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
    return bool(said) and said[-1].rpartition(b",")[2].strip().lower() == b"https"


@functools.lru_cache(maxsize=256)  # The same few proxies come again and again, and reading an address is slow.
def _within(host: str, proxies: Networks) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in proxies)


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


async def _answer(send: Send, answer: Answer) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
    await send({"type": "http.response.body", "body": answer.body})
