"""``trueup connect``: what it asks Stripe, and when it asks nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.accounts.conftest import Stripe
from trueup.accounts import service as accounts
from trueup.ops import cli
from trueup.runtime import configuration, installation

Run = Callable[..., tuple[int, Any]]

KEY = "rk_test_51Hx"


@pytest.fixture
def run(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run ``trueup connect --json`` in this process; gives its status and what it printed."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()

    def connect(*arguments: str) -> tuple[int, Any]:
        status = cli.run(["connect", "--name", "acme", *arguments, "--json"])
        said = capsys.readouterr()
        assert KEY not in said.out + said.err
        return status, json.loads(said.out)

    yield connect
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


def test_stripe_is_asked_once_who_the_key_belongs_to(run: Run, stripe: Stripe) -> None:
    status, said = run("--api-key", KEY, "--api-base", stripe.address)

    assert status == 0
    assert said["account"]["stripe_account_id"] == "acct_1Real"
    assert (said["account"]["livemode"], said["account"]["access"]) == (False, "watch")
    assert said["account"]["api_base"] == stripe.address
    assert [path for path, _headers in stripe.asked] == ["/v1/account"]


def test_offline_asks_nobody(run: Run, stripe: Stripe) -> None:
    status, said = run("--api-key", KEY, "--api-base", stripe.address, "--offline")

    assert status == 0
    assert said["account"]["stripe_account_id"] is None
    assert said["account"]["has_api_key"] is True
    assert stripe.asked == []


def test_without_a_key_nobody_is_asked(run: Run, stripe: Stripe) -> None:
    assert run("--webhook-secret", "whsec_1234567890", "--api-base", stripe.address)[0] == 0
    assert stripe.asked == []


def test_a_key_that_may_not_read_the_account_connects_all_the_same(run: Run, stripe: Stripe) -> None:
    stripe.refuse(403, "invalid_request_error")

    status, said = run("--api-key", KEY, "--api-base", stripe.address)

    assert (status, said["account"]["stripe_account_id"]) == (0, None)


@pytest.mark.parametrize(
    ("answer", "kind", "status", "code"),
    [(401, "invalid_request_error", 2, "stripe_refused"), (500, "api_error", 1, "stripe_unavailable")],
)
def test_what_stripe_does_not_confirm_is_not_connected(
    *, run: Run, stripe: Stripe, answer: int, kind: str, status: int, code: str
) -> None:
    stripe.refuse(answer, kind)

    ended, said = run("--api-key", KEY, "--api-base", stripe.address)

    assert (ended, said["error"]["code"]) == (status, code)
    assert accounts.accounts() == ()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--api-key", KEY, "--live"],
        ["--api-key", KEY, "--webhook-secret", "nonsense"],
        ["--api-key", "pk_test_1234"],
        ["--api-key", "rk_live_1234"],
    ],
)
def test_what_we_would_refuse_anyway_never_leaves_this_host(run: Run, stripe: Stripe, arguments: list[str]) -> None:
    status, said = run(*arguments, "--api-base", stripe.address)

    assert status == 2
    assert said["error"]["code"] in {"api_key_invalid", "webhook_secret_invalid", "api_base_insecure"}
    assert stripe.asked == []
    assert accounts.accounts() == ()


def test_a_key_of_another_stripe_account_is_refused(run: Run, stripe: Stripe) -> None:
    run("--api-key", KEY, "--api-base", stripe.address)
    stripe.body = stripe.body.replace(b"acct_1Real", b"acct_2Other")

    status, said = run("--api-key", "rk_test_other", "--api-base", stripe.address)

    assert (status, said["error"]["code"]) == (2, "account_exists")
    assert accounts.accounts()[0].stripe_account_id == "acct_1Real"
