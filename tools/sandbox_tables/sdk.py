"""The installed Stripe SDK as source: it is read, never imported."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = "stripe"
SERVICES: Final = "*_service.py"
ABSTRACT: Final = frozenset({"_stripe_service.py", "_oauth_service.py"})
"""The base of all services, and OAuth: a protocol of its own at another address."""
CALLS: Final = frozenset({"_request", "_request_stream"})


class Unreadable(Exception):
    """The SDK is not written as this tool expects: it has to be taught first."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: ``POST /v1/customers/{customer}`` and the class that its parameters have, as module and name."""

    operation: str
    module: str
    params: str


def folder() -> Path:
    """Where the SDK is installed. Raises ``Unreadable`` where it is not."""
    found = importlib.util.find_spec(FOLDER)
    if found is None or found.origin is None:
        message = "the stripe SDK is not installed"
        raise Unreadable(message)
    return Path(found.origin).parent


@cache
def tree(file: Path) -> ast.Module:
    """The syntax of one file."""
    return ast.parse(file.read_bytes())


@cache
def imported(file: Path) -> dict[str, tuple[str, str]]:
    """What a file imports: the name it uses to module (``stripe._card``) and the name there."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


@cache
def classes(file: Path) -> dict[str, ast.ClassDef]:
    """The classes at the top of a file."""
    return {node.name: node for node in tree(file).body if isinstance(node, ast.ClassDef)}


@cache
def int64s(file: Path) -> frozenset[tuple[str, str]]:
    """The integers of a file's classes, at any depth, that travel as strings: class and field."""
    return frozenset(
        (node.name, str(key.value))
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ClassDef)
        for told in node.body
        if isinstance(told, ast.Assign) and isinstance(told.value, ast.Dict)
        for key, value in zip(told.value.keys, told.value.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant) and value.value == "int64_string"
    )


def source(root: Path, module: str) -> Path:
    """The file of a module ``stripe.params._customer_create_params``."""
    return (root.parent / module.replace(".", "/")).with_suffix(".py")


def routes(root: Path) -> Iterator[Route]:
    """Every operation that a service of the SDK calls; one operation may be called by several."""
    for file in sorted(root.rglob(SERVICES)):
        if file.name in ABSTRACT:
            continue
        for service in classes(file).values():
            for function in service.body:
                if isinstance(function, ast.FunctionDef) and not function.name.startswith("__"):
                    yield route(file, function)


def route(file: Path, function: ast.FunctionDef) -> Route:
    """The operation that a function of a service calls. Raises ``Unreadable`` where it is not exactly one."""
    found = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS
    ]
    named = [one for one in function.args.args if one.arg == "params"]
    if len(found) != 1 or len(named) != 1:
        raise Unreadable(f"{file.name}: {function.name} makes {len(found)} calls with {len(named)} parameters")
    method, path = found[0].args[:2]
    if isinstance(path, ast.Call) and isinstance(path.func, ast.Attribute):
        path = path.func.value  # "/v1/customers/{customer}".format(customer=...)
    if not (isinstance(method, ast.Constant) and isinstance(path, ast.Constant) and isinstance(path.value, str)):
        raise Unreadable(f"{file.name}: {function.name} computes what it calls")
    known = imported(file)
    names = [
        node.value if isinstance(node, ast.Constant) else node.id
        for node in ast.walk(named[0].annotation or ast.Constant(None))
        if isinstance(node, ast.Constant | ast.Name)
    ]
    params = [known[name] for name in names if isinstance(name, str) and name.endswith("Params") and name in known]
    if len(params) != 1:
        raise Unreadable(f"{file.name}: {function.name} names no parameters")
    return Route(f"{str(method.value).upper()} {path.value}", *params[0])


def typed_dict(file: Path, name: str) -> dict[str, ast.expr]:
    """The fields of a ``TypedDict``, with those of the one it is made from; names that Python reserves stand there."""
    node = classes(file).get(name)
    if node is None:
        return _functional(file, name)
    fields: dict[str, ast.expr] = {}
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id.startswith("_"):
            fields |= _functional(file, base.id)
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            fields[statement.target.id] = statement.annotation
        elif not isinstance(statement, ast.Expr | ast.Pass):
            raise Unreadable(f"{file.name}: {name} has more than fields")
    return fields


def _functional(file: Path, name: str) -> dict[str, ast.expr]:
    """``_Base = TypedDict("Base", {"from": "Other"})``."""
    for node in tree(file).body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == name
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.args[1], ast.Dict)
        ):
            told = node.value.args[1]
            return {
                str(key.value): value
                for key, value in zip(told.keys, told.values, strict=True)
                if isinstance(key, ast.Constant)
            }
    raise Unreadable(f"{file.name}: there is no {name}")
