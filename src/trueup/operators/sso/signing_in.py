"""A sign-in by a provider: somebody is sent there, and comes back with an answer that is held against the question.

Pages call ``begin`` and then, for OpenID Connect, ``answered``. A SAML answer comes from another site, so the browser
does not say who it is: ``received`` checks the answer and gives a ticket, with which ``collected`` goes on once the
browser asks by itself. Every refusal is recorded with its reason.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import system
from trueup.kernel.records import Record
from trueup.operators import service as operators
from trueup.operators import store as people
from trueup.operators.sso import entering, oidc, rules, saml, store
from trueup.operators.sso.errors import SsoRefused
from trueup.operators.sso.types import Connection, Kind, Outcome, Pending, Purpose, Reason, Said
from trueup.runtime import clock, database


class Begun(Record, frozen=True):
    """Somebody who is to be sent away: the number that their browser keeps, and where to."""

    request_id: int
    url: str


class _Kept(Record, frozen=True):
    """What a SAML answer said, until its browser asks."""

    pending: Pending
    said: Said


def begin(
    *, connection: Connection, purpose: Purpose, callback: str, entity: str, target: str, operator_id: int | None
) -> Begun:
    """Note that somebody is sent to a provider. ``callback`` and ``entity`` are our addresses as they are told there.

    ``target`` is where they want to be afterwards, on this host. What the provider cannot be asked raises
    ``Unavailable``; one that is switched off ``SsoRefused``, unless it is only tried.
    """
    if not connection.is_on and purpose is not Purpose.TEST:
        raise SsoRefused(Reason.SWITCHED_OFF)
    now, handle = clock.now(), f"_{secrets.token_urlsafe(32)}"
    pending = Pending(
        id=0,
        connection_id=connection.id,
        purpose=purpose,
        operator_id=operator_id,
        created_at=now,
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        callback=callback,
        entity=entity,
        next=target,
    )
    if connection.kind is Kind.OIDC:
        url = oidc.address(connection, pending, state=handle)
    else:
        url = saml.address(connection, pending, request_id=handle)
    with database.transaction():
        store.forget_requests_before(now - rules.KEPT)
        return Begun(request_id=store.insert_request(pending, handle=_digest(handle)), url=url)


def answered(*, connection: Connection, query: Mapping[str, str], own: Collection[int], client: str) -> Outcome:
    """What comes of an answer of OpenID Connect; ``own`` are the numbers that this browser keeps.

    ``SignInThrottled`` after too many that were refused from ``client``, here and in the two that follow.
    """
    with _recorded(connection, client) as seen:
        pending = _asked(connection, query.get("state", ""))
        seen.append(pending)
        if pending.id not in own:
            raise SsoRefused(Reason.OTHER_BROWSER)
        _use_up(pending)
        said = oidc.answered(
            query, connection=connection, secret=store.secret(connection.id), pending=pending, now=clock.now()
        )
        return entering.enter(pending, connection, said)


def received(*, connection: Connection, posted: str, client: str) -> str:
    """Check a SAML answer; returns the ticket with which its browser goes on."""
    with _recorded(connection, client) as seen:
        now = clock.now()
        answer = saml.opened(posted, connection=connection, now=now)
        pending = _asked(connection, answer.in_response_to)
        seen.append(pending)
        said = saml.said(answer, connection=connection, pending=pending, now=now)
        ticket = secrets.token_urlsafe(32)
        with database.transaction():
            _use_up(pending)
            store.keep_answer(pending.id, _Kept(pending=pending, said=said), ticket=_digest(ticket))
        return ticket


def collected(*, connection: Connection, ticket: str, own: Collection[int], client: str) -> Outcome:
    """What comes of a SAML answer for the browser that asked for it."""
    with _recorded(connection, client) as seen:
        request_id = store.ticketed(_digest(ticket), connection_id=connection.id)
        if request_id is None:
            raise SsoRefused(Reason.UNSOLICITED)
        if request_id not in own:
            raise SsoRefused(Reason.OTHER_BROWSER)
        now = clock.now()
        with database.transaction():
            kept = store.pick_up(request_id, _Kept, since=now - rules.PICKED_UP, now=now)
        if kept is None:
            raise SsoRefused(Reason.REPLAYED)
        seen.append(kept.pending)
        return entering.enter(kept.pending, connection, kept.said)


def _asked(connection: Connection, handle: str) -> Pending:
    """The question that an answer names, if it was not answered before."""
    since = clock.now() - rules.KEPT
    found = store.request(_digest(handle), connection_id=connection.id, since=since) if handle else None
    if found is None:
        raise SsoRefused(Reason.UNSOLICITED)
    pending, is_answered = found
    if is_answered:
        raise SsoRefused(Reason.REPLAYED)
    if pending.created_at <= clock.now() - rules.PATIENCE:
        raise SsoRefused(Reason.TOO_LATE)
    if not connection.is_on and pending.purpose is not Purpose.TEST:
        raise SsoRefused(Reason.SWITCHED_OFF)
    return pending


def _use_up(pending: Pending) -> None:
    if not store.take(pending.id, now=clock.now()):
        raise SsoRefused(Reason.REPLAYED)


def _digest(handle: str) -> bytes:
    # Handles have 256 bits of randomness, so a plain digest cannot be reversed by guessing.
    return hashlib.sha256(handle.encode()).digest()


@contextmanager
def _recorded(connection: Connection, client: str) -> Iterator[list[Pending]]:
    """Record why an answer let nobody in; what it was the answer to is put into the list once it is known.

    Whoever sends one bad answer after the other is not read any more for a while.
    """
    seen: list[Pending] = []
    attempt = operators.begin_sign_in(email=f"sso:{client}", client=client)
    try:
        yield seen
        people.forget_attempts(attempt.ids)
    except SsoRefused as refused:
        after: dict[str, Any] = {
            "reason": refused.reason.value,
            "purpose": seen[0].purpose.value if seen else None,
            "operator": refused.operator_id,
        }
        with database.transaction() as connection_:
            audit.record(
                connection_,
                by=_BY,
                action=Action.SSO_REFUSED,
                object_type="sso_connection",
                object_id=str(connection.id),
                after=after,
            )
        raise


_BY: Final = system("sso")


def as_json(value: Mapping[str, Any]) -> str:
    """Claims as text, for a page."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
