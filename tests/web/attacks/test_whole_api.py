"""The whole API against what its description allows and what it forbids, asked over HTTP by schemathesis.

``TRUEUP_API_EXAMPLES=500`` asks each operation that often, for a night; the cases of the description's edges are always
asked. ``TRUEUP_API_SEED`` chooses others.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import demo
from tests.conftest import REPOSITORY
from tests.demo import Console
from trueup.operators.types import Scope

HERE = Path(__file__).parent
EXAMPLES = int(os.environ.get("TRUEUP_API_EXAMPLES", "4"))
SEED = int(os.environ.get("TRUEUP_API_SEED", "7"))
FAR = 7_000_000
"""Where the ids of the asking tokens begin: further than what is tried to be revoked."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A running installation with a filled sandbox, for this test alone: what is asked changes much in it."""
    with demo.running(tmp_path_factory.mktemp("home"), name="attacked", companies=20) as console:
        with psycopg.connect(console.database, autocommit=True) as connection:
            connection.execute(f"alter sequence operators_apitoken_id_seq restart with {FAR}".encode())
        yield console


def made(console: Console, *scopes: Scope) -> str:
    """A token with these scopes."""
    named = [argument for scope in scopes for argument in ("--scope", scope.value)]
    command = [sys.executable, "-m", "trueup.ops.main", "token", "create", "--name", "attacker", *named, "--json"]
    told = subprocess.run(command, env=console.environment, stdout=subprocess.PIPE, check=True, timeout=60)
    return str(json.loads(told.stdout)["token"])


@pytest.mark.timeout(300 + 60 * EXAMPLES)
def test_no_answer_is_a_failure_or_another_than_described(filled: Console, tmp_path: Path) -> None:
    tokens = {scope.value: made(filled, scope) for scope in Scope} | {"maker": made(filled, Scope.READ, Scope.TOKENS)}
    url = f"{filled.url}/api/v1"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run"),
        *(f"{url}/openapi.json", "--phases", "coverage,fuzzing,stateful", "--no-color"),
        *("--seed", str(SEED), "--max-examples", str(EXAMPLES)),
    ]
    asked = subprocess.run(
        command,
        check=False,
        cwd=tmp_path,
        env=os.environ
        | {"API_TOKENS": json.dumps(tokens), "API_URL": url, "SCHEMATHESIS_HOOKS": "tests.web.attacks.asking"}
        | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    assert asked.returncode == 0, asked.stdout
    assert "Tested: 69" in asked.stdout or "Tested: 7" in asked.stdout
    assert "returned only 401/403" not in asked.stdout
