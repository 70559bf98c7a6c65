"""Form parameters as Stripe nests them: ``items[0][price]=p`` and back to trees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from trueup.sandbox.wire.errors import StripeError

_MOST: Final = 10_000

Tree = dict[str, Any]


def decode(text: str) -> Tree:
    """The tree of strings that a query string or a form body stands for.

    Indexed and named brackets both give dictionaries (``{"items": {"0": {"price": "p"}}}``), an empty one a list
    (``expand[]=a`` gives ``{"expand": ["a"]}``). Raises Stripe's 400 where one name is used in two ways.
    """
    tree: Tree = {}
    for key, value in parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST):
        head, *more = key.split("[")
        _put(tree, [head, *(part.removesuffix("]") for part in more)], value, key)
    return tree


def encode(params: Mapping[str, Any]) -> str:
    """The query string or form body that stands for a tree, lists with their indices. Inverse of ``decode``."""
    return urlencode(list(_pairs(params, "")))


def _pairs(params: Mapping[str, Any], holder: str) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        key = f"{holder}[{name}]" if holder else name
        if isinstance(value, Mapping):
            yield from _pairs(value, key)
        elif isinstance(value, list | tuple):
            yield from _pairs({str(at): one for at, one in enumerate(value)}, key)
        elif isinstance(value, bool):
            yield key, "true" if value else "false"
        else:
            yield key, "" if value is None else str(value)


def _put(tree: Tree, parts: list[str], value: str, key: str) -> None:
    """Set one value; the loop's ``holder`` is where the next part belongs."""
    holder: Any = tree
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if isinstance(holder, list):
            _append(holder, parts[at + 1 :], value, key)
            return
        if not isinstance(holder, dict):
            raise _muddled(key)
        if last:
            if isinstance(holder.get(part), dict | list):
                raise _muddled(key)
            holder[part] = value
            return
        follows: Any = [] if parts[at + 1] == "" else {}
        holder = holder.setdefault(part, follows)


def _append(holder: list[Any], rest: list[str], value: str, key: str) -> None:
    """``a[]=1&a[]=2`` and ``a[][b]=1&a[][c]=2``: a field that the last entry has begins the next entry."""
    if not rest:
        holder.append(value)
        return
    if not holder or not isinstance(holder[-1], dict) or rest[0] in holder[-1]:
        holder.append({})
    _put(holder[-1], rest, value, key)


def _muddled(key: str) -> StripeError:
    return StripeError(f"Invalid request: the parameter {key} is used both as a value and as a hash.", param=key)
