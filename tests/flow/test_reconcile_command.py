"""``trueup reconcile`` and ``trueup drift`` as people and programs run them, and what the API and the metrics say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.beside import Beside, beside
from tests.flow.conftest import Ask
from tests.ops.conftest import as_url
from trueup.customer import reconcile
from trueup.customer import service as customers
from trueup.inbox.alarms import service as alarms
from trueup.inbox.sweep.service import sweep
from trueup.kernel.actor import system
from trueup.mirror.reconcile import service
from trueup.mirror.reconcile.types import Status
from trueup.ops import cli, health
from trueup.runtime import configuration, installation

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def stripe(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beside]:
    monkeypatch.setenv("DATABASE_URL", as_url(database))
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    with beside(database, seed="command") as made:
        yield made
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


@pytest.fixture
def run(stripe: Beside, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: its exit status and the JSON it printed."""
    del stripe

    def ran(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        status = cli.run([*words, "--json"])
        return status, json.loads(capsys.readouterr().out.splitlines()[-1])

    return ran


AT_ONCE = ("--grace", "0", "--patience", "0")


def lost(stripe: Beside) -> dict[str, Any]:
    """A customer whose newest name no event told."""
    customer = stripe.post("/v1/customers", name="Ada")
    stripe.settle()
    stripe.sandbox.advance(seconds=10)
    stripe.sandbox.delivery(dropped=100)
    return stripe.post(f"/v1/customers/{customer['id']}", name="Bea")


def test_it_ends_with_3_while_something_differs_and_with_0_once_it_is_repaired(
    stripe: Beside, run: Run, ask: Ask
) -> None:
    customer = lost(stripe)

    status, told = run("reconcile", *AT_ONCE)

    assert status == 3
    (compared,) = told["data"]
    assert compared["run"]["counts"]["found"] == {"stale": 2}
    assert [(one["type"], one["fields"][0]["ours"], one["fields"][0]["theirs"]) for one in compared["differences"]] == [
        ("customer", "Ada", "Bea"),
        ("trueup.customer", "Ada", "Bea"),
    ]
    assert compared["repaired"] == []
    assert [(alarm.code, alarm.account_slug) for alarm in alarms.standing()] == [("drift", "acme")]
    assert 'trueup_drift_objects{account="acme",kind="stale"} 2.0' in health.exposition().decode()
    status, known = run("drift")
    assert (status, known["accounts"][0]["kinds"]) == (0, {"stale": 2})
    assert {one["object_id"] for one in known["data"]} == {customer["id"]}

    status, told = run("reconcile", "acme", "--repair", *AT_ONCE)

    assert (status, told["data"][0]["run"]["counts"]["repaired"]) == (0, 2)
    assert told["data"][0]["differences"] == []
    assert [(one["type"], one["fields"][0]["path"]) for one in told["data"][0]["repaired"]] == [
        ("customer", "name"),
        ("trueup.customer", "name"),
    ]
    assert run("reconcile", *AT_ONCE)[0] == 0
    assert alarms.standing() == ()
    assert 'trueup_drift_objects{account="acme",kind="stale"} 0.0' in health.exposition().decode()
    assert [row[0] for row in ask("select action from audit_entries where action like 'mirror.%' order by id")] == [
        "mirror.reconcile.started",
        "mirror.reconcile.started",
        "mirror.reconcile.repaired",
        "mirror.reconcile.started",
    ]
    assert ask("select count(*) from mirror_drift where told is not null or fields::text ~ 'Ada|Bea'") == [(0,)]


def test_it_ends_with_1_where_not_all_could_be_seen(stripe: Beside, run: Run) -> None:
    lost(stripe)
    stripe.sandbox.fail("forbidden", times=None, path="/v1/customers*")

    status, told = run("reconcile", *AT_ONCE)

    assert status == 1
    assert told["data"][0]["run"]["status"] == "incomplete"
    assert told["data"][0]["run"]["counts"]["found"] == {}
    assert "customer" in {one["type"] for one in told["data"][0]["run"]["troubles"]}
    assert [alarm.code for alarm in alarms.standing()] == ["reconcile_incomplete"]


def test_what_was_repaired_is_told_afterwards_without_the_values(stripe: Beside, run: Run) -> None:
    customer = lost(stripe)
    assert run("reconcile", *AT_ONCE)[0] == 3
    opened = run("drift")[1]["data"]
    assert run("drift", "--closed")[1]["data"] == []

    _status, told = run("reconcile", "--repair", *AT_ONCE)

    number = told["data"][0]["run"]["id"]
    closed = run("drift", "--closed", "--run", str(number))[1]["data"]
    assert sorted(closed, key=lambda one: one["type"]) == told["data"][0]["repaired"]
    first, second = sorted(closed, key=lambda one: one["type"])
    assert {one["id"]: one["opened_at"] for one in closed} == {one["id"]: one["opened_at"] for one in opened}
    assert [(one["object_id"], one["kind"], one["ending"], one["resolved_by"]) for one in (first, second)] == [
        (customer["id"], "stale", "repaired", number)
    ] * 2
    assert (first["cause"], second["cause"]) == ("never_came", "objects")
    assert first["fields"] == [{"path": "name", "ours": None, "theirs": None, "cut": False, "dropped": True}]
    assert first["resolved_at"] > first["opened_at"]
    assert first["why"] == next(one["why"] for one in opened if one["type"] == "customer")
    assert run("drift", "--closed", "--run", str(number - 1))[1]["data"] == []
    assert run("drift")[1]["data"] == []


def test_what_a_later_comparison_found_equal_was_not_repaired_by_it(stripe: Beside, run: Run) -> None:
    lost(stripe)
    assert run("reconcile", *AT_ONCE)[0] == 3
    stripe.sandbox.advance(seconds=120)
    sweep(stripe.account.slug)
    stripe.fetch()

    status, told = run("reconcile", "--repair", *AT_ONCE)

    assert (status, told["data"][0]["repaired"]) == (0, [])
    first = run("drift", "--closed", "--limit", "1")[1]
    second = run("drift", "--closed", "--limit", "1", "--after", first["next"])[1]
    closed = [*first["data"], *second["data"]]
    assert second["next"] is None
    assert {one["type"]: (one["ending"], one["resolved_by"]) for one in closed} == {
        "customer": ("equal", told["data"][0]["run"]["id"]),
        "trueup.customer": ("equal", told["data"][0]["run"]["id"]),
    }


def test_known_differences_are_narrowed_and_a_name_that_nobody_knows_is_refused(stripe: Beside, run: Run) -> None:
    customer = lost(stripe)
    compared = run("reconcile", *AT_ONCE)[1]["data"][0]["run"]["id"]
    own = customers.get(customer["id"]).id

    assert [one["type"] for one in run("drift")[1]["data"]] == ["customer", "trueup.customer"]
    assert [one["type"] for one in run("drift", "--type", "state")[1]["data"]] == ["trueup.customer"]
    assert [one["type"] for one in run("drift", "--type", "customer")[1]["data"]] == ["customer"]
    for name in (customer["id"], own):
        assert len(run("drift", "--customer", name)[1]["data"]) == 2
    assert len(run("drift", "--run", str(compared))[1]["data"]) == 2
    unknown = str(compared + 1)
    for words, code in (
        (["--type", "subscripton"], "reconcile_type_unknown"),
        (["--customer", "cus_nope"], "customer_unknown"),
        (["--account", "elsewhere"], "account_unknown"),
        (["--run", unknown], "run_unknown"),
        (["--closed", "--run", unknown], "run_unknown"),
    ):
        status, told = run("drift", *words)
        assert (status, told["error"]["code"], bool(told["error"]["hint"])) == (2, code, True)
    assert run("reconcile", "--type", "subscripton")[1]["error"]["code"] == "reconcile_type_unknown"


def test_people_are_told_what_differs_and_nothing_of_it_is_logged(
    stripe: Beside, capsys: pytest.CaptureFixture[str]
) -> None:
    other = stripe.post("/v1/customers", name="Dora")
    stripe.settle()
    lost(stripe)

    assert cli.run(["reconcile", "--customer", other["id"], *AT_ONCE]) == 0
    assert cli.run(["reconcile", *AT_ONCE]) == 3

    printed = capsys.readouterr()
    assert 'name: "Ada" → "Bea"' in printed.out
    assert "Here → Stripe, since when, and why" in printed.out
    assert "never_came: The newest that we have is evt_" in printed.out
    assert printed.out.index("stale  customer") < printed.out.index("stale  state")
    assert max(len(line) for line in printed.out.splitlines() if "Ada" in line or "stale " in line) <= 120
    assert cli.run(["reconcile", "--repair", *AT_ONCE]) == 0
    assert cli.run(["drift", "--closed"]) == 0
    told = capsys.readouterr().out
    assert "2 repaired, 0 left." in told
    assert ("Here → Stripe" in told, told.count("How it ended, since when, and why")) == (False, 2)
    assert told.count("Differed in name") == 4
    assert "null" not in told
    logged = [line for line in (printed.out + printed.err).splitlines() if "[info" in line or "[warning" in line]
    assert logged
    assert not [line for line in logged if "Ada" in line or "Bea" in line]
    # Its lists are a walk, and no backfill.
    assert not [line for line in logged if "backfill" in line]


TWICE = ["--sample", "1", "--type", "invoice"]


@pytest.mark.parametrize(
    "words", [["--type", "nothing"], ["--type", "invoice", "--customer", "cus_1"], ["elsewhere"], TWICE]
)
def test_what_cannot_be_compared_is_refused(stripe: Beside, run: Run, words: list[str]) -> None:
    status, told = run("reconcile", *words)

    assert status == 2
    assert told["error"]["hint"]
    assert service.runs().data == ()


def test_a_customer_is_named_by_our_id_or_stripes_and_one_that_nobody_knows_is_refused(
    stripe: Beside, run: Run
) -> None:
    customer = lost(stripe)
    own = customers.get(customer["id"]).id
    never_told = stripe.post("/v1/customers", name="Cleo")

    for name in (customer["id"], own):
        status, told = run("reconcile", "--customer", name, *AT_ONCE)
        assert status == 3
        assert told["data"][0]["run"]["customers"] == [customer["id"]]
    # One that Stripe alone knows is what a comparison is for.
    assert run("reconcile", "--customer", never_told["id"], *AT_ONCE)[0] == 3
    for unknown in ("cus_nope", "tc_nope"):
        status, refused = run("reconcile", "--customer", unknown, *AT_ONCE)
        assert (status, refused["error"]["code"]) == (2, "customer_unknown")


def test_the_night_compares_every_account_that_can_be_read_and_repairs(stripe: Beside) -> None:
    lost(stripe)

    assert reconcile.start_nightly() == 1
    assert reconcile.start_nightly() == 1
    (started,) = service.runs().data

    assert (started.repair, started.started_by, started.customers) == (True, "system reconcile", None)
    assert service.cancel(started.id, by=system("test")).status is Status.CANCELLED
