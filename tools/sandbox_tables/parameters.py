"""``routes.json`` and ``parameters.json``: which operations there are, and what each takes."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

from tools.sandbox_tables import sdk
from tools.sandbox_tables.shared import Table, lines

SCALARS: Final = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "Decimal": "decimal",
    "bool": "boolean",
    "Any": "file",
}

ORDERS: Final = (
    # Stripe lists what it takes in an order of its own, the SDK by the alphabet. These were seen in its errors:
    # https://github.com/Kiln-AI/stripe_world (probes of 2026-09-22), https://github.com/vapor-community/stripe-kit/issues/216
    ("none", "reverse", "exempt"),
    ("if_required", "always"),
    (
        *("active", "past_due", "unpaid", "canceled", "incomplete", "incomplete_expired", "trialing", "paused"),
        *("all", "ended"),
    ),
)

CUSTOMERS: Final = re.compile(r"Customer(Create|Update)Params(Shipping)?(Address)?")
UNSET: Final = frozenset(
    {*("description", "email", "name", "phone"), *("city", "country", "line1", "line2", "postal_code", "state")}
)
"""Text of a customer that an empty value unsets, though the SDK does not say so. People report it of updates, where
Stripe's API unset it: https://github.com/stripe/stripe-php/issues/588,
https://github.com/laravel/cashier-stripe/issues/1577. That it is the same when one is created is assumed. Elsewhere the
same fields are known to be refused: https://github.com/Automattic/woocommerce-payments/issues/3012"""

RECORDED: Final = {"SubscriptionUpdateParams": frozenset({"default_payment_method"})}
"""Text that recorded requests unset (2025-10-29.clover), by class of parameters: the SDK does not say so either."""


class Parameters:
    """Reads the classes of parameters that operations name, and those inside."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._table = Table()
        self._seen: set[str] = set()

    def texts(self) -> tuple[str, str]:
        """``routes.json`` and ``parameters.json``."""
        called: dict[str, set[sdk.Route]] = {}
        for route in sdk.routes(self._root):
            called.setdefault(route.operation, set()).add(route)
        routes = {operation: self._agreed(found) for operation, found in called.items()}
        return lines(routes) + "\n", self._table.text(routes.values())

    def _agreed(self, called: set[sdk.Route]) -> str:
        """The parameters of an operation; two services that call it have to say the same."""
        first, *others = sorted(called, key=lambda route: (len(route.params), route.params))
        fields = [sdk.typed_dict(sdk.source(self._root, route.module), route.params) for route in (first, *others)]
        if any(one.keys() != fields[0].keys() for one in fields):
            raise sdk.Unreadable(f"{first.operation}: services do not agree on its parameters")
        return self._read(sdk.source(self._root, first.module), first.params)

    def _read(self, file: Path, name: str) -> str:
        """Put a class into the table; answers with its name there, ``checkout.SessionCreateParams``."""
        inside = file.parent.relative_to(self._root).parts
        spaces = inside[1:] if inside[:1] == ("params",) else inside
        full = ".".join((*spaces, name))
        if full in self._seen:
            return full
        self._seen.add(full)
        fields = {}
        annotations = sdk.typed_dict(file, name)
        whole = {at: _required(annotation) for at, annotation in annotations.items()}
        for at, annotation in annotations.items():
            word = self._word(file, f"{full}.{at}", _bare(annotation))
            known = UNSET if CUSTOMERS.fullmatch(full) else RECORDED.get(full, frozenset())
            if word == "string" and at in known:
                word = "?string"
            fields[at + "!" * whole[at]] = word
        self._table.put(full, fields)
        return full

    def _word(self, file: Path, at: str, node: ast.expr) -> str:
        """The words for a type."""
        empties, words, values, objects = False, [], [], []
        for arm in _arms(node):
            match arm:
                case ast.Subscript(value=ast.Name("Literal"), slice=inner):
                    literals = [ast.literal_eval(one) for one in _elements(inner)]
                    empties |= "" in literals
                    values += [one for one in literals if one != ""]
                case ast.Subscript(value=ast.Name("List"), slice=inner):
                    words.append("[]" + self._word(file, at, inner))
                case ast.Subscript(value=ast.Name("Dict"), slice=ast.Tuple([_, inner])):
                    words.append("{}" + self._word(file, at, inner))
                case ast.Subscript(value=ast.Name("Optional"), slice=inner):
                    words.append("?" + self._word(file, at, inner))
                case ast.Subscript(value=ast.Name("UntypedStripeObject")):
                    pass  # The SDK's own object, which is sent as the map beside it.
                case ast.Name(name) if name in SCALARS:
                    words.append(SCALARS[name])
                case ast.Name(name):
                    objects.append(self._read(*self._found(file, name)))
                case _:
                    raise sdk.Unreadable(f"{at}: {ast.unparse(arm)}")
        if values:
            # ``Literal[...]|str`` is how the SDK leaves room for values that are newer than itself.
            words = [self._values(at, values), *(word for word in words if word != "string")]
        if objects:
            words.append("@" + ",".join(objects))
        if not words:
            words = ["()"]  # Nothing but the empty value.
        word = words[0] if len(words) == 1 else f"<{'/'.join(words)}>"
        return "?" * (empties and not word.startswith("?")) + word

    def _values(self, at: str, values: list[str]) -> str:
        known = next((order for order in ORDERS if set(order) == set(values)), values)
        return self._table.values(at, known)

    def _found(self, file: Path, name: str) -> tuple[Path, str]:
        """Where a class that ``file`` names is."""
        module = sdk.imported(file).get(name)
        return (file, name) if module is None else (sdk.source(self._root, module[0]), module[1])


def _unquoted(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.parse(node.value, mode="eval").body
    return node


def _required(node: ast.expr) -> bool:
    return not (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "NotRequired")


def _bare(node: ast.expr) -> ast.expr:
    return node if _required(node) or not isinstance(node, ast.Subscript) else node.slice


def _elements(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def _arms(node: ast.expr) -> list[ast.expr]:
    """The members of a union, however it is written."""
    node = _unquoted(node)
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return [*_arms(left), *_arms(right)]
        case ast.Subscript(value=ast.Name("Union"), slice=inner):
            return [arm for one in _elements(inner) for arm in _arms(one)]
        case _:
            return [node]
