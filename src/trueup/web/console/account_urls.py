"""The addresses of signing in and of one's own account; ``urls`` takes them in."""

from __future__ import annotations

from typing import Final

from django.urls import path

from trueup.web.console import account, account_factors, account_password, first_run, sign_in, sign_in_factor, sso
from trueup.web.console.guard import personal, public

ROUTES: Final = [
    path("sign-in", public(sign_in.SignIn.as_view()), name="sign-in"),
    path("sign-in/factor", public(sign_in_factor.factor), name="sign-in-factor"),
    path("sign-in/passkey", public(sign_in.passkey), name="sign-in-passkey"),
    path("sign-in/sso/<int:connection_id>", public(sso.sign_in), name="sso-begin"),
    path("sign-in/sso/<int:connection_id>/callback", public(sso.callback), name="sso-callback"),
    path("sign-in/sso/<int:connection_id>/acs", public(sso.acs), name="sso-acs"),
    path("sign-in/sso/<int:connection_id>/finish", public(sso.finish), name="sso-finish"),
    path("sign-in/sso/<int:connection_id>/metadata", public(sso.metadata), name="sso-metadata"),
    path("account/confirm/sso/<int:connection_id>", personal(sso.confirm, before_factor=True), name="confirm-sso"),
    path("sign-out", public(sign_in.sign_out), name="sign-out"),
    path("set-up", public(first_run.first_run), name="set-up"),
    path("account/confirm", personal(account.confirm, before_factor=True), name="confirm"),
    path("account/confirm/factor", personal(sign_in_factor.confirm), name="confirm-factor"),
    path("account/password", personal(account_password.change), name="password"),
    path("account/security", personal(account.security, before_factor=True), name="security"),
    path("account/security/app", personal(account_factors.app, before_factor=True), name="factor-app"),
    path("account/security/app/remove", personal(account_factors.remove_app), name="factor-app-remove"),
    path("account/security/passkey", personal(account_factors.passkey, before_factor=True), name="factor-passkey"),
    path(
        "account/security/passkey/<int:passkey_id>/rename",
        personal(account_factors.rename_passkey),
        name="factor-passkey-rename",
    ),
    path(
        "account/security/passkey/<int:passkey_id>/remove",
        personal(account_factors.remove_passkey),
        name="factor-passkey-remove",
    ),
    path("account/security/codes", personal(account_factors.codes), name="recovery-codes"),
    path("account/session", personal(account.remaining, before_factor=True, while_viewing=True), name="session"),
    path("account/sessions/end-others", personal(account.end_others), name="sessions-end-others"),
    path("account/sessions/<int:session_id>/end", personal(account.end_session), name="session-end"),
]
