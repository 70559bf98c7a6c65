"""From the first user of a home to the last, and every way to be interrupted between."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.runtime.postgres.clusters import Account, Install, eventually
from trueup.runtime.postgres import server

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes through /proc")


def test_a_new_home_becomes_a_database_and_its_only_user_leaves_nothing_running(
    account: Account, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEUP_SECRET_KEY", "not for the server's eyes")
    installation = install(account)

    user = installation.user()
    pid = installation.server()

    shown = (
        "select string_agg(name || '=' || setting, ' ' order by lower(name)) from pg_settings where name = any('{%s}')"
    )
    names = "fsync,full_page_writes,data_checksums,listen_addresses,TimeZone,max_connections,jit,lc_messages"
    assert user.query(shown % names) == (
        "data_checksums=on fsync=on full_page_writes=on jit=off lc_messages=C listen_addresses= "
        "max_connections=100 TimeZone=UTC"
    )
    described = "select format('%s %s %s', datname, pg_encoding_to_char(encoding), datcollate) from pg_database"
    assert user.query(f"{described} where datname = current_database()") == "trueup UTF8 C"
    assert user.query("select current_user::text") == "trueup"
    assert user.query("select current_setting('data_directory')") == str(installation.root / "postgres" / "data")
    assert installation.home.password.stat().st_mode & 0o777 == 0o600
    assert any(line.startswith("making the database") for line in user.progress)
    assert Path(f"/proc/{pid}").stat().st_uid != 0
    assert b"TRUEUP_SECRET_KEY" not in Path(f"/proc/{pid}/environ").read_bytes()
    assert user.told("release") == {"released": True}
    assert installation.is_quiet()
    assert [path.name for path in (installation.root / "postgres").iterdir()] == ["data"]


def test_the_server_stays_until_its_last_user_has_left(account: Account, installed: Install) -> None:
    installation = installed(account)
    first = installation.user()
    pid = installation.server()
    second = installation.user()

    assert first.told("release") == {"released": True}

    assert second.query("select 1") == 1
    assert installation.server() == pid
    assert second.told("release") == {"released": True}
    assert installation.is_quiet()


def test_a_user_that_comes_while_the_server_stops_gets_a_new_one(me: Account, installed: Install) -> None:
    installation = installed(me)
    user = installation.user()
    user.query("create table kept as select 1 as one")

    assert user.told("release") == {"released": True}
    assert "url" in user.told("acquire")
    leaving, coming = installation.users[0], installation.begin()
    leaving.told("release")
    coming.hear()

    assert coming.query("select one from kept") == 1


def test_installations_live_side_by_side_also_with_odd_names(me: Account, installed: Install) -> None:
    plain, odd = installed(me), installed(me, """it's "a" home, 100% über""")

    one, other = plain.user(), odd.user()
    one.query("create table here as select 'plain'::text as name")
    other.query("create table here as select 'odd'::text as name")

    assert one.query("select name from here") == "plain"
    assert other.query("select name from here") == "odd"
    assert plain.server() != odd.server()


def test_after_everything_was_killed_the_next_user_finds_its_data(account: Account, installed: Install) -> None:
    installation = installed(account)
    user = installation.user()
    user.query("create table kept as select generate_series(1, 1000) as n")

    installation.kill_everything()
    again = installation.user()

    assert again.query("select count(*) from kept") == 1000
    assert "was not properly shut down" in installation.home.server_log.read_text(encoding="utf-8")


def test_a_killed_user_takes_the_server_with_it(me: Account, installed: Install) -> None:
    installation = installed(me)
    user = installation.user()

    user.kill()

    eventually(installation.is_quiet, "keeper and server are gone")


def test_a_killed_server_comes_back_at_the_same_address(me: Account, installed: Install) -> None:
    installation = installed(me)
    user = installation.user()
    user.query("create table kept as select 1 as one")
    killed = installation.server()

    os.kill(killed, signal.SIGKILL)
    eventually(lambda: installation.server() not in {0, killed}, "another server runs")
    again = installation.user()

    assert again.url == user.url
    assert again.query("select one from kept") == 1


def test_a_new_keeper_takes_over_the_running_server_and_keeps_it(me: Account, installed: Install) -> None:
    installation = installed(me)
    user = installation.user()
    (keeper,), taken_over = installation.keepers(), installation.server()
    installation.kill_keeper(keeper)

    assert user.told("check") == {"alive": False}
    eventually(lambda: user.told("check") == {"alive": True}, "the new keeper holds its lock")
    assert user.query("select 1") == 1
    assert installation.server() == taken_over
    os.kill(taken_over, signal.SIGKILL)
    eventually(lambda: installation.server() not in {0, taken_over}, "another server runs")
    assert installation.user().query("select 1") == 1


def test_a_root_that_may_not_look_into_processes_still_knows_its_server(contained: Account, installed: Install) -> None:
    installation = installed(contained)
    user = installation.user()
    (keeper,), taken_over = installation.keepers(), installation.server()
    look = contained.start("-c", f"import os; os.readlink('/proc/{taken_over}/cwd')")
    look.communicate()
    assert look.returncode == 1

    installation.kill_keeper(keeper)
    user.told("check")
    eventually(lambda: user.told("check") == {"alive": True}, "the new keeper holds its lock")

    assert user.query("select 1") == 1
    assert installation.server() == taken_over
    assert user.told("release") == {"released": True}
    assert installation.is_quiet()


def test_a_server_that_was_taken_over_stops_with_its_last_user(me: Account, installed: Install) -> None:
    installation = installed(me)
    user = installation.user()
    (keeper,) = installation.keepers()
    installation.kill_keeper(keeper)
    user.told("check")
    eventually(lambda: user.told("check") == {"alive": True}, "the new keeper holds its lock")

    assert user.told("release") == {"released": True}

    assert installation.is_quiet()


def test_signals_to_a_terminal_or_a_service_do_not_reach_the_database(me: Account, installed: Install) -> None:
    installation = installed(me)
    first, second = installation.user(), installation.user()
    (keeper,), pid = installation.keepers(), installation.server()

    os.killpg(first.process.pid, signal.SIGINT)
    first.process.wait()
    os.kill(keeper, signal.SIGTERM)

    assert second.query("select 1") == 1
    assert second.told("check") == {"alive": True}
    assert (installation.keepers(), installation.server()) == ([keeper], pid)


def test_a_stale_pid_file_harms_nobody(me: Account, installed: Install) -> None:
    installation = installed(me)
    data = installation.home.data()
    owner = data.stat()
    # A process of the server's own user: PostgreSQL itself would take it for a running server and refuse to start.
    bystander = subprocess.Popen(["/bin/sleep", "60"], user=owner.st_uid if os.geteuid() == 0 else None)
    lines = [str(bystander.pid), str(data), "1700000000", "5432", str(installation.home.socket), "", "1 1", "ready"]
    (data / "postmaster.pid").write_text("\n".join(lines) + "\n")

    user = installation.user()

    assert user.query("select 1") == 1
    assert user.told("release") == {"released": True}
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_crash_while_the_database_is_made_leaves_nothing_half_made(me: Account, install: Install) -> None:
    installation = install(me)
    storage = installation.root / "postgres"
    user = installation.begin()
    eventually(lambda: list(storage.glob(".new-*/PG_VERSION")), "initdb is at work")

    for keeper in installation.keepers():
        os.kill(keeper, signal.SIGKILL)
    user.kill()
    assert not (storage / "data").exists()
    again = installation.user()

    assert again.query("select 1") == 1
    assert [path.name for path in storage.iterdir()] == ["data"]


def test_recovery_of_much_write_ahead_log_is_waited_for_and_reported(me: Account, installed: Install) -> None:
    installation = installed(me)
    user = installation.user()
    rows = "select n, repeat(md5(n::text), 40) as filler from generate_series(1, 220000) as n"
    user.query("set synchronous_commit = off")
    user.query(f"create table kept as {rows}")
    written = user.query("select pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn) from pg_control_checkpoint()")

    installation.kill_everything()
    again = installation.user()

    assert int(str(written)) > 290_000_000
    assert again.query("select count(*) from kept") == 220_000
    assert any(line.startswith("recovering: redo") for line in again.progress)


def test_a_socket_that_was_cleaned_away_comes_back(me: Account, installed: Install) -> None:
    installation = installed(me)
    user = installation.user()
    killed = installation.server()

    (installation.home.socket / ".s.PGSQL.5432").unlink()

    eventually(lambda: installation.server() not in {0, killed}, "another server runs")
    assert installation.user().url == user.url


def test_a_home_that_is_deleted_takes_its_processes_with_it(me: Account, installed: Install) -> None:
    installation = installed(me)
    installation.user()
    assert len(installation.keepers()) == 1
    handle = server.Server(installation.server(), installation.home.data())

    subprocess.run(["rm", "-rf", str(installation.root)], check=True)

    eventually(lambda: not handle.alive() and not installation.keepers(), "keeper and server are gone")
    handle.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_under_root_the_server_runs_as_the_user_whose_database_it_is(
    me: Account, nobody: Account, installed: Install
) -> None:
    installation = installed(nobody)

    user = installation.user(account=me)

    assert user.query("select 1") == 1
    assert Path(f"/proc/{installation.server()}").stat().st_uid == pwd.getpwnam("nobody").pw_uid


def test_two_first_users_at_once_make_one_database(me: Account, install: Install) -> None:
    installation = install(me)

    users = [installation.begin() for _ in range(3)]
    answers = [user.hear() for user in users]

    assert len({str(answer.get("url")) for answer in answers}) == 1
    assert len(installation.keepers()) == 1
    began = time.monotonic()
    for user in users:
        assert user.told("release") == {"released": True}
    assert installation.is_quiet()
    assert time.monotonic() - began < 10
