"""The gate that wants every branch of a pure file to have run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.pure_coverage import pure_files, uncovered

RULES = """
def sign(number: int) -> str:
    if number < 0:
        return "minus"
    return "plus"


def half(number: int) -> str:
    word = "whole"
    if number % 2:
        word = "half"
    return word
"""


@pytest.fixture
def tree(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one pure file, `sales/rules.py`, an impure one, and an empty `kernel/__init__.py`."""
    (tmp_path / "pyproject.toml").write_text((repository / "pyproject.toml").read_text("utf-8"), encoding="utf-8")
    sales = tmp_path / "src" / "trueup" / "sales"
    kernel = tmp_path / "src" / "trueup" / "kernel"
    for folder in (sales, kernel, sales.parent):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    (sales / "rules.py").write_text(RULES, encoding="utf-8")
    (sales / "store.py").write_text("ROWS = 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def trace(tree: Path, program: str) -> Path:
    """Trace a program in the tree as the tests are traced; returns the folder of data."""
    data = tree / "data"
    data.mkdir()
    script = tree / "program.py"
    script.write_text(f"import sys\nsys.path.insert(0, 'src')\n{program}\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "coverage", "run", f"--data-file={data}/coverage", str(script)], cwd=tree, check=True
    )
    return data


def test_only_pure_files_with_something_in_them_count(tree: Path) -> None:
    assert pure_files(tree) == ["src/trueup/sales/rules.py"]


def test_nothing_is_missing_when_every_branch_ran(tree: Path) -> None:
    data = trace(tree, "from trueup.sales.rules import half, sign\n[sign(-1), sign(1), half(1), half(2)]")

    assert uncovered(tree, data) == []


def test_a_line_that_did_not_run_is_named(tree: Path) -> None:
    data = trace(tree, "from trueup.sales.rules import half, sign\n[sign(1), half(1), half(2)]")

    assert uncovered(tree, data) == ["src/trueup/sales/rules.py: lines 4; branches 3 to 4"]


def test_a_branch_that_was_never_passed_over_is_named(tree: Path) -> None:
    data = trace(tree, "from trueup.sales.rules import half, sign\n[sign(-1), sign(1), half(1)]")

    assert uncovered(tree, data) == ["src/trueup/sales/rules.py: branches 10 to 12"]


@pytest.mark.parametrize("program", ["import trueup.kernel", "import trueup.sales.store", "pass"])
def test_a_pure_file_that_no_test_imports_is_named(program: str, tree: Path) -> None:
    data = trace(tree, program)

    assert uncovered(tree, data) == ["src/trueup/sales/rules.py: no test runs it"]
