"""What can go wrong with second factors."""

from __future__ import annotations

from trueup.kernel.errors import Refused


class FactorRefused(Refused):
    """The code or passkey is not the right one, or was used already."""

    status = 422
    code = "factor_refused"
