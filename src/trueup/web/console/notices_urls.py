"""The addresses of notifications: one's own, and the team's; ``urls`` takes them in."""

from __future__ import annotations

from typing import Final

from django.urls import path

from trueup.operators.permissions import Permission
from trueup.web.console import notices
from trueup.web.console.guard import guarded, personal

_P: Final = Permission
_OWN: Final = {"team": False}
_TEAM: Final = {"team": True}

ROUTES: Final = [
    path("account/notifications", personal(notices.listing), _OWN, name="account-notifications"),
    path("account/notifications/new", personal(notices.new), _OWN, name="account-notifications-new"),
    path("account/notifications/mail.css", personal(notices.stylesheet), name="notifications-css"),
    path("account/notifications/<int:rule_id>", personal(notices.rule), _OWN, name="account-notifications-rule"),
    path(
        "account/notifications/<int:rule_id>/remove",
        personal(notices.remove),
        _OWN,
        name="account-notifications-remove",
    ),
    path("account/notifications/<int:rule_id>/test", personal(notices.test), _OWN, name="account-notifications-test"),
    path(
        "account/notifications/deliveries/<int:delivery_id>/resend",
        personal(notices.resend),
        _OWN,
        name="account-notifications-resend",
    ),
    path(
        "settings/notifications",
        guarded(_P.SETTINGS_READ, notices.listing),
        _TEAM,
        name="settings-notifications",
    ),
    path(
        "settings/notifications/new",
        guarded(_P.SETTINGS_CHANGE, notices.new),
        _TEAM,
        name="settings-notifications-new",
    ),
    path(
        "settings/notifications/<int:rule_id>",
        guarded(_P.SETTINGS_READ, notices.rule, changing=_P.SETTINGS_CHANGE),
        _TEAM,
        name="settings-notifications-rule",
    ),
    path(
        "settings/notifications/<int:rule_id>/remove",
        guarded(_P.SETTINGS_CHANGE, notices.remove),
        _TEAM,
        name="settings-notifications-remove",
    ),
    path(
        "settings/notifications/<int:rule_id>/test",
        guarded(_P.SETTINGS_CHANGE, notices.test),
        _TEAM,
        name="settings-notifications-test",
    ),
    path(
        "settings/notifications/deliveries",
        guarded(_P.SETTINGS_READ, notices.deliveries),
        name="settings-notifications-deliveries",
    ),
    path(
        "settings/notifications/deliveries/<int:delivery_id>/resend",
        guarded(_P.SETTINGS_CHANGE, notices.resend),
        _TEAM,
        name="settings-notifications-resend",
    ),
]
