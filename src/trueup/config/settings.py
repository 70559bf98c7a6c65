"""Django's settings. Nothing here is for the operator: that is ``runtime.configuration``."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from typing import Any, Final

import django_stubs_ext
from csp.constants import NONE, SELF
from psycopg.conninfo import conninfo_to_dict

from trueup.runtime import configuration, crypto

django_stubs_ext.monkeypatch()

_settings = configuration.current()


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
    "trueup.audit",
    "trueup.operators",
    "trueup.accounts",
    "trueup.inbox",
    "trueup.mirror",
    "trueup.customer",
    "trueup.web",
]

MIDDLEWARE: Final = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django_http_compression.middleware.HttpCompressionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "trueup.web.requests.RequestMiddleware",
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
LOGIN_REDIRECT_URL: Final = "/customers"

LANGUAGE_CODE: Final = "en"
LANGUAGES: Final = [("en", "English")]
"""What the words exist in; a browser that asks for another language must not be told that it got it."""
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
SESSION_COOKIE_NAME: Final = f"trueup_session_{_settings.port}"
"""Installations side by side on one host share cookies across ports, so the name tells them apart."""
CSRF_COOKIE_NAME: Final = f"trueup_csrf_{_settings.port}"
SESSION_COOKIE_SECURE: Final = _secure
CSRF_COOKIE_SECURE: Final = _secure
SESSION_COOKIE_HTTPONLY: Final = True
SESSION_COOKIE_AGE: Final = 12 * 60 * 60
SESSION_COOKIE_SAMESITE: Final = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF: Final = True
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
