"""The people and the homes that the tests of the embedded PostgreSQL play with."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.postgres.clusters import Account, Install, Installation


def _is_roomy(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 3 << 30


# In memory where there is enough of it: the processes are the same, and nobody waits for a disk.
_ROOM = next(filter(_is_roomy, [Path("/dev/shm")]), Path("/tmp"))  # noqa: S108 - mkdtemp makes names in it


@pytest.fixture(scope="session")
def me() -> Account:
    """The user who runs the tests."""
    return Account("the present user", os.geteuid(), os.getegid(), sys.executable)


@pytest.fixture(scope="session")
def nobody() -> Account:
    """An ordinary user: ``nobody`` under root, the present user otherwise."""
    if os.geteuid() != 0:
        return Account("the present user", os.geteuid(), os.getegid(), sys.executable)
    entry = pwd.getpwnam("nobody")
    for interpreter in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        account = Account("nobody", entry.pw_uid, entry.pw_gid, interpreter)
        try:
            process = account.start("-c", "import psycopg, trueup.runtime.postgres.cluster")
        except OSError:
            continue
        process.communicate()
        if process.returncode == 0:
            return account
    pytest.skip("nobody can reach no Python of this version together with the checkout and its packages")


@pytest.fixture(scope="session")
def contained() -> Account:
    """Root as it is in a container: it may change its user, and may not look into the processes of others."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv")
    rights = [
        "chown",
        "dac_override",
        "fowner",
        "fsetid",
        "kill",
        "setgid",
        "setuid",
        "setpcap",
        "net_bind_service",
        "sys_chroot",
    ]
    prefix = ["setpriv", "--inh-caps=-all", f"--bounding-set=-all,{','.join(f'+{right}' for right in rights)}"]
    return Account("contained root", 0, 0, sys.executable, prefix)


@pytest.fixture(params=["me", "nobody"])
def account(request: pytest.FixtureRequest) -> Account:
    """Root and an ordinary user in turn; the ordinary user twice when the tests do not run as root."""
    chosen: Account = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(scope="session")
def homes() -> Iterator[_Homes]:
    """All homes of a run that outlive a test, removed at its end."""
    made = _Homes()
    yield made
    made.remove()


@pytest.fixture
def install() -> Iterator[Install]:
    """Make empty homes in folders that everybody may pass through; everything is gone at the end."""
    made = _Homes()
    yield made.make
    made.remove()


@pytest.fixture
def installed(install: Install, homes: _Homes) -> Install:
    """Make homes that have a database already: copies of one that is made once per account."""

    def make(account: Account, name: str = "home", template: Path | None = None) -> Installation:
        return install(account, name, template or homes.template(account))

    return make


@pytest.fixture(scope="session")
def running(homes: _Homes, me: Account) -> Installation:
    """A home with one user, for tests that only look; the server has been given settings."""
    installation = homes.make(me, template=homes.template(me))
    installation.user(work_mem="9MB", search_path='"$user", public').url  # noqa: B018 - asks whether it has one
    return installation


class _Homes:
    """Homes of one test or of the whole run."""

    def __init__(self) -> None:
        self._made: list[Installation] = []
        self._templates: dict[str, Path] = {}

    def make(self, account: Account, name: str = "home", template: Path | None = None) -> Installation:
        parent = Path(tempfile.mkdtemp(prefix="trueup-pg-", dir=_ROOM))
        parent.chmod(0o711)
        if account.switched:
            os.chown(parent, account.uid, account.gid)
        self._made.append(Installation(parent / name, account))
        if template is not None:
            subprocess.run(["cp", "-a", str(template), str(parent / name)], check=True)
        return self._made[-1]

    def template(self, account: Account) -> Path:
        if account.name not in self._templates:
            installation = self.make(account)
            user = installation.user()
            assert "url" in user.answer, user.answer
            assert user.told("release") == {"released": True}
            self._templates[account.name] = installation.root
        return self._templates[account.name]

    def remove(self) -> None:
        for installation in self._made:
            installation.remove()
