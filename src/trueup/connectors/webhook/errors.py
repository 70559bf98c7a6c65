"""What can go wrong in posting to a webhook."""

from __future__ import annotations

from trueup.kernel.errors import Refused, Unavailable


class WebhookRefused(Refused):
    """The receiver does not want this message, now or later. ``words`` are its own, which may be about somebody."""

    code = "webhook_refused"

    def __init__(self, message: str, *, words: str) -> None:
        super().__init__(message, hint="See at the receiver why it refuses.")
        self.words = words


class WebhookUnavailable(Unavailable):
    """The receiver cannot take it at this moment. ``retry_after`` are the seconds it asks for; 0 where it does not."""

    code = "webhook_unavailable"

    def __init__(self, message: str, *, words: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.words = words
        self.retry_after = retry_after
