"""What a person is told when a command cannot run: the variable, the reason, the next step, and never a trace."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.ops.conftest import Installation
from tests.ports import free_port

NOWHERE = "postgresql://u:hunter2@127.0.0.1:1/x"


@pytest.fixture
def offline(tmp_path: Path) -> Installation:
    """An installation whose database does not answer."""
    return Installation(home=tmp_path / "home", database=NOWHERE)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"TRUEUP_PORT": "eighty"}, "TRUEUP_PORT"),
        ({"DATABASE_URL": "mysql://u:hunter2@h/x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://u:hunter2@[h"}, "DATABASE_URL"),
        ({"TRUEUP_SECRET_KEY": "hunter2"}, "TRUEUP_SECRET_KEY"),
        ({"TRUEUP_TLS_CERT": "/nowhere.pem"}, "TRUEUP_TLS_KEY"),
        ({"TRUEUP_CONFIG": "/nowhere.toml"}, "TRUEUP_CONFIG"),
    ],
)
def test_a_bad_setting_is_named_with_status_2_and_no_trace(
    offline: Installation, variables: dict[str, str], named: str
) -> None:
    ended = offline.run("accounts", "--json", **variables)

    assert ended.status == 2
    assert ended.json["error"]["code"] in {"configuration_invalid", "secret_key_invalid"}
    assert named in ended.json["error"]["message"]
    assert named in ended.err
    assert "Traceback" not in ended.err
    assert "hunter2" not in ended.out + ended.err
    assert not (offline.home / "log").exists()


def test_a_database_that_does_not_answer_is_told_with_its_address_and_without_its_password(
    offline: Installation,
) -> None:
    ended = offline.run("accounts", "--json")

    assert ended.status == 1
    assert ended.json["error"]["code"] == "database_unavailable"
    assert '"127.0.0.1", port 1' in ended.json["error"]["message"]
    assert "Traceback" not in ended.err
    assert "hunter2" not in ended.out + ended.err


def test_a_command_that_is_typed_wrongly_is_refused_as_json_where_asked(offline: Installation) -> None:
    ended = offline.run("fly", "--json")

    assert ended.status == 2
    assert ended.json["error"]["code"] == "usage"
    assert "No such command" in ended.err
    assert "Traceback" not in ended.err


def test_an_unexpected_error_leaves_its_trace_in_a_file_for_the_owner_only(fresh: Installation) -> None:
    fresh.run("migrate")
    with psycopg.connect(fresh.database) as connection:
        connection.execute("alter table accounts_account rename column slug to slag")

    ended = fresh.run("accounts", "--json")

    trace = fresh.home / "log" / "command-errors.log"
    assert ended.status == 1
    assert ended.json["error"]["code"] == "unexpected"
    assert str(trace) in ended.json["error"]["hint"]
    assert "Traceback" not in ended.err
    assert 'column "slug" does not exist' in trace.read_text(encoding="utf-8")
    assert trace.stat().st_mode & 0o777 == 0o600


def test_a_home_that_is_no_folder_is_refused_in_words(fresh: Installation) -> None:
    fresh.home.write_text("a file", encoding="ascii")

    ended = fresh.run("accounts", "--json")

    assert ended.status == 2
    assert ended.json["error"]["code"] == "secret_key_invalid"
    assert "Traceback" not in ended.err


def test_another_key_than_the_databases_is_refused_at_start_with_the_remedy(fresh: Installation) -> None:
    fresh.run("connect", "--name", "acme", "--webhook-secret", "whsec_1234567890")

    ended = fresh.run("up", "--port", str(free_port()), TRUEUP_SECRET_KEY="A" * 43 + "=")

    assert ended.status == 1
    assert "secret_key_mismatch" in ended.err
    assert "TRUEUP_SECRET_KEY" in ended.err


@pytest.mark.parametrize("command", ["up", "web", "intake"])
def test_a_port_that_is_taken_is_refused_before_anything_starts(fresh: Installation, command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ended = fresh.run(command, "--port", str(port))

    assert ended.status == 2
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use." in ended.err
    assert "TRUEUP_PORT" in ended.err
    assert fresh.rows("select count(*) from pg_tables where schemaname = 'public'") == [(0,)]


@pytest.mark.parametrize(
    ("cert", "key", "says"),
    [
        (None, "x", "TRUEUP_TLS_CERT"),
        ("x", None, "TRUEUP_TLS_KEY"),
        ("not a certificate", "not a key", "are no certificate and its own, unencrypted key"),
    ],
)
def test_a_certificate_that_cannot_be_served_with_is_refused_before_anything_starts(
    fresh: Installation, tmp_path: Path, cert: str | None, key: str | None, says: str
) -> None:
    paths = {"--tls-cert": tmp_path / "cert.pem", "--tls-key": tmp_path / "key.pem"}
    for path, text in zip(paths.values(), (cert, key), strict=True):
        if text is not None:
            path.write_text(text, encoding="ascii")
    options = [str(word) for pair in paths.items() for word in pair]

    ended = fresh.run("up", "--port", str(free_port()), *options)

    assert ended.status == 2
    assert says in ended.err
    assert fresh.rows("select count(*) from pg_tables where schemaname = 'public'") == [(0,)]


def test_output_that_nobody_reads_to_the_end_is_no_error(fresh: Installation) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        ended = subprocess.run(
            [sys.executable, "-m", "trueup.ops.main", "accounts", "--json"],
            env=fresh.environ(),
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    # 141 by us, or 1 by the command's library where it met the closed pipe first.
    assert ended.returncode in {1, 141}
    assert "Traceback" not in ended.stderr
    assert "BrokenPipe" not in ended.stderr
