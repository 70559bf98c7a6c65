"""Makes `.venv` what the requirements say, and nothing when it is so already.

Run by the Makefile with any Python 3.11 or newer, before anything is installed: standard library only. With the
argument `runtime` it installs what Trueup needs to run, with `dev` what tests and gates need on top. Two calls at once
wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
FILES = {"runtime": ("runtime", "build"), "dev": ("dev", "build")}
OLDEST = (3, 11)


def digest(what: str) -> str:
    """A hash over all that decides what `.venv` holds: the pins, our own packaging, the interpreter and the place."""
    sha = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for name in FILES[what]:
        sha.update((ROOT / "requirements" / f"{name}.txt").read_bytes())
    sha.update((ROOT / "requirements" / "runtime.in").read_bytes())
    # Tool settings in pyproject.toml change often and do not concern the installation.
    sha.update((ROOT / "pyproject.toml").read_text(encoding="utf-8").split("# --- tests", maxsplit=1)[0].encode())
    return sha.hexdigest()


def installed() -> dict[str, str]:
    """What was installed, by the digest it had then; empty when `.venv` is missing or was made elsewhere."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(stamp) if PYTHON.exists() else {}


def create() -> None:
    """Make `.venv`, or make it anew where its interpreter is gone, moved or too old."""
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit("This Python cannot make a virtual environment; on Debian: apt-get install python3-venv")
    probe = [str(PYTHON), "-c", f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"]
    pip = VENV / "bin" / "pip"
    usable = PYTHON.exists() and subprocess.run(probe, check=False, capture_output=True).returncode == 0
    if usable and pip.exists() and pip.read_text(encoding="utf-8").startswith(f"#!{VENV}/"):
        return
    venv.create(VENV, clear=VENV.exists(), with_pip=True)


def install(what: str) -> None:
    """Install the pinned requirements by their hashes, then the checkout itself as an editable package."""
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    pinned = [argument for name in FILES[what] for argument in ("-r", str(ROOT / "requirements" / f"{name}.txt"))]
    for command in ([*pip, "--require-hashes", *pinned], [*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)]):
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if code != 0:
            sys.exit(f"Installing the {what} requirements into {VENV} failed; the lines above say why.")


def main(what: str) -> None:
    """Bring `.venv` up to date for ``what``, `runtime` or `dev`; does nothing when its stamp is current."""
    if sys.version_info < OLDEST:
        sys.exit(f"Trueup needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    wanted = digest(what)
    with (ROOT / "requirements" / "build.txt").open(encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = installed()
        if known.get(what) == wanted:
            return
        print(f"Installing the {what} requirements into .venv (once) ...", flush=True)
        create()
        install(what)
        # The development requirements hold the runtime's pins, which a test demands.
        known = installed() | {what: wanted} | ({"runtime": digest("runtime")} if what == "dev" else {})
        STAMP.write_text(json.dumps(known), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
