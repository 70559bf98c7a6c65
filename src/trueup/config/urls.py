"""Where everything answers; the intake is mounted beside Django, in ``config.asgi``."""

from __future__ import annotations

from typing import Final

from django.urls import include, path

from trueup.web.api.app import api

urlpatterns: Final = [
    path("api/v1/", api.urls),
    path("", include("trueup.web.console.urls")),
    path("", include("trueup.web.console.allauth_names")),
]

handler400 = "trueup.web.console.failures.bad_request"
handler403 = "trueup.web.console.failures.forbidden"
handler404 = "trueup.web.console.failures.not_found"
handler500 = "trueup.web.console.failures.broken"
