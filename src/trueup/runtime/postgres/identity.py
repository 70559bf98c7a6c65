"""Who the server runs as. PostgreSQL refuses to run as root, so root hands it to an unprivileged user."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from trueup.kernel.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OVERRIDE: Final = "TRUEUP_POSTGRES_USER"
"""The environment variable that names the user for the server when Trueup runs as root."""

_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", OVERRIDE)


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The operating system user that the server runs as; ``switched`` says that it is not the present one."""

    uid: int
    gid: int
    name: str
    switched: bool

    def spawn(
        self, argv: Sequence[str | Path], *, stdin: int | IO[bytes] | None, output: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start a program as this user in its own session, in ``/``, umask 077 and no secret in the environment."""
        return subprocess.Popen(  # noqa: S603 - our own binaries, never a shell's words
            argv,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment() | {"LC_ALL": "C", "TZ": "UTC"},
            umask=0o077,
            start_new_session=True,
            user=self.uid if self.switched else None,
            group=self.gid if self.switched else None,
            extra_groups=[] if self.switched else None,
        )

    def run(self, argv: Sequence[str | Path], *, text: str = "") -> tuple[int, str]:
        """Run a program to its end with ``text`` as its input; gives its exit status and all it wrote.

        The status is 126 when the program cannot be executed, and negative when a signal ended it.
        """
        try:
            with self.spawn(argv, stdin=subprocess.PIPE, output=subprocess.PIPE) as process:
                output, _ = process.communicate(text.encode())
        except OSError as error:
            return 126, f"{argv[0]}: {error.strerror}"
        return process.returncode, output.decode("utf-8", "replace")

    def may(self, access: str, *paths: Path) -> bool:
        """Whether this user really has the access (letters of r, w, x) to every path: tried, not computed."""
        tests = " && ".join(f'test -{letter} "$path"' for letter in access)
        status, _ = self.run(["/bin/sh", "-c", f"for path; do {tests} || exit 1; done", "sh", *paths])
        return status == 0


def environment() -> dict[str, str]:
    """The little that keepers and servers inherit, so that no key of ours is readable in a process of another user."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def present_user() -> ServerUser:
    """The user of this process."""
    uid = os.geteuid()
    return ServerUser(uid=uid, gid=os.getegid(), name=_name(uid), switched=False)


def owner(path: Path) -> ServerUser:
    """The user that owns the path, which only root may become; raises ``Refused`` when it is root, or not us."""
    status = path.stat()
    me = os.geteuid()
    if status.st_uid == 0 or me not in {0, status.st_uid}:
        raise Refused(
            f"The database in {path} belongs to {_name(status.st_uid)}, and a server for {_name(me)} cannot run on it.",
            code="postgres_wrong_owner",
            hint="Run Trueup as the user that made the database, or as root after chown -R to a user other than root.",
        )
    return ServerUser(uid=status.st_uid, gid=status.st_gid, name=_name(status.st_uid), switched=status.st_uid != me)


def chosen_user() -> ServerUser:
    """The user for a new database: the present one; under root ``postgres``, ``nobody`` or what ``OVERRIDE`` names."""
    if os.geteuid() != 0:
        return present_user()
    asked = os.environ.get(OVERRIDE)
    for name in [asked] if asked else ["postgres", "nobody"]:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return ServerUser(uid=entry.pw_uid, gid=entry.pw_gid, name=name, switched=True)
    raise Refused(
        f"The embedded PostgreSQL does not run as root, and there is no other user {asked or 'postgres or nobody'}.",
        code="postgres_user_missing",
        hint=f"Let {OVERRIDE} name a user other than root, run Trueup as an ordinary user, or set DATABASE_URL.",
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
