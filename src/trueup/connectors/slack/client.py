"""Posting to a channel of Slack by an incoming webhook, whose address is the secret.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: ``200`` and ``ok``, else a word that says why
not. https://docs.slack.dev/apis/web-api/rate-limits: one message a second for a webhook, then ``429``.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from trueup.connectors.slack.errors import SlackRefused, SlackUnavailable
from trueup.runtime import outgoing

_OK: Final = 200
_BUSY: Final = 429
_BROKEN: Final = 500
_WORDS: Final = 200
_HINTS: Final = {
    "no_service": "The incoming webhook was removed in Slack. Make another and save its address.",
    "no_team": "The workspace of the webhook is gone.",
    "invalid_token": "The address is not whole. Copy it from Slack again.",
    "channel_not_found": "The channel of the webhook is gone. Make another webhook.",
    "channel_is_archived": "The channel of the webhook is archived. Make another webhook.",
    "action_prohibited": "An admin of the workspace forbade messages from outside.",
    "posting_to_general_channel_denied": "Whoever made the webhook may not write to that channel.",
}
"""What to do about words of Slack's."""


def send(url: str, message: dict[str, Any], *, public_only: bool) -> str:
    """Post a message (``text`` and ``blocks``); returns Slack's word.

    ``SlackRefused`` where trying again cannot help, ``SlackUnavailable`` and ``Unavailable`` where it can.
    """
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = outgoing.post(url, msgspec.json.encode(message), headers=headers, public_only=public_only)
    text = answer.body[: 4 * _WORDS].decode("utf-8", "replace")
    words = "".join(sign if sign.isprintable() else " " for sign in text)[:_WORDS].strip()
    said = f"{answer.status} {words}".strip()
    if answer.status == _OK:
        return said
    if answer.status == _BUSY or answer.status >= _BROKEN:
        raise SlackUnavailable(f"Slack answered with {answer.status}.", words=said, retry_after=answer.retry_after or 0)
    raise SlackRefused(f"Slack answered with {answer.status}.", words=said, hint=_HINTS.get(words, ""))


def escaped(text: str) -> str:
    """Text as Slack's markup takes it: its three signs stand for themselves, and nobody is mentioned by it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
