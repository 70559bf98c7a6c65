"""Whether an account's key, clock and webhook endpoint let Trueup see all that it needs to see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.accounts.calls import CHECK_PATH, Lane
from trueup.accounts.errors import AccountMismatch, ApiKeyMissing
from trueup.accounts.types import Account
from trueup.connectors.stripe.client import API_VERSION
from trueup.connectors.stripe.errors import StripeForbidden, StripePathUnknown, StripeRefused, StripeUnauthorized
from trueup.connectors.stripe.resources import BACKFILL, EVENTS, RESOURCES, Resource
from trueup.inbox.intake.app import PREFIX
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.sweep.types import Endpoint, EndpointState
from trueup.kernel.errors import NotFound
from trueup.kernel.modes import mode_name
from trueup.kernel.records import Record
from trueup.runtime import clock

CLOSE_SECONDS: Final = 5
TOLERANCE_SECONDS: Final = 300
"""Clocks that are so far apart: of no consequence, and too far for signatures, which Stripe's libraries refuse then."""
NOTICES: Final = frozenset(
    {
        "invoice.upcoming",
        "invoice.will_be_due",
        "customer.subscription.trial_will_end",
        "subscription_schedule.expiring",
        "test_helpers.test_clock.advancing",
        "test_helpers.test_clock.internal_failure",
    }
)
"""Types that tell of no change: who does not get them misses nothing of the state."""
CLOCKS: Final = "test_helpers.test_clock"
DESTINATIONS: Final = "/v2/core/event_destinations"
KEY_FORM: Final = "https://dashboard.stripe.com/apikeys/create"
WHY_REFUSED: Final = "Look for this call in Stripe's dashboard, under Developers, Logs: it says why."
ALWAYS: Final = ("rak_event_read", "rak_webhook_read")


class Verdict(StrEnum):
    """What was found of one thing."""

    FINE = "fine"
    DOUBTFUL = "doubtful"
    """It works, and not as it should; or it does not matter much."""
    WRONG = "wrong"
    """Something needed is missing."""
    UNKNOWN = "unknown"
    """It could not be told."""


class Finding(Record, frozen=True):
    """One thing that was looked at: in which ``area``, what was found, and what to do about it."""

    area: str
    name: str
    verdict: Verdict
    told: str
    hint: str = ""


class Check(Record, frozen=True):
    """All that was looked at. ``passed`` says that nothing needed is missing.

    ``key_form`` leads to Stripe's form for a new restricted key, with the permissions that are known by name filled in;
    it is empty where none is missing.
    """

    account: str
    livemode: bool
    stripe_account_id: str | None
    passed: bool
    findings: tuple[Finding, ...]
    key_form: str = ""


class _Page(msgspec.Struct):
    data: list[dict[str, Any]] = []


Step = Callable[[str], None]


def check(slug: str, *, on_step: Step = lambda _: None) -> Check:
    """Look at everything, about thirty calls to Stripe. Changes nothing.

    ``on_step`` is told what is looked at next. Raises ``NotFound`` for an account that there is not, and
    ``Unavailable`` where Stripe does not answer.
    """
    account = next((one for one in accounts.accounts() if one.slug == slug), None)
    if account is None:
        raise NotFound(f"There is no account {slug}.", code="account_unknown", hint="List them with: trueup accounts")
    findings = tuple(_Looking(account, on_step).findings())
    forbidden = any(one.area == "read" and one.verdict is Verdict.WRONG for one in findings)
    return Check(
        account=account.slug,
        livemode=account.livemode,
        stripe_account_id=account.stripe_account_id,
        passed=all(one.verdict is not Verdict.WRONG for one in findings),
        findings=findings,
        key_form=_form() if forbidden else "",
    )


def steps() -> int:
    """How many steps ``check`` tells of at most."""
    return len(BACKFILL) + 4


class _Looking:
    """One look at an account."""

    def __init__(self, account: Account, on_step: Step) -> None:
        self._account = account
        self._on_step = on_step
        self._apart: list[int] = []
        self._modes: set[bool] = set()
        self._first: dict[str, str] = {}

    def findings(self) -> Iterator[Finding]:
        """What there is to say, the key first; of a key that cannot be used nothing more."""
        key = self._key()
        yield key
        if key.verdict is Verdict.WRONG:
            return
        for name in BACKFILL:
            if name != CLOCKS or not self._account.livemode:
                yield self._resource(RESOURCES[name])
        yield self._list("event", EVENTS, {}, permission="rak_event_read")
        yield self._mode()
        yield self._clock()
        if self._account.parent_id is None:
            yield from self._endpoint()
            yield self._secrets()

    def _get(self, path: str, params: dict[str, Any]) -> bytes:
        self._on_step(path)
        before = clock.unix()
        answer = calls.get(self._account, path, params, lane=Lane.COMMANDS)
        self._apart.append(answer.second - before)
        return answer.body

    def _key(self) -> Finding:
        name = "API key"
        try:
            self._get(CHECK_PATH, {})
        except StripeForbidden:
            told = "It may not read the account, so that nobody can prove whose it is."
            hint = "Nothing else needs it: an object that is missing is believed to be."
            return Finding("key", name, Verdict.DOUBTFUL, told, hint)
        except (ApiKeyMissing, AccountMismatch, StripeRefused) as error:
            return Finding("key", name, Verdict.WRONG, error.message, error.hint or self._address())
        return Finding("key", name, Verdict.FINE, f"Stripe takes it, for {self._account.stripe_account_id or 'it'}.")

    def _address(self) -> str:
        """What to do where even the account's own path is refused: whoever answers may not be Stripe."""
        base = self._account.api_base
        if base is None:
            return WHY_REFUSED
        return f"See whether {base} is Stripe's API or a sandbox; another address: trueup connect --api-base"

    def _resource(self, resource: Resource) -> Finding:
        parent = self._first.get(resource.parent.object_type, "") if resource.parent is not None else ""
        asked = resource.many(parent=parent)
        if not asked:
            within = resource.parent.object_type if resource.parent is not None else ""
            told = f"It is listed within a {within}, and there is none yet."
            hint = f"Nothing now; ask again when there is a {within}."
            return Finding("read", resource.object_type, Verdict.UNKNOWN, told, hint)
        path, params = asked[0]
        return self._list(resource.object_type, path, params, permission=resource.permission)

    def _list(self, name: str, path: str, params: dict[str, str], *, permission: str) -> Finding:
        try:
            body = self._get(path, {**params, "limit": 1})
        except StripeForbidden as error:
            lacks = error.permission or permission
            return Finding("read", name, Verdict.WRONG, error.message, f"Give it {lacks}." if lacks else error.hint)
        except StripeUnauthorized as error:
            return Finding("read", name, Verdict.WRONG, error.message, error.hint)
        except StripePathUnknown as error:
            # Not offered to this account, or not by this address: there is nothing to miss.
            hint = "Nothing, unless you use it: this account, or this sandbox, does not have it."
            return Finding("read", name, Verdict.UNKNOWN, error.message, hint)
        except (StripeRefused, NotFound) as error:
            hint = error.hint or WHY_REFUSED
            return Finding("read", name, Verdict.UNKNOWN, error.message, hint)
        for one in msgspec.json.decode(body, type=_Page).data:
            self._first.setdefault(name, str(one.get("id", "")))
            if isinstance(one.get("livemode"), bool):
                self._modes.add(one["livemode"])
        return Finding("read", name, Verdict.FINE, "It can be read.")

    def _mode(self) -> Finding:
        word = mode_name(self._account.livemode)
        if not self._modes:
            hint = "Nothing now; ask again when there is an object."
            return Finding("key", "mode", Verdict.UNKNOWN, "There is no object yet to tell the mode.", hint)
        if self._modes == {self._account.livemode}:
            return Finding("key", "mode", Verdict.FINE, f"Objects are of {word} mode.")
        hint = "Connect the other mode under another name."
        return Finding("key", "mode", Verdict.WRONG, f"The account is of {word} mode, and objects are not.", hint)

    def _clock(self) -> Finding:
        apart = min(self._apart, key=abs)
        told = f"Stripe's clock and ours are {abs(apart)} s apart."
        if abs(apart) <= CLOSE_SECONDS:
            return Finding("clock", "clock", Verdict.FINE, told)
        if self._account.api_base is not None:
            return Finding(
                "clock", "clock", Verdict.DOUBTFUL, told, "A sandbox has a clock of its own; Stripe has not."
            )
        verdict = Verdict.DOUBTFUL if abs(apart) < TOLERANCE_SECONDS else Verdict.WRONG
        return Finding("clock", "clock", verdict, told, "Set this host's clock by NTP; signatures depend on it.")

    def _endpoint(self) -> Iterator[Finding]:
        self._on_step("/v1/webhook_endpoints")
        try:
            found = sweeps.endpoint(self._account)
        except StripeRefused as error:
            hint = error.hint or "Look in Stripe's dashboard, under Webhooks, whether one leads here."
            yield Finding("endpoint", "endpoint", Verdict.UNKNOWN, error.message, hint)
            return
        if found.state is EndpointState.UNREADABLE:
            told, hint = "The API key may not read endpoints.", "Give it rak_webhook_read to have it watched."
            yield Finding("endpoint", "endpoint", Verdict.DOUBTFUL, told, hint)
        elif found.state is EndpointState.ENABLED:
            yield Finding("endpoint", "endpoint", Verdict.FINE, f"{found.url} is enabled.")
            yield self._version(found)
            yield self._events(found)
        elif found.state is EndpointState.DISABLED:
            hint = "Enable it in Stripe's dashboard; what it missed the sweep finds."
            yield Finding("endpoint", "endpoint", Verdict.WRONG, f"{found.url} is disabled.", hint)
        elif self._destined():
            yield Finding("endpoint", "endpoint", Verdict.FINE, "An event destination leads here.")
        else:
            told = f"No endpoint leads to {PREFIX}{self._account.slug}; {found.others} lead elsewhere."
            yield Finding("endpoint", "endpoint", Verdict.WRONG, told, "Add one in Stripe's dashboard, for all events.")

    def _destined(self) -> bool:
        """Whether an event destination, Stripe's newer kind of endpoint, leads here and is enabled."""
        self._on_step(DESTINATIONS)
        try:
            answer = calls.get(self._account, DESTINATIONS, {"include": ["webhook_endpoint.url"]}, lane=Lane.COMMANDS)
        except (StripeRefused, NotFound):
            return False
        told = msgspec.json.decode(answer.body, type=_Page).data
        urls = (str((one.get("webhook_endpoint") or {}).get("url")) for one in told if one.get("status") == "enabled")
        return any(urlsplit(url).path.rstrip("/").endswith(f"{PREFIX}{self._account.slug}") for url in urls)

    def _version(self, found: Endpoint) -> Finding:
        if found.api_version == API_VERSION:
            return Finding("endpoint", "API version", Verdict.FINE, f"Events are of {API_VERSION}.")
        told = f"Events are of {found.api_version or 'the account default'}, and we read {API_VERSION}."
        hint = "They are brought to the newest shape; an endpoint pinned to it spares that."
        return Finding("endpoint", "API version", Verdict.DOUBTFUL, told, hint)

    def _events(self, found: Endpoint) -> Finding:
        if "*" in found.events:
            return Finding("endpoint", "events", Verdict.FINE, "It is sent all events.")
        missing = [name for name in needed_events() if name not in found.events]
        if not missing:
            return Finding("endpoint", "events", Verdict.FINE, "It is sent all events that are needed.")
        told = f"It is not sent {len(missing)} of the types that are needed: {', '.join(missing)}."
        return Finding("endpoint", "events", Verdict.WRONG, told, "Have it sent all events.")

    def _secrets(self) -> Finding:
        number = len(accounts.webhook_secrets(self._account.slug))
        if number:
            return Finding("endpoint", "signing secret", Verdict.FINE, f"{number} active.")
        hint = f"Add it: trueup secrets add {self._account.slug}"
        return Finding("endpoint", "signing secret", Verdict.WRONG, "There is none: everything is refused.", hint)


def needed_events() -> Iterable[str]:
    """The types of events that tell of what is read when an account is connected, without mere notices."""
    return sorted({name for kind in BACKFILL for name in RESOURCES[kind].events} - NOTICES)


def _form() -> str:
    names = dict.fromkeys([*(RESOURCES[kind].permission for kind in BACKFILL), *ALWAYS])
    pairs = [("name", "Trueup"), *(("permissions[]", name) for name in names if name)]
    return f"{KEY_FORM}?{urlencode(pairs, safe='[]')}"
