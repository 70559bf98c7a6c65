"""Secrets that commands ask for: unseen at a terminal, quietly from a pipe, and refused where there is neither."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate

from tests import instance
from trueup.accounts import service as accounts
from trueup.ops import cli
from trueup.runtime import configuration, installation

ASKS = """
import sys
from trueup.ops import asking
sys.stdout.write(asking.secret("Password", option="--password", twice=True))
"""
Piped = Callable[[bytes], None]


@pytest.fixture
def home(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder of this test's own, for commands that run in this process."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    yield tmp_path
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Iterator[Piped]:
    """Let standard input be a pipe that holds this and ends."""
    opened: list[Any] = []

    def put(text: bytes) -> None:
        reading, writing = os.pipe()
        os.write(writing, text)
        os.close(writing)
        opened.append(os.fdopen(reading, encoding="utf-8"))
        monkeypatch.setattr(sys, "stdin", opened[-1])

    yield put
    for file in opened:
        file.close()


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\nwhsec_another_line\n"])
def test_a_signing_secret_is_read_from_a_pipe_without_a_word(
    home: Path, piped: Piped, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder, end: bytes
) -> None:
    assert cli.run(["connect", "--name", "acme", "--json"]) == 0
    capfd.readouterr()
    piped(b"whsec_fromapipe7788" + end)

    assert cli.run(["secrets", "add", "acme"]) == 0

    said, (secret,) = capfd.readouterr(), accounts.webhook_secrets("acme")
    assert (said.out, said.err) == (f"✓ acme accepts whsec_…7788 (id {secret.id}).\n", "")
    assert [str(warning.message) for warning in recwarn if "echo" in str(warning.message)] == []


def test_a_password_is_read_from_a_pipe_once(home: Path, piped: Piped) -> None:
    piped(b"correct horse battery\n")
    assert cli.run(["operator", "create", "ada@example.com"]) == 0
    piped(b" other horse battery ")
    assert cli.run(["operator", "password", "ada@example.com"]) == 0

    assert authenticate(email="ada@example.com", password="correct horse battery") is None
    assert authenticate(email="ada@example.com", password=" other horse battery ") is not None


def test_an_empty_pipe_is_refused_with_what_to_do(home: Path, piped: Piped, capsys: pytest.CaptureFixture[str]) -> None:
    piped(b"")

    assert cli.run(["secrets", "add", "acme"]) == 2

    assert "Signing secret is missing." in (said := capsys.readouterr().err)
    assert "Write it to standard input as one line, or give --secret." in said


def test_what_is_typed_at_a_terminal_is_not_shown(tmp_path: Path) -> None:
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", ASKS],
        env=instance.Home(tmp_path).environ(),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    for asked in (b"Password: ", b"Repeat for confirmation: "):
        while asked not in shown:
            shown += os.read(terminal, 1000)
        os.write(terminal, b"correct horse battery\n")
    out, _ = process.communicate(timeout=20)
    os.close(terminal)

    assert out == "correct horse battery"
    assert b"horse" not in shown
