"""What can go wrong with the first person."""

from __future__ import annotations

from trueup.kernel.errors import Refused


class SetUpRefused(Refused):
    """The code is not the one that was printed."""

    status = 422
    code = "set_up_refused"
