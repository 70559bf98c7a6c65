"""What can go wrong in posting to Slack."""

from __future__ import annotations

from trueup.kernel.errors import Refused, Unavailable


class SlackRefused(Refused):
    """Slack does not take the message, now or later. ``words`` are Slack's own."""

    code = "slack_refused"

    def __init__(self, message: str, *, words: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.words = words


class SlackUnavailable(Unavailable):
    """Slack cannot take it at this moment. ``retry_after`` are the seconds it asks for; 0 where it does not say."""

    code = "slack_unavailable"

    def __init__(self, message: str, *, words: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.words = words
        self.retry_after = retry_after
