"""The throw-away PostgreSQL of a test run, seen from small test runs in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.postgres.clusters import Installation, eventually
from trueup.runtime.postgres.server import works_in

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes through /proc")

REPOSITORY = Path(__file__).resolve().parents[3]

_PLUGINS = ["-p", "tests.postgres_plugin", "-p", "no:django", "-p", "no:randomly", "-p", "no:cacheprovider"]

_TEST = """
import json, os, pathlib, time
import psycopg

def test_something():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        query = "select current_setting('data_directory'), pg_backend_pid(), version(), current_setting('fsync')"
        row = connection.execute(query).fetchone()
    server = int(pathlib.Path(row[0], "postmaster.pid").read_text().split()[0])
    said = {"url": os.environ["DATABASE_URL"], "data": row[0], "server": server, "version": row[2], "fsync": row[3]}
    said["worker"] = os.environ.get("PYTEST_XDIST_WORKER", "")
    path = pathlib.Path(__file__).with_name(f"said{said['worker']}.json")
    path.with_suffix(".new").write_text(json.dumps(said))
    path.with_suffix(".new").rename(path)
    if os.environ.get("LINGER"):
        time.sleep(60)

def test_another_thing():
    test_something()
"""


def _begin(folder: Path, *options: str, **environment: str) -> subprocess.Popen[bytes]:
    (folder / "test_small.py").write_text(_TEST, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("TRUEUP_")}
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-c", str(folder / "pytest.ini"), *options, *_PLUGINS, str(folder)],
        cwd=REPOSITORY,
        env=inherited | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])} | environment,
        stdout=subprocess.DEVNULL,
    )


def _said(folder: Path, worker: str = "") -> dict[str, str]:
    said: dict[str, str] = json.loads((folder / f"said{worker}.json").read_text(encoding="utf-8"))
    return said


def _is_gone(said: dict[str, str]) -> bool:
    """Whether the server has ended and the whole of its folder was deleted."""
    return not works_in(int(said["server"]), Path(said["data"])) and not Path(said["data"]).parents[1].exists()


def test_a_run_has_a_database_of_its_own_which_is_gone_when_it_ends(tmp_path: Path) -> None:
    assert _begin(tmp_path, "--postgres-major", "16").wait() == 0

    said = _said(tmp_path)
    assert said["version"].startswith("PostgreSQL 16.")
    assert said["fsync"] == "off"
    assert _is_gone(said)


def test_a_run_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    run = _begin(tmp_path, LINGER="1")
    eventually((tmp_path / "said.json").exists, "the test runs")
    said = _said(tmp_path)
    assert works_in(int(said["server"]), Path(said["data"]))

    run.send_signal(signal.SIGKILL)
    run.wait()

    assert said["version"].startswith("PostgreSQL 18.")
    eventually(lambda: _is_gone(said), "server and folder are gone")


def test_the_workers_of_a_run_share_its_one_server(tmp_path: Path) -> None:
    assert _begin(tmp_path, "-n", "2", "--dist", "each").wait() == 0

    one, other = _said(tmp_path, "gw0"), _said(tmp_path, "gw1")
    assert one["url"] == other["url"]
    assert one["server"] == other["server"]
    assert _is_gone(one)


def test_a_database_that_is_given_is_used_and_left_alone(tmp_path: Path, running: Installation) -> None:
    user = running.users[0]

    assert _begin(tmp_path, DATABASE_URL=user.url).wait() == 0

    said = _said(tmp_path)
    assert said["url"] == user.url
    assert int(said["server"]) == running.server()
    assert user.query("select 1") == 1
