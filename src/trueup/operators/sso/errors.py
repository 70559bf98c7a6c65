"""What can go wrong with single sign-on."""

from __future__ import annotations

from trueup.kernel.errors import Forbidden, Refused
from trueup.operators.sso.types import Reason


class SsoRefused(Forbidden):
    """A provider's answer lets nobody in; ``reason`` says why."""

    code = "sso_refused"

    def __init__(self, reason: Reason, *, operator_id: int | None = None) -> None:
        super().__init__(f"Single sign-on was refused: {reason.value}.", hint="The audit log has an entry of it.")
        self.reason = reason
        self.operator_id = operator_id


class SsoInvalid(Refused):
    """What somebody set about a connection cannot be used."""

    status = 422
    code = "sso_invalid"
