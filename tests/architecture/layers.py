"""The house's plan as its own contracts tell it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

PACKAGE = "trueup"


def contracts(repository: Path) -> list[dict[str, Any]]:
    """The import contracts as configured."""
    tool = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    return list(tool["importlinter"]["contracts"])


def layer_names(repository: Path) -> list[tuple[str, bool]]:
    """Each package that has a layer, and whether it is optional, which means that it does not exist yet."""
    return [(name.strip("()"), name.startswith("(")) for layer in layers(repository) for name in layer]


def ranks(repository: Path) -> dict[str, int]:
    """Package to its layer, 0 at the bottom; packages side by side share a number."""
    return {name.strip("()"): rank for rank, layer in enumerate(reversed(layers(repository))) for name in layer}


def layers(repository: Path) -> list[list[str]]:
    """The layers from the top, each with its packages as written."""
    (contract,) = [contract for contract in contracts(repository) if contract["id"] == "layers"]
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]
