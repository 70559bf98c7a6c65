"""What make offers, and what it says where it cannot."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TARGETS = {"help", "setup", "demo", "test", "check", "format", "bench", "simulate", "screenshots", "clean"}


def make(repository: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run make in the checkout, with the programs of ``path`` only."""
    program = shutil.which("make")
    if program is None:
        pytest.skip("There is no make on this machine.")
    # What an outer make passes on would change what this one prints.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        [program, *arguments],
        cwd=repository,
        env=environment | ({"PATH": path} if path else {}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_every_target_with_what_it_does(repository: Path) -> None:
    said = make(repository).stdout

    assert set(re.findall(r"^ {2}make ([a-z]+) {2,}\S", said, re.MULTILINE)) == TARGETS


def test_without_a_python_make_says_what_is_missing(repository: Path, tmp_path: Path) -> None:
    done = make(repository, "runtime", path=str(tmp_path))

    assert done.returncode == 2
    assert "Trueup needs Python 3.11 or newer; name it with: make PYTHON=/path/to/python runtime" in done.stderr


def test_a_python_that_is_too_old_is_not_taken(repository: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3.11"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)

    done = make(repository, "runtime", path=str(tmp_path))

    assert done.returncode == 2
    assert "Trueup needs Python 3.11 or newer" in done.stderr


@pytest.mark.parametrize("target", ["demo", "bench", "screenshots"])
def test_a_target_that_serves_becomes_its_program_so_that_signals_reach_it(target: str, repository: Path) -> None:
    last = make(repository, "--dry-run", target).stdout.strip().splitlines()[-1]

    assert last.startswith("exec .venv/bin/")
