"""The page of the sandbox runs as it is written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def test_the_example_for_other_projects_runs(repository: Path, tmp_path: Path) -> None:
    page = (repository / "docs" / "sandbox.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "example.py"
    file.write_text(example, encoding="utf-8")

    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
