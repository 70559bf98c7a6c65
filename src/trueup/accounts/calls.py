"""Calls to Stripe on behalf of an account: its key, its budget, and another try where that may help."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final, NoReturn

from django.db import connection

from trueup.accounts import budget, registry, service, store
from trueup.accounts.errors import AccountMismatch, AccountUnknown, ApiKeyMissing, CallBudgetSpent
from trueup.accounts.types import Account
from trueup.connectors.stripe import reading
from trueup.connectors.stripe.errors import (
    StripeForbidden,
    StripeMissing,
    StripeNothingUpcoming,
    StripeThrottled,
    StripeUnavailable,
)
from trueup.connectors.stripe.reading import Answer
from trueup.connectors.stripe.resources import endpoint
from trueup.kernel.errors import Broken, TrueupError
from trueup.kernel.records import Record
from trueup.runtime import clock, configuration, installation, logs, metrics

log = logs.get(__name__)

TRIES: Final = 8
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 8.0
"""Seconds between tries: they double from the first to the longest, and each is cut by up to a half at random."""
THROTTLED_SECONDS: Final = 1.0
"""How long nobody calls after a 429 that does not say how long."""
VERIFIED_SECONDS: Final = 3600.0
VERIFIED_ANEW_SECONDS: Final = 60.0
"""How long it is believed that a key is of its account; the shorter where an object is said to be missing."""
CHECK_PATH: Final = "/v1/account"
PREVIEW_PATIENCE: Final = 5.0
"""Seconds that somebody before a page waits for a turn or another try."""


class Lane(StrEnum):
    """Who calls, the most urgent first: whoever comes later leaves room for those before."""

    COMMANDS = "commands"
    EVENTS = "events"
    SWEEP = "sweep"
    BACKFILL = "backfill"


ALLOWED: Final[Mapping[Lane, float]] = {Lane.COMMANDS: 1.0, Lane.EVENTS: 0.75, Lane.SWEEP: 0.5, Lane.BACKFILL: 0.25}
"""The part of the buckets that a lane may empty. While a more urgent one keeps them emptier than that, it waits."""


class Limits(Record, frozen=True):
    """Calls a second that Stripe allows an account, and any one endpoint of it."""

    account: float
    endpoint: float


_verified: dict[int, tuple[bytes, float]] = {}
"""For an account by its id: the digest of the sealed key that was found to be its own, and when."""
_turns: dict[tuple[int, str, Lane], threading.Lock] = {}
_making: Final = threading.Lock()


def owner_of(account: Account) -> Account:
    """The account whose key reads this one: itself, or its platform."""
    return account if account.parent_id is None else service.account(account.parent_id)


def can_read(account: Account) -> bool:
    """Whether there is a key to read this account with: its own, or its platform's."""
    return owner_of(account).has_api_key


def limits_of(owner: Account) -> Limits:
    """What Stripe allows the owner of a key, as the configuration has it."""
    settings = configuration.current()
    if owner.api_base:
        return Limits(account=settings.stripe_limit_elsewhere, endpoint=settings.stripe_limit_elsewhere)
    whole = settings.stripe_limit_live if owner.livemode else settings.stripe_limit_test
    return Limits(account=whole, endpoint=min(whole, settings.stripe_limit_endpoint))


def get(
    account: Account,
    path: str,
    params: Mapping[str, Any] | None = None,
    *,
    lane: Lane,
    patience: float = 60.0,
    stop: threading.Event | None = None,
) -> Answer:
    """GET a path of Stripe's API for an account, a connected one through its platform's key.

    Waits for the budget, and tries again what may be tried again, for at most ``patience`` seconds beside the calls
    themselves, or until ``stop`` is set. Never call it inside a transaction: ``Broken``.

    Raises what ``connectors.stripe.reading.get`` raises, ``CallBudgetSpent`` when it did not get its turn,
    ``ApiKeyMissing`` where there is no key to read with, and ``AccountMismatch`` where the key is of another Stripe
    account than the one that is known. ``StripeMissing`` therefore speaks of this account.
    """
    call = _begun(account, lane=lane, patience=patience, stop=stop)
    try:
        return call.get(path, params, stripe_account=_connected(account))
    except StripeMissing:
        call.verify(VERIFIED_ANEW_SECONDS)
        raise


def preview(account: Account, params: Mapping[str, Any], *, patience: float = PREVIEW_PATIENCE) -> Answer:
    """The invoice that would come, as Stripe works it out from ``params``; it keeps nothing, so any key may that reads.

    Somebody waits for it: it goes in the lane of commands. As for ``get``, and ``StripeNothingUpcoming`` where there
    would be none. A restricted key may lack the permission: ``StripeForbidden`` names it where Stripe does.
    """
    call = _begun(account, lane=Lane.COMMANDS, patience=patience, stop=None)
    return call.preview(params, stripe_account=_connected(account))


def _begun(account: Account, *, lane: Lane, patience: float, stop: threading.Event | None) -> _Call:
    """A call of whoever owns the key, which is known to be its own."""
    if connection.in_atomic_block:
        raise Broken("Stripe was to be asked inside a transaction.", code="call_in_transaction")
    call = _Call(owner_of(account), lane=lane, until=clock.monotonic() + patience, stop=stop or threading.Event())
    call.verify(VERIFIED_SECONDS)
    return call


def _connected(account: Account) -> str | None:
    """Whom a call means: a connected account, by Stripe's id; None for the key's own."""
    return None if account.parent_id is None else account.stripe_account_id


class _Call:
    """One call of somebody's, with the tries it takes."""

    def __init__(self, owner: Account, *, lane: Lane, until: float, stop: threading.Event) -> None:
        self._owner = owner
        self._lane = lane
        self._until = until
        self._stop = stop
        self._limits = limits_of(owner)
        self._sealed = store.sealed_key(owner.id)

    def verify(self, seconds: float) -> None:
        """Make sure that the key is of this account, unless that was found within so many seconds."""
        owner = self._owner
        if owner.stripe_account_id is None or self._sealed is None:
            return
        digest = hashlib.sha256(self._sealed).digest()
        known = _verified.get(owner.id)
        if known is not None and known[0] == digest and clock.monotonic() - known[1] < seconds:
            return
        try:
            told = json.loads(self.get(CHECK_PATH).body).get("id")
        except StripeForbidden:
            # A restricted key need not be allowed to read the account.
            told = owner.stripe_account_id
        if told != owner.stripe_account_id:
            _verified.pop(owner.id, None)
            raise AccountMismatch(
                f"The API key of {owner.slug} is of {told}, and {owner.slug} is {owner.stripe_account_id}.",
                hint=f"Nothing was read with it. Connect {owner.slug} with a key of its own account.",
            )
        _verified[owner.id] = (digest, clock.monotonic())

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, stripe_account: str | None = None) -> Answer:
        """Ask, again where that may help, as long as there is time."""
        return self._tried(endpoint(path), partial(reading.get, path, params), stripe_account)

    def preview(self, params: Mapping[str, Any], *, stripe_account: str | None) -> Answer:
        """The same for the one POST that reads."""
        return self._tried(f"POST {reading.PREVIEW}", partial(reading.preview, params), stripe_account)

    def _tried(self, asked: str, ask: Callable[..., Answer], stripe_account: str | None) -> Answer:
        for attempt in range(TRIES):
            self._take_turn(asked)
            try:
                answer = ask(api_key=self._key(), api_base=self._owner.api_base, stripe_account=stripe_account)
            except (StripeThrottled, StripeUnavailable) as error:
                self._count("throttled" if isinstance(error, StripeThrottled) else "unavailable")
                pause = self._pause(asked, error, attempt)
                if error.final or attempt == TRIES - 1 or not self._wait(pause):
                    raise
            except TrueupError as error:
                missing = isinstance(error, (StripeMissing, StripeNothingUpcoming))
                self._count("missing" if missing else "refused")
                raise
            else:
                self._count("answered")
                return answer
        raise AssertionError

    def _key(self) -> str:
        """The key in clear, for one try."""
        if self._sealed is None:
            raise ApiKeyMissing(
                f"{self._owner.slug} has no API key to read with.", hint="Add one: trueup connect --api-key"
            )
        return installation.sealer().open(self._sealed, purpose=registry.KEY_PURPOSE).decode()

    def _take_turn(self, asked: str) -> None:
        """Take a token, waiting for it; of the threads of a process that want the same, one asks at a time."""
        with _making:
            turn = _turns.setdefault((self._owner.id, asked, self._lane), threading.Lock())
        begun = clock.monotonic()
        if not turn.acquire(timeout=max(self._until - begun, 0.0)):
            self._spent()
        try:
            while not (taking := self._take(asked)).granted:
                # Others look at the same moment; who is a little later finds the next one.
                if not self._wait(taking.wait * random.uniform(1.0, 1.1) + 0.001):  # noqa: S311 - no secret
                    self._spent()
        finally:
            turn.release()
        metrics.STRIPE_WAIT_SECONDS.labels(self._lane.value).observe(clock.monotonic() - begun)

    def _take(self, asked: str) -> budget.Taking:
        return budget.take(
            self._owner.id,
            asked,
            lane=self._lane.value,
            account_limit=self._limits.account,
            endpoint_limit=self._limits.endpoint,
            allowed=ALLOWED[self._lane],
        )

    def _spent(self) -> NoReturn:
        self._count("no_turn")
        raise CallBudgetSpent(
            f"The calls to Stripe that {self._owner.slug} may make are spent for now.",
            hint="It is tried again; trueup limits shows what is left.",
        )

    def _pause(self, asked: str, error: StripeThrottled | StripeUnavailable, attempt: int) -> float:
        """Seconds until the next try; an answer that speaks of a limit slows everybody down."""
        pause = min(FIRST_PAUSE * float(2**attempt), LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        if isinstance(error, StripeThrottled) and error.is_limit:
            held = error.retry_after or THROTTLED_SECONDS
            narrow = asked if error.of_endpoint else ""
            budget.slow_down(self._owner.id, narrow, cause=error.reason or "429", pause=held)
            log.warning(
                "stripe.throttled", account=self._owner.slug, endpoint=narrow, reason=error.reason, seconds=held
            )
            # Everybody's bucket is closed meanwhile, and so is ours.
            return 0.0
        return max(pause, error.retry_after)

    def _wait(self, seconds: float) -> bool:
        """Wait; False where there is not that much time left, or it is to stop."""
        return clock.monotonic() + seconds <= self._until and not self._stop.wait(seconds)

    def _count(self, outcome: str) -> None:
        metrics.STRIPE_CALLS.labels(self._lane.value, outcome).inc()


class Limit(Record, frozen=True):
    """What is left of one limit, of an account or of one endpoint.

    ``per_second`` is Stripe's limit and ``now`` what of it is used at the moment: less after a 429, for a while.
    ``left`` is how many calls each lane may make at once. ``throttled`` counts answers of 429, of which ``cause`` is
    the last one's reason; ``calls`` counts calls by lane. They begin anew when the database crashed.
    """

    account: str
    endpoint: str
    """Empty for the whole account, else such as ``GET /v1/invoices/{id}``."""
    per_second: float
    now: float
    left: Mapping[str, int]
    throttled_until: datetime | None
    throttled: int
    cause: str
    calls: Mapping[str, int]
    free: bool = True
    """Nobody used or slowed it so lately that it would show: all of it is there."""


class LimitList(Record, frozen=True):
    """What is left of every limit."""

    data: tuple[Limit, ...]


def limits(account: str = "") -> LimitList:
    """What is left of every limit, by account and endpoint; of one account only, given its slug."""
    owners = {one.id: one for one in service.accounts() if one.parent_id is None and account in {"", one.slug}}
    if account and not owners:
        raise AccountUnknown(
            f"No key of an account {account} is used.", hint="A connected account uses its platform's: trueup accounts"
        )
    found = {(bucket.account_id, bucket.endpoint): bucket for bucket in budget.buckets()}
    for owner in owners.values():
        if owner.has_api_key:
            found.setdefault((owner.id, ""), budget.full(owner.id))
    used = [bucket for _key, bucket in sorted(found.items()) if bucket.account_id in owners]
    return LimitList(data=tuple(_limit(owners[bucket.account_id], bucket) for bucket in used))


def _limit(owner: Account, bucket: budget.Bucket) -> Limit:
    told = limits_of(owner)
    per_second = told.endpoint if bucket.endpoint else told.account
    return Limit(
        account=owner.slug,
        endpoint=bucket.endpoint,
        per_second=per_second,
        now=round(per_second * bucket.share, 2),
        left={lane.value: bucket.left(per_second, allowed=ALLOWED[lane]) for lane in Lane},
        throttled_until=bucket.held_until,
        throttled=bucket.throttled,
        cause=bucket.cause,
        calls={lane.value: bucket.taken.get(lane.value, 0) for lane in Lane},
        free=bucket.held_until is None and bucket.full_in <= 0 and bucket.share >= 1,
    )
