"""What can go wrong with signing in, and with doing what one may not."""

from __future__ import annotations

from datetime import datetime

from trueup.kernel.errors import Forbidden, Refused
from trueup.operators import permissions
from trueup.operators.permissions import Permission


class PermissionMissing(Forbidden):
    """Whoever acts lacks ``permission``; the hint names the roles that have it."""

    code = "permission_missing"

    def __init__(self, permission: Permission) -> None:
        roles = ", ".join(role.value for role in permissions.roles_with(permission))
        super().__init__(
            f"This needs the permission {permission.value}.",
            hint=f"These roles have it: {roles}. Whoever manages people can give you one.",
        )
        self.permission = permission


class SignInThrottled(Refused):
    """Too many sign-ins failed, from one place or for one address; ``retry_at`` is aware UTC."""

    status = 429
    code = "sign_in_throttled"

    def __init__(self, retry_at: datetime) -> None:
        super().__init__(
            "Too many sign-ins have failed.",
            hint=f"Try again at {retry_at:%H:%M} UTC, or set a new password with: trueup operator password",
        )
        self.retry_at = retry_at
