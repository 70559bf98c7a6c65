"""The names under which allauth looks for pages of ours; each is a page of ``urls`` at the same address.

No page of allauth's own is mounted.
"""

from __future__ import annotations

from typing import Final

from django.urls import path

from trueup.web.console import account, sign_in, sign_in_factor
from trueup.web.console.guard import personal, public

urlpatterns: Final = [
    path("sign-in", public(sign_in.SignIn.as_view()), name="account_login"),
    path("sign-in/factor", public(sign_in_factor.factor), name="mfa_authenticate"),
    path("account/confirm", personal(account.confirm, before_factor=True), name="account_reauthenticate"),
]
