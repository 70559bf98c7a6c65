"""What a running server grants and refuses."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest

from tests.runtime.postgres.clusters import Account, Install, Installation
from trueup.runtime.postgres import server


def test_a_connection_without_the_password_is_refused(running: Installation) -> None:
    url = running.users[0].url
    password = running.home.password.read_text(encoding="ascii").strip()
    assert password in url

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password, "guessed"))


def test_settings_reach_the_server(running: Installation) -> None:
    assert running.users[0].query("show work_mem") == "9MB"
    assert running.users[0].query("show search_path") == '"$user", public'


@pytest.mark.skipif(server._LISTER is None, reason="there is no lsof")
def test_where_there_is_no_proc_the_server_is_known_by_the_list_of_open_files(
    running: Installation, tmp_path: Path
) -> None:
    pid = running.server()

    assert server._is_listed_in(pid, running.home.data())
    assert not server._is_listed_in(os.getpid(), running.home.data())
    assert not server._is_listed_in(os.getpid(), Path.cwd())
    assert not server._is_listed_in(pid, tmp_path)


def test_only_the_server_itself_is_taken_for_the_server(running: Installation) -> None:
    data = running.home.data()
    with psycopg.connect(running.users[0].url) as connection:
        backend = connection.info.backend_pid
        found = server.find(data)

        assert found is not None
        assert found.pid not in {backend, os.getpid()}
        assert backend in {one.pid for one in server.leftovers(data)}
        assert not server.works_in(os.getpid(), data)
        found.close()


def test_without_process_handles_the_end_of_a_server_is_noticed_too(me: Account, installed: Install) -> None:
    installation = installed(me)
    user = installation.user()
    found = server.Server(installation.server(), installation.home.data())
    found.close()
    assert found.alive()

    assert user.told("release") == {"released": True}

    assert found.ended_within(5)
    found.signal(signal.SIGKILL)
