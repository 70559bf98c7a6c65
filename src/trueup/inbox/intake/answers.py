"""What the intake answers: made once, and counted by outcome."""

from __future__ import annotations

from typing import Final

import msgspec

from trueup.runtime import metrics

Header = tuple[bytes, bytes]

_JSON: Final = (b"content-type", b"application/json")
_NOSNIFF: Final = (b"x-content-type-options", b"nosniff")
_AGAIN_SOON: Final = (b"retry-after", b"1")


class Answer(msgspec.Struct, frozen=True, eq=False):
    """A whole answer, compared by identity.

    ``outcome`` is its label in the metrics and, for a refusal, its code.
    """

    outcome: str
    status: int
    body: bytes
    headers: tuple[Header, ...]


def counted(answer: Answer, times: int = 1) -> Answer:
    """The answer, written down in the metrics as given so many times."""
    _COUNTERS[answer.outcome].inc(times)
    return answer


def _taken(outcome: str, *, duplicate: bool) -> Answer:
    body = b'{"received": true, "duplicate": true}' if duplicate else b'{"received": true, "duplicate": false}'
    return _whole(outcome, 200, body)


def _refusal(code: str, status: int, message: str, hint: str, *headers: Header) -> Answer:
    body = msgspec.json.encode({"error": {"code": code, "message": message, "hint": hint}})
    return _whole(code, status, body, *headers)


def _whole(outcome: str, status: int, body: bytes, *headers: Header) -> Answer:
    length = (b"content-length", b"%d" % len(body))
    return Answer(outcome, status, body, (_JSON, length, _NOSNIFF, *headers))


STORED: Final = _taken("stored", duplicate=False)
DUPLICATE: Final = _taken("duplicate", duplicate=True)
QUARANTINED: Final = _taken("quarantined", duplicate=False)
QUARANTINED_AGAIN: Final = _taken("quarantined", duplicate=True)

ACCOUNT_UNKNOWN: Final = _refusal(
    "account_unknown",
    404,
    "There is no account at this address.",
    "Check the end of the endpoint's URL: trueup accounts lists the addresses.",
)
METHOD_NOT_ALLOWED: Final = _refusal("method_not_allowed", 405, "Webhooks are sent with POST.", "", (b"allow", b"POST"))
BODY_TOO_LARGE: Final = _refusal(
    "body_too_large", 413, "The body is larger than 1 MiB.", "Stripe never sends that much."
)
SIGNATURE_MISSING: Final = _refusal(
    "signature_missing", 400, "There is no Stripe-Signature header.", "Only Stripe may post here."
)
SIGNATURE_INVALID: Final = _refusal(
    "signature_invalid",
    400,
    "No active secret made this signature.",
    "Compare the endpoint's signing secret with: trueup secrets list",
)
SIGNATURE_STALE: Final = _refusal(
    "signature_stale", 400, "The signature is more than 300 seconds old.", "Check the clocks of both sides."
)
SIGNATURE_FUTURE: Final = _refusal(
    "signature_future", 400, "The signature lies more than 300 seconds ahead.", "Check this host's clock."
)
HTTPS_REQUIRED: Final = _refusal(
    "https_required",
    403,
    "A live account's events are taken over TLS only.",
    "Use --tls-cert and --tls-key, or name the TLS proxy in TRUEUP_TRUSTED_PROXIES.",
)
DATABASE_AWAY: Final = _refusal(
    "database_away", 503, "The event could not be stored.", "Stripe sends it again.", _AGAIN_SOON
)
QUEUE_FULL: Final = _refusal(
    "queue_full", 503, "Too many events wait to be stored.", "Stripe sends it again.", _AGAIN_SOON
)

_ALL: Final = (
    *(STORED, DUPLICATE, QUARANTINED, ACCOUNT_UNKNOWN, METHOD_NOT_ALLOWED, BODY_TOO_LARGE, SIGNATURE_MISSING),
    *(SIGNATURE_INVALID, SIGNATURE_STALE, SIGNATURE_FUTURE, HTTPS_REQUIRED, DATABASE_AWAY, QUEUE_FULL),
)
_COUNTERS: Final = {answer.outcome: metrics.INTAKE_REQUESTS.labels(outcome=answer.outcome) for answer in _ALL}
