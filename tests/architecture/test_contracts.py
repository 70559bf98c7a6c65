"""The import contracts hold, mean something, and catch what they are for."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grimp
import pytest

from tests.architecture.layers import PACKAGE, contracts, layer_names


@dataclass(frozen=True)
class Seed:
    """An import that must be refused: ``line`` is put at the end of ``file``, made when missing, below the package."""

    contract: str
    file: str
    line: str
    says: str
    """What the report has to name: the offending import."""


SEEDS = {
    "a lower domain imports an upper one": Seed(
        "layers", "mirror/store.py", "import trueup.customer.types", "trueup.mirror.store -> trueup.customer.types"
    ),
    "a surface imports its sibling": Seed(
        "layers", "web/seeded.py", "import trueup.ops", "trueup.web.seeded -> trueup.ops"
    ),
    "the machinery imports a domain": Seed(
        "layers", "runtime/wake.py", "import trueup.inbox.types", "trueup.runtime.wake -> trueup.inbox.types"
    ),
    "a package has no layer": Seed("layers", "newcomer/__init__.py", "", "newcomer"),
    "a fold reads the clock": Seed("pure", "customer/fold.py", "import time", "trueup.customer.fold -> time"),
    "rules reach the database through a neighbour": Seed(
        "pure", "mirror/rules.py", "import trueup.runtime.database", "trueup.runtime.database -> django"
    ),
    "the kernel writes a log": Seed("pure", "kernel/money.py", "import logging", "trueup.kernel.money -> logging"),
    "an upcaster makes up an id": Seed(
        "pure", "mirror/upcast/seeded.py", "import random", "trueup.mirror.upcast.seeded -> random"
    ),
    "the intake loads Django": Seed(
        "hot", "inbox/intake/seeded.py", "from django.db import connection", "trueup.inbox.intake.seeded -> django"
    ),
    "the intake loads pydantic through the configuration": Seed(
        "hot",
        "inbox/intake/seeded.py",
        "import trueup.runtime.configuration",
        "trueup.runtime.configuration -> pydantic",
    ),
    "a connector loads the job queue": Seed(
        "hot", "connectors/stripe/seeded.py", "import procrastinate", "trueup.connectors.stripe.seeded -> procrastinate"
    ),
    "a connector asks another one": Seed(
        "connectors",
        "connectors/slack/seeded.py",
        "import trueup.connectors.webhook.client",
        "trueup.connectors.slack.seeded -> trueup.connectors.webhook.client",
    ),
    "a domain reads another one's tables": Seed(
        "private", "customer/store.py", "import trueup.mirror.models", "trueup.customer.store -> trueup.mirror.models"
    ),
    "a page asks a store": Seed(
        "private", "web/seeded.py", "from trueup.inbox.store import x", "trueup.web.seeded -> trueup.inbox.store"
    ),
    "the wiring takes more than tasks": Seed(
        "private", "config/seeded.py", "import trueup.mirror.store", "trueup.config.seeded -> trueup.mirror.store"
    ),
    "the sandbox asks Stripe's SDK": Seed(
        "sandbox-imports", "sandbox/world/seeded.py", "import stripe", "trueup.sandbox.world.seeded -> stripe"
    ),
    "the sandbox borrows our mirror": Seed(
        "sandbox-imports",
        "sandbox/invoices/seeded.py",
        "import trueup.mirror.types",
        "trueup.sandbox.invoices.seeded -> trueup.mirror.types",
    ),
    "the mirror asks the sandbox": Seed(
        "sandbox-imported", "mirror/store.py", "import trueup.sandbox.world", "trueup.mirror.store -> trueup.sandbox"
    ),
    "payments ask invoices": Seed(
        "sandbox-layers",
        "sandbox/payments/seeded.py",
        "import trueup.sandbox.invoices.totals",
        "trueup.sandbox.payments.seeded -> trueup.sandbox.invoices.totals",
    ),
    "two files of a domain need each other": Seed(
        "acyclic", "mirror/store.py", "import trueup.mirror.service", "trueup.mirror"
    ),
}


def lint(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the import linter on the tree at ``root``."""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
            "--no-cache",
            "--no-logo",
            *arguments,
        ],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "400", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(repository: Path, tmp_path: Path) -> Path:
    """A copy of the sources and the contracts that a test may spoil."""
    shutil.copytree(
        repository / "src" / PACKAGE,
        tmp_path / "src" / PACKAGE,
        ignore=lambda _folder, names: [name for name in names if "." in name and not name.endswith(".py")],
    )
    shutil.copytree(repository / "tools", tmp_path / "tools")
    shutil.copy(repository / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_are_kept(repository: Path) -> None:
    result = lint(repository)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("_case", SEEDS)
def test_a_seeded_violation_is_caught(_case: str, tree: Path) -> None:
    seed = SEEDS[_case]
    file = tree / "src" / PACKAGE / seed.file
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as source:
        source.write(f"\n{seed.line}\n")

    result = lint(tree, "--contract", seed.contract)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout
    assert seed.says in re.sub(r"\s+", " ", result.stdout)


def test_wiring_may_load_any_packages_tasks(tree: Path) -> None:
    (tree / "src" / PACKAGE / "config" / "seeded.py").write_text("import trueup.mirror.tasks\n", encoding="utf-8")

    result = lint(tree, "--contract", "private")

    assert result.returncode == 0, result.stdout + result.stderr


def test_every_contract_has_a_seeded_violation(repository: Path) -> None:
    assert {contract["id"] for contract in contracts(repository)} == {seed.contract for seed in SEEDS.values()}


def test_every_pattern_of_a_contract_matches_a_module(repository: Path) -> None:
    graph = grimp.build_graph(PACKAGE, include_external_packages=True, cache_dir=None)

    silent = [
        f"{contract['id']}: {pattern}"
        for contract in contracts(repository)
        for pattern in patterns(contract)
        if not matches(graph, pattern)
    ]

    assert silent == []


def test_a_pattern_that_matches_nothing_is_seen() -> None:
    graph = grimp.build_graph(PACKAGE, include_external_packages=True, cache_dir=None)

    assert not matches(graph, "trueup.*.nothing")
    assert not matches(graph, "no_such_distribution")


def test_every_existing_package_has_exactly_one_layer(repository: Path) -> None:
    existing = {folder.parent.name for folder in (repository / "src" / PACKAGE).glob("*/__init__.py")}

    assert existing == {name for name, optional in layer_names(repository) if not optional} | ({"sandbox"} & existing)


@pytest.mark.parametrize(
    ("packages", "connectors", "expected"),
    [
        ({"kernel"}, {"stripe"}, set()),
        ({"kernel"}, {"stripe", "salesforce"}, {"connectors"}),
        ({"kernel", "sandbox"}, {"stripe"}, {"sandbox-imports", "sandbox-imported", "sandbox-layers"}),
    ],
)
def test_what_appears_later_brings_its_contract(packages: set[str], connectors: set[str], expected: set[str]) -> None:
    assert demanded(packages, connectors) - {"layers", "pure", "hot", "private", "acyclic"} == expected


def test_the_contracts_that_the_packages_demand_exist(repository: Path) -> None:
    root = repository / "src" / PACKAGE
    packages = {folder.parent.name for folder in root.glob("*/__init__.py")}
    connectors = {folder.parent.name for folder in root.glob("connectors/*/__init__.py")}

    assert {contract["id"] for contract in contracts(repository)} == demanded(packages, connectors)


def demanded(packages: set[str], connectors: set[str]) -> set[str]:
    """The ids of the contracts that these packages need.

    Connectors do not know each other (``independence``), which means something from the second one on. The sandbox
    imports the kernel only, and only ``ops``, ``config`` and tests import it: two ``forbidden`` contracts, because it
    stands in no layer. It has layers of its own.
    """
    ids = {"layers", "pure", "hot", "private", "acyclic"}
    if len(connectors) > 1:
        ids.add("connectors")
    if "sandbox" in packages:
        ids |= {"sandbox-imports", "sandbox-imported", "sandbox-layers"}
    return ids


def patterns(contract: dict[str, Any]) -> list[str]:
    """Every module expression of a contract, in full."""
    found = [*contract.get("source_modules", ()), *contract.get("forbidden_modules", ()), *contract.get("modules", ())]
    found += [*contract.get("ancestors", ()), *contract.get("containers", ())]
    found += [f"{PACKAGE}.*.{name}" for name in contract.get("names", ())]
    for rule in contract.get("allowed", ()):
        importer, name = rule.split(" -> ")
        found += [importer, f"{PACKAGE}.*.{name}"]
    return found


def matches(graph: grimp.ImportGraph, pattern: str) -> bool:
    """Whether a module expression names one of our modules, or a distribution that is installed."""
    if pattern.partition(".")[0] != PACKAGE:
        return importlib.util.find_spec(pattern) is not None
    return bool(graph.find_matching_modules(pattern))
