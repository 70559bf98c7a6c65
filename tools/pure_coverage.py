"""Demands that every line and branch of a pure file has run in the tests.

Pure files are what `[tool.coverage.run] include` in `pyproject.toml` lists. One that no test even imports counts as not
covered, which a percentage over the files seen would hide.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import coverage
from coverage.exceptions import NoDataError


def pure_files(root: Path) -> list[str]:
    """Every pure file of the checkout that is not empty, relative to ``root``, sorted."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["coverage"]["run"]
    found = {file for pattern in settings["include"] for file in root.glob(pattern)}
    return sorted(str(file.relative_to(root)) for file in found if file.read_text(encoding="utf-8").strip())


def uncovered(root: Path, folder: Path) -> list[str]:
    """One line for each pure file with lines or branches that did not run; empty when all did.

    ``folder`` holds what each process wrote, and is emptied of it. The data's paths are relative, so the process has to
    stand in ``root``.
    """
    report = folder / "report.json"
    measured = coverage.Coverage(data_file=str(folder / "coverage"), config_file=str(root / "pyproject.toml"))
    try:
        measured.combine([str(folder)])
        measured.json_report(outfile=str(report))
    except NoDataError:
        return [f"{name}: no test runs it" for name in pure_files(root)]
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    return [problem for name in pure_files(root) if (problem := _problem(name, files.get(name)))]


def _problem(name: str, seen: dict[str, list[object]] | None) -> str | None:
    if seen is None:
        return f"{name}: no test runs it"
    lines = ", ".join(str(line) for line in seen["missing_lines"])
    branches = ", ".join(f"{start} to {'exit' if end < 0 else end}" for start, end in _arcs(seen["missing_branches"]))
    parts = [f"lines {lines}"] * bool(lines) + [f"branches {branches}"] * bool(branches)
    return f"{name}: {'; '.join(parts)}" if parts else None


def _arcs(values: list[object]) -> list[tuple[int, int]]:
    return [(value[0], value[1]) for value in values if isinstance(value, list)]
