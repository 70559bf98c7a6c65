"""Refuses floating point where amounts are: money is whole minor units, rates are exact fractions.

Two rules over the sources: a name that ends in ``_minor`` or ``amount`` is never annotated ``float``, and a file that
computes with amounts never calls ``float`` nor writes a literal such as ``0.5``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
AMOUNT: Final = re.compile(r"(^|_)(minor|amount)$")
EXACT: Final = re.compile(
    r"trueup/(kernel/money\.py|(mirror|customer|billing|revenue|usage)/"
    r"((types|errors|fold|rules)\.py|(fold|rules|upcast)/.*))$"
)
"""The files that compute with amounts."""


def floats(source: str, *, exact: bool) -> Iterator[tuple[int, str]]:
    """Line and sentence of each refused floating point; ``exact`` marks a file that computes with amounts."""
    for node in ast.walk(ast.parse(source)):
        for name, annotation in _annotated(node):
            if AMOUNT.search(name) and annotation is not None and "float" in ast.unparse(annotation):
                yield annotation.lineno, f"{name} is an amount and must not be a float"
        if exact and isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            yield node.lineno, "float() loses exactness: keep integers or Fraction"
        if exact and isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, f"{node.value} is not exact: write Fraction(numerator, denominator)"


def _annotated(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name), annotation=annotation):
            yield name, annotation
        case ast.arg(arg=name, annotation=annotation):
            yield name, annotation
        case ast.FunctionDef(name=name, returns=returns) | ast.AsyncFunctionDef(name=name, returns=returns):
            yield name, returns


def main() -> int:
    """Look through the sources; 0 when nothing is found."""
    found = [
        f"{file.relative_to(ROOT)}:{line}: {problem}"
        for file in sorted((ROOT / "src").rglob("*.py"))
        for line, problem in floats(file.read_text(encoding="utf-8"), exact=bool(EXACT.search(str(file))))
    ]
    print("\n".join(found) if found else "No floating point where amounts are.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
