"""Import contracts that import-linter lacks; `pyproject.toml` names them under `contract_types`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from importlinter import Contract, ContractCheck, fields, output
from typing_extensions import override

if TYPE_CHECKING:
    import grimp

ARROW: Final = " -> "


class PackagePrivate(Contract):
    """Modules with the given names may be imported only from inside their own top-level package.

    ``allowed`` lists exceptions as ``importing.package -> name``: that package may import any package's module of the
    name.
    """

    type_name = "package_private"

    root = fields.StringField()
    names = fields.SetField(subfield=fields.StringField())
    allowed = fields.SetField(subfield=fields.StringField(), required=False)

    @override
    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Find imports that reach into another package."""
        del verbose
        # Import-linter replaces the field objects of the class by the parsed values of the contract.
        root, names = cast("str", self.root), cast("set[str]", self.names)
        allowed = {tuple(rule.split(ARROW)) for rule in cast("set[str] | None", self.allowed) or ()}
        found = [
            (importer, module)
            for module in graph.modules
            if (name := private_name(module, root=root, names=names))
            for importer in graph.find_modules_that_directly_import(module)
            if package(importer) != package(module) and (package(importer), name) not in allowed
        ]
        return ContractCheck(kept=not found, metadata={"found": sorted(found)})

    @override
    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each import that reaches into another package."""
        for importer, module in check.metadata["found"]:
            output.print_error(f"{importer} -> {module} ({module} is private to {package(module)})")
            output.new_line()


def package(module: str) -> str:
    """The top-level package of a module below the root: ``trueup.inbox`` for ``trueup.inbox.intake.app``."""
    return ".".join(module.split(".")[:2])


def private_name(module: str, *, root: str, names: set[str]) -> str | None:
    """The private name in a module's path below its package, or None: ``store`` for ``trueup.mirror.store``."""
    first, *rest = module.split(".")
    return next((part for part in rest[1:] if part in names), None) if first == root else None
