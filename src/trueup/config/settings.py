"""Django's settings. Nothing here is for the operator: that is ``runtime.configuration``."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Any, Final

import django_stubs_ext
from csp.constants import NONE, SELF
from psycopg.conninfo import conninfo_to_dict

from trueup.audit import subjects
from trueup.runtime import configuration, crypto, installation

django_stubs_ext.monkeypatch()

_settings = configuration.current()
subjects.sealed_by(installation.sealer)


def _session_key() -> str:
    """The key that signs sessions, derived from the installation's key.

    Commands that run before there is one get a passing key.
    """
    path = _settings.secret_key_file or _settings.home / "secret.key"
    if _settings.secret_key or path.exists():
        key = crypto.load_key(text=_settings.secret_key, path=path)
        return hmac.digest(key, b"django sessions", hashlib.sha256).hex()
    return secrets.token_hex(32)


def _database(url: str) -> dict[str, Any]:
    """Django's description of a PostgreSQL address."""
    given = conninfo_to_dict(url) if url else {"dbname": "trueup"}
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    options: dict[str, Any] = {key: value for key, value in given.items() if key not in known}
    described: dict[str, Any] = {name: str(given.get(key) or "") for key, name in known.items()}
    if os.environ.get("TRUEUP_PROCESS") == "worker":
        # A drain runs the same dozen statements for ever; planning them anew takes longer than running them.
        options["prepare_threshold"] = 1
    if os.environ.get("TRUEUP_PROCESS") == "web":
        # Requests run in short-lived threads under ASGI, so connections outlive them in a pool.
        options["pool"] = {"min_size": 1, "max_size": 12, "timeout": 10, "max_idle": 120}
    return described | {
        "ENGINE": "django.db.backends.postgresql",
        "OPTIONS": options,
        "CONN_MAX_AGE": 0 if "pool" in options else None,
    }


DEBUG: Final = False
SECRET_KEY: Final = _session_key()
DATABASES: Final = {"default": _database(_settings.database_url)}
DEFAULT_AUTO_FIELD: Final = "django.db.models.BigAutoField"

INSTALLED_APPS: Final = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "trueup.audit",
    "trueup.operators",
    "trueup.accounts",
    "trueup.inbox",
    "trueup.mirror",
    "trueup.customer",
    "trueup.notices",
    "trueup.web",
]

MIDDLEWARE: Final = [
    "trueup.web.headers.everywhere",
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django_http_compression.middleware.HttpCompressionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "trueup.web.console.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "trueup.web.requests.RequestMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "trueup.web.console.sessions.SessionMiddleware",
]

ROOT_URLCONF: Final = "trueup.config.urls"
TEMPLATES: Final = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "trueup.web.console.sessions.session_left",
            ],
            "builtins": ["django.templatetags.static", "django.templatetags.i18n"],
        },
    }
]

AUTH_USER_MODEL: Final = "operators.Operator"
AUTHENTICATION_BACKENDS: Final = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS: Final = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL: Final = "console:sign-in"
LOGIN_REDIRECT_URL: Final = "/"
TRUEUP_MFA_REQUIRED: Final = _settings.mfa == "required"

ACCOUNT_ADAPTER: Final = "trueup.web.console.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD: Final = None
ACCOUNT_LOGIN_METHODS: Final = {"email"}
ACCOUNT_SIGNUP_FIELDS: Final = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION: Final = "none"
"""People are made by people here, and never sign up: an address is true because somebody vouched for it."""
ACCOUNT_RATE_LIMITS: Final = False
MFA_RATE_LIMITS: Final = False
"""Attempts are counted by ``operators``, for all processes together; allauth would count in each one's memory."""
MFA_ADAPTER: Final = "trueup.web.console.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES: Final = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED: Final = True
MFA_ALLOW_UNVERIFIED_EMAIL: Final = True
MFA_WEBAUTHN_USER_VERIFICATION: Final = "preferred"

LANGUAGE_CODE: Final = "en"
LANGUAGES: Final = [("en", "English"), ("de", "Deutsch")]
"""What the words exist in; a browser that asks for another language must not be told that it got it."""
LOCALE_PATHS: Final = [Path(configuration.__file__).parents[1] / "web" / "locale"]
"""Looked at before the catalogues of other apps, which have words of the same English for something else."""
TIME_ZONE: Final = "UTC"
USE_TZ: Final = True
USE_I18N: Final = True

STATIC_URL: Final = "/static/"
STATIC_ROOT: Final = _settings.home / "static"
SERVESTATIC_USE_FINDERS: Final = True
SERVESTATIC_AUTOREFRESH: Final = False
SERVESTATIC_ALLOW_ALL_ORIGINS: Final = False

_LOOPBACK: Final = ["localhost", "127.0.0.1", "[::1]", "testserver"]
_named: Final = [part.strip() for part in _settings.allowed_hosts.split(",") if part.strip()]
ALLOWED_HOSTS: Final = [*_LOOPBACK, *_named, *([] if _settings.host in {"0.0.0.0", "::"} else [_settings.host])]  # noqa: S104 - compared
_secure: Final = bool(_settings.tls_cert or _settings.trusted_proxies)
CSRF_TRUSTED_ORIGINS: Final = [f"https://{host}" for host in _named]
_host_only: Final = "__Host-" if _secure else ""
SESSION_COOKIE_NAME: Final = f"{_host_only}trueup_session_{_settings.port}"
"""Installations side by side on one host share cookies across ports, so the name tells them apart.

The prefix, where there is TLS, has browsers refuse a cookie of that name from another host or without TLS.
"""
CSRF_COOKIE_NAME: Final = f"{_host_only}trueup_csrf_{_settings.port}"
SESSION_COOKIE_SECURE: Final = _secure
CSRF_COOKIE_SECURE: Final = _secure
SESSION_COOKIE_HTTPONLY: Final = True
SESSION_COOKIE_AGE: Final = 24 * 60 * 60
"""Longer than any session lives: ``operators.sessions.rules`` says how long, by role."""
SESSION_COOKIE_SAMESITE: Final = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF: Final = True
SECURE_HSTS_SECONDS: Final = 365 * 24 * 60 * 60 if _secure else 0
"""A browser that came over TLS once comes over nothing else for a year."""
SECURE_HSTS_INCLUDE_SUBDOMAINS: Final = True
SECURE_REFERRER_POLICY: Final = "same-origin"
SECURE_PROXY_SSL_HEADER: Final = ("HTTP_X_TRUEUP_SECURE", "1")
"""Set by our own ASGI application after it has checked who the proxy is.

A client's own header of that name is dropped there.
"""
CSRF_FAILURE_VIEW: Final = "trueup.web.console.failures.csrf_failed"
X_FRAME_OPTIONS: Final = "DENY"

CONTENT_SECURITY_POLICY: Final = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

LOGGING_CONFIG: Final = None
SILENCED_SYSTEM_CHECKS: Final[list[str]] = []
