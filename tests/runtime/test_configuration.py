"""What the operator sets: the environment over the file, and errors that name the variable."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trueup.runtime import configuration
from trueup.runtime.configuration import VARIABLES, Configuration, ConfigurationInvalid

SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlYzE="


def load(home: Path, **environ: str) -> Configuration:
    """The configuration that these variables and the file in ``home`` make."""
    return configuration.load({"TRUEUP_HOME": str(home), **environ})


def write(path: Path, text: str) -> Path:
    """Write a file that only its owner reads."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_nothing_set_means_loopback_and_the_embedded_database_below_the_home_folder() -> None:
    settings = configuration.load({})

    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.database_url == ""
    assert settings.home == Path.home() / ".trueup"
    assert settings.base_url == "http://127.0.0.1:8000"


def test_every_field_has_its_variable() -> None:
    assert set(VARIABLES) == set(Configuration.model_fields)


def test_the_file_sets_what_the_environment_does_not(tmp_path: Path) -> None:
    write(tmp_path / "trueup.toml", 'port = 9001\nhost = "::1"\nlog_level = "debug"\n')

    settings = load(tmp_path, TRUEUP_PORT="9002")

    assert (settings.host, settings.port, settings.log_level) == ("::1", 9002, "debug")
    assert settings.base_url == "http://[::1]:9002"


def test_an_empty_variable_does_not_hide_the_file(tmp_path: Path) -> None:
    write(tmp_path / "trueup.toml", "port = 9001\n")

    assert load(tmp_path, TRUEUP_PORT="").port == 9001


def test_another_file_is_read_where_one_is_named(tmp_path: Path) -> None:
    write(tmp_path / "trueup.toml", "port = 9001\n")
    other = write(tmp_path / "other.toml", "port = 9003\n")

    assert load(tmp_path, TRUEUP_CONFIG=str(other)).port == 9003


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("TRUEUP_PORT", "eighty", "valid integer"),
        ("TRUEUP_PORT", "0", "greater than or equal to 1"),
        ("TRUEUP_PORT", "65536", "less than or equal to 65535"),
        ("TRUEUP_LOG_FORMAT", "xml", "'auto', 'json' or 'text'"),
        ("TRUEUP_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("TRUEUP_TRUSTED_PROXIES", "10.0.0.0/8, proxy", "does not appear to be an IPv4 or IPv6 network"),
        ("DATABASE_URL", "mysql://root:hunter2@db/x", "must begin with postgresql://"),
        ("DATABASE_URL", "postgresql://u:hunter2@[bad", "is not a PostgreSQL address"),
        ("DATABASE_URL", "postgresql://u:hunter2@h/x?no_such_option=1", "is not a PostgreSQL address"),
        ("TRUEUP_TLS_CERT", "/etc/cert.pem", "TRUEUP_TLS_CERT and TRUEUP_TLS_KEY go together"),
        ("TRUEUP_TLS_KEY", "/etc/key.pem", "TRUEUP_TLS_CERT and TRUEUP_TLS_KEY go together"),
    ],
)
def test_a_bad_value_names_its_variable_and_quotes_no_secret(
    tmp_path: Path, variable: str, value: str, says: str
) -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        load(tmp_path, **{variable: value})

    assert variable in refused.value.message
    assert says in refused.value.message
    assert "hunter2" not in refused.value.message + refused.value.hint
    assert refused.value.status == 400


def test_several_bad_values_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        load(tmp_path, TRUEUP_PORT="x", TRUEUP_LOG_LEVEL="y")

    assert "TRUEUP_PORT: " in refused.value.message
    assert "TRUEUP_LOG_LEVEL: " in refused.value.message


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("prot = 9000\n", "prot: Extra inputs are not permitted"),
        ("[web]\nport = 1\n", "web: Extra inputs are not permitted"),
        ('port = "x"\n', "TRUEUP_PORT"),
        ("host = 5\n", "TRUEUP_HOST"),
        ("port = \n", "is not valid TOML"),
        ("host = '\udcff'\n", "is not valid TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_key(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "trueup.toml").write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(ConfigurationInvalid, match=named):
        load(tmp_path)


def test_a_named_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match=r"TRUEUP_CONFIG: there is no file .*nowhere\.toml"):
        load(tmp_path, TRUEUP_CONFIG=str(tmp_path / "nowhere.toml"))


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Be nobody in particular for a moment: the superuser reads everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_file_that_this_user_may_not_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "trueup.toml", "port = 9001\n").chmod(0o000)

    with ordinary_user(), pytest.raises(ConfigurationInvalid, match=r"trueup\.toml cannot be read: Permission denied"):
        load(tmp_path)


def test_a_key_in_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "trueup.toml", f'secret_key = "{SECRET}"\n')
    assert load(tmp_path).secret_key == SECRET

    path.chmod(0o640)

    with pytest.raises(ConfigurationInvalid, match="TRUEUP_SECRET_KEY") as refused:
        load(tmp_path)
    assert refused.value.hint == f"Run: chmod 600 {path}"
    assert SECRET not in refused.value.message


def test_certificate_and_key_together_mean_https(tmp_path: Path) -> None:
    settings = load(tmp_path, TRUEUP_TLS_CERT="~/cert.pem", TRUEUP_TLS_KEY="key.pem", TRUEUP_HOST="0.0.0.0")  # noqa: S104

    assert settings.tls_cert == Path.home() / "cert.pem"
    assert settings.tls_key == Path.cwd() / "key.pem"
    assert settings.base_url == "https://127.0.0.1:8000"


def test_settings_do_not_show_their_secrets(tmp_path: Path) -> None:
    settings = load(tmp_path, TRUEUP_SECRET_KEY=SECRET, DATABASE_URL="postgresql://u:hunter2@h/x")

    assert "hunter2" not in repr(settings)
    assert SECRET not in repr(settings)
