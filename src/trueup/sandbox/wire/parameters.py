"""What requests may ask: which operation a path is, and whether its parameters are what Stripe takes.

The messages are those of Stripe's answers, with two exceptions that nobody is known to have recorded and that follow
the others: ``Invalid hash`` for a map that is none, and ``Invalid decimal`` for a number that is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final
from urllib.parse import unquote

import orjson

from trueup.sandbox.wire.notation import Type, parse, table

_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_INDEX: Final = re.compile(r"[0-9]{1,9}")
_DEEPEST: Final = 20
_LARGEST: Final = 2**63 - 1
_BOOLEANS: Final = {"true": True, "false": False}
_EMPTY: Final = (
    "You passed an empty string for '{0}'. We assume empty values are an attempt to unset a parameter; however '{0}' "
    "cannot be unset. You should remove '{0}' from your request or supply a non-empty value."
)


class ParameterError(Exception):
    """A parameter that Stripe refuses: its sentence, the parameter (``items[0][price]``) and the code, if any."""

    def __init__(self, message: str, *, param: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message, self.param, self.code = message, param, code


def match(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """The operation (``POST /v1/customers/{customer}``) that a request means and what its path names, or nothing.

    ``path`` is as it was sent, without the query: its segments are decoded here. A literal segment wins over a
    placeholder, so ``/v1/subscriptions/search`` searches. An empty segment names nothing.
    """
    segments = [unquote(segment) for segment in path.strip("/").split("/")]
    found = _walk(_trie().get(method.upper()), segments, 0)
    if found is None:
        return None
    operation, names = found
    return operation, dict(names)


def check(operation: str, params: Mapping[str, object]) -> dict[str, object]:
    """The parameters with the types that the operation gives them.

    ``params`` is the tree that a form decoder gives: strings, dictionaries, lists; a JSON body may hold numbers,
    booleans and null as well. Integers and booleans become such, numbers and decimals stay the exact strings that were
    sent, arrays become lists in the order of their indices. The empty string stays where it unsets something, and null
    is taken for it. Fields come back in the order in which they were sent.

    Raises ``ParameterError`` for what Stripe refuses: all unknown parameters first, then the first missing one, then
    the first of a wrong type. Raises ``KeyError`` for an operation that Stripe does not have. Lengths and bounds are
    not looked at, nor is what one parameter demands of another.
    """
    name = _operations()[operation]
    reading = _Reading()
    typed = reading.hash(name, params, "", top=True)
    reading.settle()
    return typed


class _Reading:
    """One request's parameters on the way to their types: mistakes are gathered, so that the gravest is told."""

    def __init__(self) -> None:
        self._unknown: list[str] = []
        self._missing: list[str] = []
        self._wrong: list[ParameterError] = []

    def settle(self) -> None:
        """Raise what is to be told, if anything is."""
        if self._unknown:
            plural = "s" * (len(self._unknown) > 1)
            message = f"Received unknown parameter{plural}: {', '.join(self._unknown)}"
            raise ParameterError(message, param=self._unknown[0], code="parameter_unknown")
        for path in self._missing:
            raise ParameterError(f"Missing required param: {path}.", param=path, code="parameter_missing")
        for error in self._wrong:
            raise error

    def hash(self, name: str, params: Mapping[str, object], path: str, *, top: bool = False) -> dict[str, object]:
        """The fields of one object; ``path`` is empty at the top, where ``expand`` is always taken."""
        fields, required = _shape(name)
        typed = {}
        for key, value in params.items():
            at = f"{path}[{key}]" if path else key
            of = fields.get(key) or (_EXPAND if top and key == "expand" else None)
            if of is None:
                self._unknown.append(at)
            else:
                typed[key] = self.value(of, value, at)
        self._missing += [f"{path}[{key}]" if path else key for key in required if params.get(key) is None]
        return typed

    def value(self, of: Type, value: object, path: str) -> object:
        """One value; what is wrong with it is noted, and the answer is then of no use."""
        if value is None or value == "":
            if of.optional:
                return value
            if of.kind == "file":
                return value
            return self._refuse(_EMPTY.format(path), path, "parameter_invalid_empty")
        return self._kinds[of.kind](self, of, value, path)

    def _refuse(self, message: str, path: str, code: str | None = None) -> object:
        self._wrong.append(ParameterError(message, param=path, code=code))
        return None

    def _string(self, _of: Type, value: object, path: str) -> object:
        if isinstance(value, str):
            return value
        if isinstance(value, Mapping | list):
            return self._refuse(f"Invalid string: {_inspected(value)}", path)
        return _text(value)

    def _integer(self, _of: Type, value: object, path: str) -> object:
        if isinstance(value, Mapping | list) or not _whole(value):
            return self._refuse(f"Invalid integer: {_inspected(value, top=True)}", path, "parameter_invalid_integer")
        return int(_text(value))

    def _number(self, _of: Type, value: object, path: str) -> object:
        if isinstance(value, Mapping | list) or not _NUMBER.fullmatch(_text(value)):
            return self._refuse(f"Invalid decimal: {_inspected(value, top=True)}", path)
        return _text(value)

    def _boolean(self, _of: Type, value: object, path: str) -> object:
        if isinstance(value, Mapping | list) or _text(value) not in _BOOLEANS:
            return self._refuse(f"Invalid boolean: {_inspected(value, top=True)}", path)
        return _BOOLEANS[_text(value)]

    def _enum(self, of: Type, value: object, path: str) -> object:
        if isinstance(value, Mapping | list):
            return self._string(of, value, path)
        if _text(value) not in of.values:
            return self._refuse(f"Invalid {path}: must be one of {_or(of.values)}", path)
        return _text(value)

    def _array(self, of: Type, value: object, path: str) -> object:
        if isinstance(value, list):
            return [self.value(of.inside, one, f"{path}[{index}]") for index, one in enumerate(value)]
        if isinstance(value, Mapping) and all(_INDEX.fullmatch(index) for index in value):
            entries = sorted(value.items(), key=lambda entry: int(entry[0]))
            return [self.value(of.inside, one, f"{path}[{index}]") for index, one in entries]
        return self._refuse("Invalid array", path)

    def _map(self, of: Type, value: object, path: str) -> object:
        if not isinstance(value, Mapping):
            return self._refuse("Invalid hash", path)
        # Nothing is the value that takes a key away, as in ``metadata[key]=``.
        return {
            key: one if one is None or one == "" else self.value(of.inside, one, f"{path}[{key}]")
            for key, one in value.items()
        }

    def _one_of(self, of: Type, value: object, path: str) -> object:
        """An object; of several shapes the one whose ``object`` is the one that was sent."""
        if not isinstance(value, Mapping):
            return self._refuse("Invalid object", path)
        fitting = [name for name in of.names if value.get("object") in _literals(name)]
        return self.hash((fitting or of.names)[0], value, path)

    def _union(self, of: Type, value: object, path: str) -> object:
        inner = isinstance(value, Mapping)
        arms = [arm for arm in of.arms if (arm.kind in {"object", "map"}) == inner] or list(of.arms)
        for arm in arms[:-1]:
            if _fits(arm, value):
                return self.value(arm, value, path)
        return self.value(arms[-1], value, path)

    def _file(self, _of: Type, value: object, _path: str) -> object:
        return value

    _kinds: Final[Mapping[str, Callable[[_Reading, Type, object, str], object]]] = {
        "string": _string,
        "integer": _integer,
        "number": _number,
        "decimal": _number,
        "boolean": _boolean,
        "enum": _enum,
        "array": _array,
        "map": _map,
        "object": _one_of,
        "union": _union,
        "file": _file,
    }


_EXPAND: Final = Type(kind="array", of=Type(kind="string"))


def _fits(arm: Type, value: object) -> bool:
    """Whether a value is meant for this member of a union."""
    trial = _Reading()
    trial.value(arm, value, "")
    try:
        trial.settle()
    except ParameterError:
        return arm.kind in {"object", "map"}
    return True


def _whole(value: object) -> bool:
    text = _text(value)
    return not isinstance(value, bool) and _INTEGER.fullmatch(text) is not None and abs(int(text)) <= _LARGEST


def _text(value: object) -> str:
    """A scalar as a form would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _inspected(value: object, *, top: bool = False, deep: int = 0) -> str:
    """A value as Ruby shows it, in which Stripe answers: ``{:name=>"x"}``. What is nested absurdly deep is cut."""
    if deep > _DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        return "{" + ", ".join(f":{key}=>{_inspected(one, deep=deep + 1)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inspected(one, deep=deep + 1) for one in value) + "]"
    if value is None:
        return "nil"
    return orjson.dumps(value).decode() if isinstance(value, str) and not top else _text(value)


def _or(values: tuple[str, ...]) -> str:
    *most, last = values or ("",)
    if not most:
        return last
    return f"{most[0]} or {last}" if len(most) == 1 else f"{', '.join(most)}, or {last}"


# --- the tables ------------------------------------------------------------------------------------------------------


@cache
def _operations() -> dict[str, str]:
    found: dict[str, str] = table("routes.json")
    return found


@cache
def _shapes() -> tuple[dict[str, dict[str, str]], dict[str, list[str]]]:
    told = table("parameters.json")
    return told["objects"], told["enums"]


@cache
def _shape(name: str) -> tuple[dict[str, Type], tuple[str, ...]]:
    """An object's fields, and the names of those that have to be there."""
    objects, enums = _shapes()
    fields = {key.removesuffix("!"): parse(words, enums) for key, words in objects[name].items()}
    return fields, tuple(key[:-1] for key in objects[name] if key.endswith("!"))


def _literals(name: str) -> tuple[str, ...]:
    """What the field ``object`` of a shape may be."""
    told = _shape(name)[0].get("object")
    return told.values if told else ()


class _Node:
    """A segment of a path: what follows it, and the operation that ends here."""

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.named: dict[str, _Node] = {}
        self.operation: str | None = None


@cache
def _trie() -> dict[str, _Node]:
    roots: dict[str, _Node] = {}
    for operation in _operations():
        method, path = operation.split(" ")
        node = roots.setdefault(method, _Node())
        for segment in path.strip("/").split("/"):
            follows, key = (node.named, segment[1:-1]) if segment.startswith("{") else (node.literals, segment)
            node = follows.setdefault(key, _Node())
        node.operation = operation
    return roots


def _walk(node: _Node | None, segments: list[str], at: int) -> tuple[str, list[tuple[str, str]]] | None:
    if node is None:
        return None
    if at == len(segments):
        return None if node.operation is None else (node.operation, [])
    found = _walk(node.literals.get(segments[at]), segments, at + 1)
    if found is None and segments[at]:
        for name, follows in node.named.items():
            deeper = _walk(follows, segments, at + 1)
            if deeper is not None:
                return deeper[0], [(name, segments[at]), *deeper[1]]
    return found
