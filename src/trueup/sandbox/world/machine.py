"""The machine's own time: the only place of the sandbox that asks for it."""

from __future__ import annotations

import time


def unix() -> int:
    """The unix second now. Signatures carry it, and a running sandbox goes by it."""
    return int(time.time())  # noqa: TID251 - the sandbox stands apart from runtime


def precise() -> float:
    """The unix time now with its fraction, for waits of less than seconds."""
    return time.time()  # noqa: TID251 - see above
