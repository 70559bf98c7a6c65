"""Runs the tests as `make test` does: in random order on two cores, tracing pure files, which must be covered entirely.

`tests/conftest.py` says which tests are traced: those that are about pure files.

Arguments go to pytest. A selection of tests (any argument that is no option) is run without the demand on coverage,
which only all tests together can meet.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.pure_coverage import uncovered

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str]) -> int:
    """Run pytest with the arguments; 0 when all passed and, for a whole run, every pure file is covered."""
    pytest = ["-m", "pytest", "-n", "2", "--dist", "worksteal", *arguments]
    if any(not argument.startswith("-") for argument in arguments):
        return subprocess.run([sys.executable, *pytest], cwd=ROOT, check=False).returncode
    with tempfile.TemporaryDirectory(prefix="trueup-coverage-") as folder:
        # Every process writes its own file here, and some of the tests' processes run as another user.
        Path(folder).chmod(0o1777)
        run = ["-m", "coverage", "run", f"--data-file={folder}/coverage", *pytest]
        code = subprocess.run([sys.executable, *run], cwd=ROOT, check=False).returncode
        os.chdir(ROOT)
        problems = uncovered(ROOT, Path(folder))
    if problems:
        print("\nPure files must be covered to the last branch; these are not:")
        print("\n".join(f"  {problem}" for problem in problems))
    return code or bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
