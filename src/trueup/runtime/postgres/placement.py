"""Where programs, data and socket of one installation go, such that the server's user reaches them."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trueup.kernel.errors import Broken, Refused
from trueup.runtime.postgres.binaries import STATE_ROOT, binaries, state_root
from trueup.runtime.postgres.home import synchronise, unusable_home, write_atomically
from trueup.runtime.postgres.identity import ServerUser, chosen_user, owner

if TYPE_CHECKING:
    from trueup.runtime.postgres.home import Home

PORT: Final = 5432
"""Only a part of the socket's file name; the server listens on no network."""

_LONGEST_SOCKET: Final = 100
"""Bytes that a socket's path stays under: ``sun_path`` holds 108 on Linux and 104 on macOS, with the final zero."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Who runs the server, from which ``bin`` folder, on which data directory (which may not exist yet)."""

    user: ServerUser
    programs: Path
    data: Path


def place(home: Home, version: int) -> Placement:
    """Decide and prepare where things are; the data directory's folder exists afterwards. Idempotent.

    Raises ``Refused`` when the server's user cannot reach a place, and ``Broken`` when a recorded place is gone.
    """
    data = home.data()
    if data.exists():
        user = owner(data)
        if user.switched:
            _let_through(home)
            if not user.may("rwx", data):
                raise Refused(
                    f"The server's user {user.name} cannot reach the database in {data}.",
                    code="postgres_unreachable",
                    hint="Let others pass through its parent folders (chmod o+x), or move TRUEUP_HOME as a whole.",
                )
    else:
        user = chosen_user()
        data = _new_storage(home, user) / "data"
    return Placement(user=user, programs=binaries(version, user), data=data)


def refuse_other_version(home: Home, version: int) -> None:
    """Raise ``Refused`` when the data directory was made by another major version; one that does not exist is fine."""
    try:
        found = (home.data() / "PG_VERSION").read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise unusable_home(home.root, error) from None
    if found != str(version):
        raise Refused(
            f"The database in {home.data()} was made by PostgreSQL {found}, and this is PostgreSQL {version}.",
            code="postgres_wrong_version",
            hint=f"Dump it with PostgreSQL {found} (pg_dump) and restore the dump into a new TRUEUP_HOME, "
            "or use the Trueup that made it.",
        )


def socket_folder(home: Home, user: ServerUser) -> Path:
    """A folder of mode 0700 of the server's user for its socket: in the home, or else in the temporary folder.

    It is somewhere else only when the path in the home is too long, has a comma or is out of the user's reach.
    """
    if _can_be_addressed(home.socket) and _own(home.socket, user) and _reaches(user, home.socket):
        return home.socket
    digest = hashlib.sha256(os.fsencode(home.root)).hexdigest()[:16]
    for parent in dict.fromkeys(Path(name) for name in (tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108 - names below are verified
        for attempt in range(10):
            # Somebody else may have taken the name; what is not ours is never used, the next name is tried instead.
            folder = parent / f"trueup-{digest}{f'-{attempt}' if attempt else ''}"
            if not _can_be_addressed(folder) or not parent.is_dir():
                break
            if _own(folder, user) and _reaches(user, folder):
                return folder
    raise Refused(
        f"There is no folder for the database's socket: {home.socket} and all temporary folders "
        "have too long a path, a comma in it, or are out of the server's reach.",
        code="postgres_socket_unplaceable",
        hint="Let TRUEUP_HOME name a folder with a shorter path.",
    )


def _let_through(home: Home) -> None:
    """Let others pass through the home itself, which is ours, and never through a parent or somebody's login folder."""
    for folder in (home.root, home.run):
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & 0o001 and folder != Path.home():
            folder.chmod(mode | 0o011)


def _new_storage(home: Home, user: ServerUser) -> Path:
    storage = home.storage()
    if storage != home.root / "postgres":
        if not storage.is_dir():
            raise Broken(
                f"{home.location} says that the database is in {storage}, and there is no such folder.",
                code="postgres_data_missing",
                hint="Bring the folder back from a backup, or delete that file to begin with an empty database.",
            )
        return storage
    if not user.switched:
        storage.mkdir(mode=0o700, exist_ok=True)
        return storage
    _let_through(home)
    storage.mkdir(exist_ok=True)
    # Root's own folder: the server's user may pass through and nothing more, and so plants no links for root to follow.
    storage.chmod(0o711)
    if user.may("x", storage):
        return storage
    with state_root():
        clusters = STATE_ROOT / "clusters"
        clusters.mkdir(exist_ok=True)
        clusters.chmod(0o711)
        elsewhere = clusters / secrets.token_hex(8)
        elsewhere.mkdir()
        elsewhere.chmod(0o711)
        synchronise(clusters)
    write_atomically(home.location, f"{elsewhere}\n")
    storage.rmdir()
    return elsewhere


def _can_be_addressed(folder: Path) -> bool:
    """Whether a socket's path there is short enough, and without a comma, which would make it two hosts to libpq."""
    return len(os.fsencode(folder / f".s.PGSQL.{PORT}")) < _LONGEST_SOCKET and "," not in str(folder)


def _reaches(user: ServerUser, folder: Path) -> bool:
    return not user.switched or user.may("rwx", folder)


def _own(folder: Path, user: ServerUser) -> bool:
    """Make the folder if it is missing; true when it then is a real folder of that user that nobody else may enter."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError:
        return False
    else:
        if user.switched:
            os.chown(folder, user.uid, user.gid, follow_symlinks=False)
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == user.uid and not status.st_mode & 0o077
