"""Running the commands of the audit log in this process, and asking its routes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from trueup.kernel.actor import system
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Scope
from trueup.ops import cli


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """What a command prints; it ends with this status."""
    capsys.readouterr()
    assert cli.run(["audit", *arguments]) == status
    return capsys.readouterr().out


def answered(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    """What a command prints as JSON."""
    return json.loads(run(capsys, *arguments, "--json", status=status))


def auditor() -> Client:
    """A program with a token for the audit log alone."""
    token = tokens.create_token(name="auditor", scopes=[Scope.AUDIT], by=system("test")).token
    return Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)
