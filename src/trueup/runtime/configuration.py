"""What the operator sets: environment variables over an optional file, validated once, errors naming the variable.

The file is ``TRUEUP_HOME/trueup.toml`` or the one that ``TRUEUP_CONFIG`` names; its keys are the variables' names in
lower case without ``TRUEUP_`` (``database_url`` for ``DATABASE_URL``). The environment wins over the file.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from typing_extensions import override

from trueup.kernel.errors import Refused
from trueup.runtime.outside import Address, Mailbox, SmtpAddress, Witnesses

VARIABLES: Final = {
    "home": "TRUEUP_HOME",
    "host": "TRUEUP_HOST",
    "port": "TRUEUP_PORT",
    "database_url": "DATABASE_URL",
    "secret_key": "TRUEUP_SECRET_KEY",
    "secret_key_file": "TRUEUP_SECRET_KEY_FILE",
    "trusted_proxies": "TRUEUP_TRUSTED_PROXIES",
    "tls_cert": "TRUEUP_TLS_CERT",
    "tls_key": "TRUEUP_TLS_KEY",
    "allowed_hosts": "TRUEUP_ALLOWED_HOSTS",
    "mfa": "TRUEUP_MFA",
    "log_format": "TRUEUP_LOG_FORMAT",
    "log_level": "TRUEUP_LOG_LEVEL",
    "identity_keys": "TRUEUP_IDENTITY_KEYS",
    "metadata_rules": "TRUEUP_METADATA_RULES",
    "stripe_limit_live": "TRUEUP_STRIPE_LIMIT_LIVE",
    "stripe_limit_test": "TRUEUP_STRIPE_LIMIT_TEST",
    "stripe_limit_endpoint": "TRUEUP_STRIPE_LIMIT_ENDPOINT",
    "stripe_limit_elsewhere": "TRUEUP_STRIPE_LIMIT_ELSEWHERE",
    "backup_dir": "TRUEUP_BACKUP_DIR",
    "backup_keep": "TRUEUP_BACKUP_KEEP",
    "reconcile_hour": "TRUEUP_RECONCILE_HOUR",
    "reconcile_repair": "TRUEUP_RECONCILE_REPAIR",
    "audit_dir": "TRUEUP_AUDIT_DIR",
    "audit_signer": "TRUEUP_AUDIT_SIGNER",
    "audit_vault_token_file": "TRUEUP_AUDIT_VAULT_TOKEN_FILE",
    "audit_key_overlap_days": "TRUEUP_AUDIT_KEY_OVERLAP_DAYS",
    "audit_keep_years": "TRUEUP_AUDIT_KEEP_YEARS",
    "audit_witnesses": "TRUEUP_AUDIT_WITNESSES",
    "audit_tsa_url": "TRUEUP_AUDIT_TSA_URL",
    "audit_tsa_certificates": "TRUEUP_AUDIT_TSA_CERTIFICATES",
    "audit_checkpoint_webhook": "TRUEUP_AUDIT_CHECKPOINT_WEBHOOK",
    "audit_checkpoint_webhook_secret": "TRUEUP_AUDIT_CHECKPOINT_WEBHOOK_SECRET",
    "audit_checkpoint_mailbox": "TRUEUP_AUDIT_CHECKPOINT_MAILBOX",
    "smtp_url": "TRUEUP_SMTP_URL",
    "four_eyes": "TRUEUP_FOUR_EYES",
    "sso_networks": "TRUEUP_SSO_NETWORKS",
    "public_url": "TRUEUP_PUBLIC_URL",
    "notices_private": "TRUEUP_NOTICES_PRIVATE",
}
"""Field to the environment variable that sets it."""
IDENTITY_KEY: Final = re.compile(r"[^\s=,]+ *= *(user|organization|email|crm:[a-z0-9_-]{1,40})")
AUDIT_SIGNER: Final = re.compile(
    r"file|vault:https?://[^\s/@]+/[^\s?#]+/[A-Za-z0-9_.-]+|kms:[a-z0-9-]+/[A-Za-z0-9:/_-]+(,[A-Za-z0-9:/_-]+)*"
)
METADATA_RULE: Final = re.compile(r"[^\s:;]+ *: *(required|unique|pattern=.+)")


def networks(named: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Addresses and networks, separated by commas; ``ValueError`` for what is neither."""
    parts = (part.strip() for part in named.split(","))
    return tuple(ipaddress.ip_network(part, strict=False) for part in parts if part)


class ConfigurationInvalid(Refused):
    """A setting cannot be used as it stands."""

    code = "configuration_invalid"


class Configuration(BaseSettings):
    """All settings with their defaults. Durations are in seconds where a unit is not named."""

    model_config = SettingsConfigDict(env_prefix="TRUEUP_", extra="forbid", frozen=True)

    home: Path = Field(default_factory=lambda: Path.home() / ".trueup")
    """Folder for the embedded database, the key file and logs."""
    host: str = "127.0.0.1"
    """Address to listen on; anything but loopback has to be asked for here."""
    port: int = Field(default=8000, ge=1, le=65535)
    """The one port of ``trueup up``; ``trueup web`` and ``trueup intake`` take it too."""
    database_url: str = Field(default="", repr=False)
    """A PostgreSQL 15+ address; empty means the embedded server in ``home``."""
    secret_key: str = Field(default="", repr=False)
    """32 bytes in base64 that encrypt keys and secrets at rest; empty means ``secret_key_file``."""
    secret_key_file: Path | None = None
    """A file of mode 0600 with the same; default ``home/secret.key``, made at the first start."""
    trusted_proxies: str = ""
    """Addresses or networks, separated by commas, whose ``X-Forwarded-*`` headers are believed."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    allowed_hosts: str = ""
    """Host names, separated by commas, that browsers may use besides loopback and ``host``."""
    mfa: Literal["required", "optional"] = "required"
    """Whether everybody who may change something needs a second factor; ``optional`` is for a first look."""
    log_format: Literal["auto", "json", "text"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    identity_keys: str = ""
    """Which metadata keys hold which ids, such as ``user_id=user,org_id=organization,sf_id=crm:salesforce``."""
    metadata_rules: str = ""
    """What customers' metadata has to keep to, such as ``user_id:required;user_id:unique;ref:pattern=R-[0-9]+``."""
    backup_dir: Path | None = None
    """Folder that a worker backs the database up into each night; without one only ``trueup backup`` does."""
    backup_keep: int = Field(default=7, ge=1, le=1000)
    """How many backups of that folder are kept."""
    reconcile_hour: int = Field(default=2, ge=-1, le=23)
    """The hour of the day, in UTC, at which a worker compares every account with Stripe; -1 for never."""
    reconcile_repair: bool = True
    """Whether it then repairs what differs, or only tells."""
    audit_dir: Path | None = None
    """Folder of the audit log's own files, such as the keys that sign it; default ``home/audit``."""
    audit_signer: str = "file"
    """What signs the audit log: ``file``, ``vault:<address>/<mount>/<key>`` or ``kms:<region>/<key id>[,<older>]``."""
    audit_vault_token_file: Path | None = None
    """A file with the token for HashiCorp Vault; without one ``VAULT_TOKEN`` is used."""
    audit_key_overlap_days: int = Field(default=30, ge=0, le=3650)
    """Days for which a signing key goes on signing beside the one that follows it."""
    audit_keep_years: int = Field(default=7, ge=1, le=100)
    """Years after which a worker drops whole months of entries from the audit log."""
    audit_witnesses: Witnesses = ""
    """Witnesses elsewhere that cosign the audit log, as ``KEY=URL,KEY=URL``."""
    audit_tsa_url: Address = ""
    """A timestamp authority (RFC 3161) that is asked each day about the audit log."""
    audit_tsa_certificates: Path | None = None
    """Its root certificates, and those between, in PEM."""
    audit_checkpoint_webhook: Address = ""
    """Where checkpoints of the audit log are posted to, signed with the secret."""
    audit_checkpoint_webhook_secret: str = Field(default="", repr=False)
    audit_checkpoint_mailbox: Mailbox = ""
    """Who is sent a checkpoint of the audit log each day, through ``smtp_url``."""
    smtp_url: SmtpAddress = Field(default="", repr=False)
    """A mail server: ``smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS``, or ``smtps``."""
    public_url: Address = ""
    """Where people open the console, for links in messages; default ``https://`` and the first allowed host."""
    notices_private: bool = False
    """Whether notifications may go to Slack and webhooks at addresses of a private network."""
    four_eyes: bool = True
    """Whether another owner has to agree, where there is one, before somebody is made owner or admin."""
    sso_networks: str = ""
    """Networks, separated by commas, that providers of single sign-on may be in beside public addresses."""
    stripe_limit_live: int = Field(default=100, ge=1, le=100_000)
    """Calls a second that Stripe allows a live account. We stay within, and other programs of yours share it."""
    stripe_limit_test: int = Field(default=25, ge=1, le=100_000)
    """The same in test mode."""
    stripe_limit_endpoint: int = Field(default=25, ge=1, le=100_000)
    """Calls a second that Stripe allows for any one endpoint."""
    stripe_limit_elsewhere: int = Field(default=1_000, ge=1, le=100_000)
    """The limit of accounts whose API is at another address, such as a sandbox."""

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what ``load`` collects: it already merged the file and the environment."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @field_validator(
        "home",
        "secret_key_file",
        "tls_cert",
        "tls_key",
        "backup_dir",
        "audit_dir",
        "audit_vault_token_file",
        "audit_tsa_certificates",
        mode="before",
    )
    @classmethod
    def _expand(cls, value: Any) -> Any:
        return Path(value).expanduser().absolute() if isinstance(value, str) and value else value or None

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://")):
            message = "must begin with postgresql://"
            raise ValueError(message)
        try:
            conninfo_to_dict(value)
        except psycopg.Error:
            # The library's own words quote the address, and with it the password.
            message = "is not a PostgreSQL address, such as postgresql://user:password@host:5432/name"
            raise ValueError(message) from None
        return value

    @field_validator("trusted_proxies", "sso_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        networks(value)
        return value

    @field_validator("identity_keys")
    @classmethod
    def _identity_keys(cls, value: str) -> str:
        for part in filter(None, (piece.strip() for piece in value.split(","))):
            if IDENTITY_KEY.fullmatch(part) is None:
                message = f"{part!r} is not KEY=user, KEY=organization, KEY=email or KEY=crm:NAME"
                raise ValueError(message)
        return value

    @field_validator("audit_signer")
    @classmethod
    def _audit_signer(cls, value: str) -> str:
        if AUDIT_SIGNER.fullmatch(value) is None:
            message = "is not file, vault:ADDRESS/MOUNT/KEY or kms:REGION/KEY"
            raise ValueError(message)
        return value

    @field_validator("metadata_rules")
    @classmethod
    def _metadata_rules(cls, value: str) -> str:
        for part in filter(None, (piece.strip() for piece in value.split(";"))):
            if METADATA_RULE.fullmatch(part) is None:
                message = f"{part!r} is not KEY:required, KEY:unique or KEY:pattern=EXPRESSION"
                raise ValueError(message)
            try:
                re.compile(part.partition("pattern=")[2])
            except re.error as error:
                message = f"the expression of {part!r} cannot be used: {error}"
                raise ValueError(message) from None
        return value

    @model_validator(mode="after")
    def _pairs(self) -> Configuration:
        if bool(self.tls_cert) != bool(self.tls_key):
            message = "TRUEUP_TLS_CERT and TRUEUP_TLS_KEY go together"
            raise ValueError(message)
        for first, second in (
            ("audit_tsa_url", "audit_tsa_certificates"),
            ("audit_checkpoint_webhook", "audit_checkpoint_webhook_secret"),
        ):
            if bool(getattr(self, first)) != bool(getattr(self, second)):
                message = f"{VARIABLES[first]} and {VARIABLES[second]} go together"
                raise ValueError(message)
        if self.audit_checkpoint_mailbox and not self.smtp_url:
            message = "TRUEUP_AUDIT_CHECKPOINT_MAILBOX needs TRUEUP_SMTP_URL"
            raise ValueError(message)
        return self

    @property
    def backup_folder(self) -> Path:
        """Where backups go, and are looked for, unless a command names another place."""
        return self.backup_dir or self.home / "backups"

    @property
    def audit_folder(self) -> Path:
        """Where the audit log keeps its own files."""
        return self.audit_dir or self.home / "audit"

    @property
    def base_url(self) -> str:
        """Where this installation answers, as a person on this host would type it."""
        scheme = "https" if self.tls_cert else "http"
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not bound
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"


def load(environ: dict[str, str] | None = None) -> Configuration:
    """Read the file and the environment; a bad value raises ``ConfigurationInvalid`` that names the variable."""
    environ = dict(os.environ) if environ is None else environ
    values: dict[str, Any] = _file_values(environ)
    values |= {field: environ[name] for field, name in VARIABLES.items() if environ.get(name)}
    try:
        return Configuration(**values)
    except ValidationError as error:
        problems = [f"{_variable(item['loc'])}: {item['msg'].removeprefix('Value error, ')}" for item in error.errors()]
        raise ConfigurationInvalid(
            "The configuration cannot be used. " + "; ".join(problems) + ".",
            hint="Correct the variable, or the key of the same name in trueup.toml.",
        ) from None


def _variable(location: tuple[int | str, ...]) -> str:
    return VARIABLES.get(str(location[0]), str(location[0])) if location else "configuration"


def _file_values(environ: dict[str, str]) -> dict[str, Any]:
    named = environ.get("TRUEUP_CONFIG")
    home = environ.get("TRUEUP_HOME")
    path = (
        Path(named).expanduser()
        if named
        else (Path(home).expanduser() if home else Path.home() / ".trueup") / "trueup.toml"
    )
    try:
        if not path.is_file():
            if named:
                raise ConfigurationInvalid(
                    f"TRUEUP_CONFIG: there is no file {path}.", hint="Create it, or unset TRUEUP_CONFIG."
                )
            return {}
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        readable = path.stat().st_mode & 0o077
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"{path} is not valid TOML: {error}.", hint="Correct the line it names.") from None
    except OSError as error:
        raise ConfigurationInvalid(
            f"{path} cannot be read: {error.strerror}.", hint="Correct its owner or its mode."
        ) from None
    for secret in ("secret_key", "audit_checkpoint_webhook_secret", "smtp_url"):
        if readable and secret in values:
            raise ConfigurationInvalid(
                f"{path} holds {secret} ({VARIABLES[secret]}) and can be read by others.",
                hint=f"Run: chmod 600 {path}",
            )
    return values


@cache
def current() -> Configuration:
    """The configuration of this process, read once."""
    return load()
