"""Stripe's own library for node, unchanged, drives the sandbox and accepts its webhooks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from trueup.sandbox import Sandbox

VERSION: Final = "23.1.0"
SCRIPT: Final = Path(__file__).with_name("stranger.cjs")


@pytest.fixture
def library(request: pytest.FixtureRequest) -> Path:
    """The folder that holds the library; fetched once, and kept in pytest's cache."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("There is no node on this machine.")
    assert request.config.cache is not None
    kept = request.config.cache.mkdir(f"stripe-node-{VERSION}")
    if not (kept / "node_modules" / "stripe" / "package.json").is_file():
        command = ["npm", "install", f"stripe@{VERSION}", "--prefix", str(kept), "--no-audit", "--no-fund"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"npm could not fetch stripe@{VERSION}: {error}")
    return kept / "node_modules"


def test_a_stranger_with_node_is_served(sandbox: Sandbox, library: Path) -> None:
    done = subprocess.run(
        ["node", str(SCRIPT), str(sandbox.port), sandbox.api_key],
        env={"PATH": os.environ["PATH"], "NODE_PATH": str(library)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["version"] == VERSION
    assert (found["email"], found["status"], found["paid"]) == ("ada@example.com", "active", 2000)
    assert found["listed"] == 1
    assert {"customer.created", "invoice.paid", "customer.subscription.created"} <= set(found["types"])
    assert found["forged"]["type"] == "StripeSignatureVerificationError"
    assert found["unknown"] == {
        "type": "StripeInvalidRequestError",
        "code": "parameter_unknown",
        "param": "emial",
    }
    assert found["declined"]["type"] == "StripeCardError"
    assert found["declined"]["code"] == "card_declined"
