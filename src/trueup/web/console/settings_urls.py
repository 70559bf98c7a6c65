"""The addresses of the settings, of the inbox, and of what goes with them; ``urls`` takes them in."""

from __future__ import annotations

from typing import Final

from django.urls import path

from trueup.operators.permissions import Permission
from trueup.web.console import inbox, invitation
from trueup.web.console.guard import guarded, personal, public
from trueup.web.console.settings import (
    accounts,
    branding,
    configuration,
    frame,
    language,
    roles,
    sso,
    team,
    tokens,
)

_P: Final = Permission


ROUTES: Final = [
    path("inbox", personal(inbox.listing), name="inbox"),
    path("inbox/<int:approval_id>/approve", personal(inbox.approve), name="inbox-approve"),
    path("inbox/<int:approval_id>/reject", personal(inbox.reject), name="inbox-reject"),
    path("inbox/<int:approval_id>/cancel", personal(inbox.cancel), name="inbox-cancel"),
    path("invitation/<str:secret>", public(invitation.welcome), name="invitation"),
    path("branding.css", public(branding.stylesheet), name="branding-css"),
    path("branding/logo", public(branding.picture), name="branding-logo"),
    path("settings", personal(frame.first), name="settings"),
    path("settings/team", guarded(_P.PEOPLE_READ, team.listing), name="settings-team"),
    path("settings/team/invite", guarded(_P.PEOPLE_MANAGE, team.invite), name="settings-invite"),
    path(
        "settings/team/<int:operator_id>",
        guarded(_P.PEOPLE_READ, team.person, changing=_P.PEOPLE_MANAGE),
        name="settings-person",
    ),
    path("settings/team/<int:operator_id>/access", guarded(_P.PEOPLE_MANAGE, team.access), name="settings-access"),
    path("settings/team/<int:operator_id>/out", guarded(_P.PEOPLE_MANAGE, team.deactivate), name="settings-out"),
    path(
        "settings/team/<int:operator_id>/sessions/end",
        guarded(_P.PEOPLE_MANAGE, team.end_sessions),
        name="settings-end-sessions",
    ),
    path(
        "settings/team/<int:operator_id>/factors/reset",
        guarded(_P.PEOPLE_MANAGE, team.reset_factors),
        name="settings-reset-factors",
    ),
    path("settings/team/<int:operator_id>/in", guarded(_P.PEOPLE_MANAGE, team.activate), name="settings-in"),
    path(
        "settings/team/invitations/<int:invitation_id>/renew",
        guarded(_P.PEOPLE_MANAGE, team.renew),
        name="settings-renew",
    ),
    path(
        "settings/team/invitations/<int:invitation_id>/withdraw",
        guarded(_P.PEOPLE_MANAGE, team.withdraw),
        name="settings-withdraw",
    ),
    path("settings/roles", personal(roles.table), name="settings-roles"),
    path("settings/roles/see", guarded(_P.IMPERSONATE, roles.see_as), name="settings-see"),
    path("viewing/end", personal(roles.see_as_oneself, while_viewing=True), name="viewing-end"),
    path("settings/sso", guarded(_P.PEOPLE_READ, sso.listing), name="settings-sso"),
    path("settings/sso/new/<str:kind>", guarded(_P.SSO_MANAGE, sso.new), name="settings-sso-new"),
    path(
        "settings/sso/<int:connection_id>",
        guarded(_P.PEOPLE_READ, sso.detail, changing=_P.SSO_MANAGE),
        name="settings-sso-connection",
    ),
    path("settings/sso/<int:connection_id>/try", guarded(_P.SSO_MANAGE, sso.try_out), name="settings-sso-try"),
    path("settings/sso/<int:connection_id>/on", guarded(_P.SSO_MANAGE, sso.switch_on), name="settings-sso-on"),
    path("settings/sso/<int:connection_id>/off", guarded(_P.SSO_MANAGE, sso.switch_off), name="settings-sso-off"),
    path("settings/sso/<int:connection_id>/refresh", guarded(_P.SSO_MANAGE, sso.refresh), name="settings-sso-refresh"),
    path("settings/sso/<int:connection_id>/remove", guarded(_P.SSO_MANAGE, sso.remove), name="settings-sso-remove"),
    path("settings/team/<int:operator_id>/unlink", guarded(_P.PEOPLE_MANAGE, team.unlink), name="settings-unlink"),
    path("settings/tokens", guarded(_P.TOKENS_MANAGE, tokens.listing), name="settings-tokens"),
    path("settings/tokens/<int:token_id>/rotate", guarded(_P.TOKENS_MANAGE, tokens.rotate), name="settings-rotate"),
    path("settings/tokens/<int:token_id>/revoke", guarded(_P.TOKENS_MANAGE, tokens.revoke), name="settings-revoke"),
    path("settings/accounts", guarded(_P.ACCOUNTS_READ, accounts.listing), name="settings-accounts"),
    path(
        "settings/accounts/<slug:slug>/secrets",
        guarded(_P.ACCOUNTS_CHANGE, accounts.add_secret),
        name="settings-secret-add",
    ),
    path(
        "settings/accounts/<slug:slug>/secrets/<int:secret_id>/retire",
        guarded(_P.ACCOUNTS_CHANGE, accounts.retire_secret),
        name="settings-secret-retire",
    ),
    path(
        "settings/branding",
        guarded(_P.SETTINGS_READ, branding.page, changing=_P.SETTINGS_CHANGE),
        name="settings-branding",
    ),
    path("settings/branding/logo", guarded(_P.SETTINGS_CHANGE, branding.logo), name="settings-logo"),
    path("settings/language", personal(language.page), name="settings-language"),
    path("settings/configuration", guarded(_P.SETTINGS_READ, configuration.page), name="settings-configuration"),
]
