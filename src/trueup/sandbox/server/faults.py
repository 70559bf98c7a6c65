"""Faults on demand: requests that get an error, no answer, a broken connection, or a slow answer."""

from __future__ import annotations

from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any, Final, Literal, get_args

import orjson
from msgspec.structs import replace

from trueup.kernel.errors import NotFound, Refused
from trueup.kernel.records import Record
from trueup.sandbox.server.requests import Answer, answered

Kind = Literal["rate_limit", "lock_timeout", "forbidden", "error", "unavailable", "timeout", "drop", "slow"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
_WHOLE: Final = 100

_ERRORS: Final[dict[str, tuple[int, dict[str, Any]]]] = {
    "rate_limit": (
        429,
        {
            "code": "rate_limit",
            "doc_url": "https://docs.stripe.com/error-codes/rate-limit",
            "message": (
                "Request rate limit exceeded. Learn more about rate limits here https://docs.stripe.com/rate-limits."
            ),
            "type": "invalid_request_error",
        },
    ),
    "lock_timeout": (
        429,
        {
            "code": "lock_timeout",
            "doc_url": "https://docs.stripe.com/error-codes/lock-timeout",
            "message": (
                "This object cannot be accessed right now because another API request or Stripe process is currently "
                "accessing it. If you see this error intermittently, retry the request. If you see this error "
                "frequently and are making multiple concurrent requests to a single object, make your requests "
                "serially or at a lower rate."
            ),
            "type": "invalid_request_error",
        },
    ),
    "forbidden": (
        403,
        {
            "message": (
                "The provided key 'rk_test_*********************box' does not have the required permissions for this "
                "endpoint on account 'acct_sandbox'."
            ),
            "type": "invalid_request_error",
        },
    ),
    "error": (500, {"message": "An unknown error occurred", "type": "api_error"}),
    "unavailable": (503, {"message": "Stripe is temporarily unavailable. Please try again.", "type": "api_error"}),
}


SLOW_SECONDS: Final = 2.0
"""How long a slow answer takes that nobody said more of."""


class Fault(Record, frozen=True):
    """A fault to come.

    It meets the next ``times`` requests (None: all) of ``method`` (empty: any) whose path fits ``path`` (``*`` stands
    for anything), or ``percent`` of them as the seed decides. ``done`` has the work done all the same, so that only the
    answer is lost. ``seconds`` is how long ``slow`` waits before the work and ``timeout`` keeps the client waiting.
    ``retry`` is what ``Stripe-Should-Retry`` says; None leaves it out but for 429, which may be retried.
    """

    kind: Kind
    id: int = 0
    times: int | None = 1
    percent: int = _WHOLE
    method: str = ""
    path: str = "*"
    done: bool = False
    seconds: float = 0.0
    retry: bool | None = None
    met: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise Refused(f"{self.kind} is no fault.", code="fault", hint=f"One of: {', '.join(KINDS)}.")
        if not 0 < self.percent <= _WHOLE:
            raise Refused("A percentage is from 1 to 100.", code="fault")
        if (self.times is not None and self.times < 1) or self.seconds < 0:
            raise Refused("Times are 1 or more, and seconds not negative.", code="fault")

    def answer(self) -> Answer | None:
        """The error that the client gets; None where it gets none."""
        if self.kind not in _ERRORS:
            return None
        status, error = _ERRORS[self.kind]
        found = answered(status, orjson.dumps({"error": error}, option=orjson.OPT_INDENT_2), f"req_fault{self.met:09}")
        retry = status == 429 if self.retry is None else self.retry
        headers = {"stripe-should-retry": "true" if retry else "false"} if retry or self.retry is not None else {}
        if self.kind == "rate_limit":
            headers["stripe-rate-limited-reason"] = "global-rate"
        return replace(found, headers={**found.headers, **headers})


class Faults:
    """The faults to come, the first fitting one for each request. The same seed and requests meet the same ones."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._faults: dict[int, Fault] = {}
        self._made = 0
        self._seen: dict[int, int] = {}

    def add(self, fault: Fault) -> Fault:
        """Have a fault from now on."""
        self._made += 1
        made = replace(fault, id=self._made)
        self._faults[made.id] = made
        return made

    def clear(self, fault: int | None = None) -> None:
        """End a fault, or all. Raises ``NotFound`` for one that there is not."""
        if fault is None:
            self._faults.clear()
        elif self._faults.pop(fault, None) is None:
            raise NotFound(f"There is no fault {fault}.", code="no_fault")

    def all(self) -> list[Fault]:
        """Those that are still to come."""
        return list(self._faults.values())

    def meet(self, method: str, path: str) -> Fault | None:
        """The fault that a request meets, which counts it."""
        for fault in self._faults.values():
            if (not fault.method or fault.method.upper() == method) and fnmatchcase(path, fault.path):
                seen = self._seen[fault.id] = self._seen.get(fault.id, 0) + 1
                if self._percent(fault.id, seen) < fault.percent:
                    return self._count(fault)
        return None

    def _count(self, fault: Fault) -> Fault:
        left = None if fault.times is None else fault.times - 1
        met = replace(fault, times=None if left is None else max(left, 1), met=fault.met + 1)
        if left == 0:
            del self._faults[fault.id]
        else:
            self._faults[fault.id] = met
        return met

    def _percent(self, fault: int, seen: int) -> int:
        text = f"{self._seed}\0fault\0{fault}\0{seen}"
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") % _WHOLE
