"""The error tree.

TrueupError
├── Refused          the caller's fault: 4xx, never retried, nothing was changed
│   ├── NotFound     the thing named does not exist (404)
│   ├── Conflict     the thing exists already or moved on meanwhile (409)
│   ├── Forbidden    the caller may not do this (403)
│   └── Unauthenticated   no or unknown credentials (401)
├── Unavailable      something outside is away: retried with backoff, 503
└── Broken           ours: an invariant does not hold; somebody is paged, 500

Every error carries a stable ``code`` for machines, a sentence that says what happened to what, and a ``hint`` that says
what to do next. Neither may contain a secret or personal data.
"""

from __future__ import annotations

from typing import ClassVar


class TrueupError(Exception):
    """Base of all our errors; ``str()`` is the sentence a person reads, ``hint`` the next step (may be empty)."""

    status: ClassVar[int] = 500
    code: str = "error"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code


class Refused(TrueupError):
    """The caller asked for something that cannot be done as asked."""

    status = 400
    code = "refused"


class NotFound(Refused):
    """The thing named does not exist."""

    status = 404
    code = "not_found"


class Conflict(Refused):
    """The thing exists already, or changed since the caller looked."""

    status = 409
    code = "conflict"


class Forbidden(Refused):
    """The caller is known and may not do this."""

    status = 403
    code = "forbidden"


class Unauthenticated(Refused):
    """The caller is not known."""

    status = 401
    code = "unauthenticated"


class Unavailable(TrueupError):
    """Something outside did not answer; the same call may succeed later."""

    status = 503
    code = "unavailable"


class Broken(TrueupError):
    """An invariant of ours does not hold; retrying cannot help."""

    status = 500
    code = "broken"
