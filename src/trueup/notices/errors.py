"""What can go wrong with notices."""

from __future__ import annotations

from trueup.kernel.errors import NotFound, Refused


class RuleInvalid(Refused):
    """A rule cannot be as it was asked for."""

    code = "notice_rule_invalid"


class RuleUnknown(NotFound):
    """There is no such rule, or it is somebody else's."""

    code = "notice_rule_unknown"


class DeliveryUnknown(NotFound):
    """There is no such delivery, or it is somebody else's."""

    code = "notice_delivery_unknown"
