"""Posting a message to a webhook: JSON, signed, to the address that was named and to no other."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from trueup.connectors.webhook import signing
from trueup.connectors.webhook.errors import WebhookRefused, WebhookUnavailable
from trueup.runtime import clock, outgoing

_TAKEN: Final = range(200, 300)
_LATER: Final = frozenset({408, 409, 425, 429, *range(500, 600)})
"""Answers after which the same message may be taken later."""
_WORDS: Final = 300


def send(url: str, message: dict[str, Any], *, id: str, secret: str, public_only: bool) -> str:  # noqa: A002
    """Post a message; returns what the receiver said. The same ``id`` tells it that it has the message already.

    ``WebhookRefused`` where trying again cannot help, ``WebhookUnavailable`` and ``Unavailable`` where it can.
    """
    body = msgspec.json.encode(message)
    headers = signing.headers(body, secret=secret, id=id, seconds=clock.unix())
    answer = outgoing.post(url, body, headers={"Content-Type": "application/json", **headers}, public_only=public_only)
    words = said(answer)
    if answer.status in _TAKEN:
        return words
    if answer.status in _LATER:
        told = f"The webhook answered with {answer.status}."
        raise WebhookUnavailable(told, words=words, retry_after=answer.retry_after or 0)
    raise WebhookRefused(f"The webhook answered with {answer.status}.", words=words)


def said(answer: outgoing.Answer) -> str:
    """The status and the beginning of the body, as far as it can be printed."""
    text = answer.body[: 4 * _WORDS].decode("utf-8", "replace")
    words = "".join(sign if sign.isprintable() else " " for sign in text)[:_WORDS].strip()
    return f"{answer.status} {words}".strip()
