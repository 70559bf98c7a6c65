"""As much of JSON Schema as the API's description uses, so that its answers can be held to it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

KNOWN = {
    *(
        "type",
        "title",
        "description",
        "properties",
        "required",
        "items",
        "anyOf",
        "allOf",
        "enum",
        "const",
        "default",
        "format",
    ),
    *("contentEncoding", "additionalProperties", "minimum", "maximum", "minLength", "maxLength", "$ref", "prefixItems"),
}
"""Keywords that are checked here, or that say nothing about a value."""

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def resolved(document: Any, reference: str) -> Any:
    """What ``#/a/b`` names in a document; ``KeyError`` where it names nothing."""
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def references(value: Any) -> Iterator[str]:
    """Every ``$ref`` in a document."""
    if isinstance(value, dict):
        yield from (text for key, text in value.items() if key == "$ref")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from references(inner)


def problems(document: Any, shape: Any, value: Any, where: str = "$") -> list[str]:
    """Why a value does not have the shape; empty when it does."""
    if set(shape) - KNOWN:
        return [f"{where}: keywords {sorted(set(shape) - KNOWN)} are not understood here"]
    if "$ref" in shape:
        return problems(document, resolved(document, shape["$ref"]), value, where)
    if "anyOf" in shape:
        found = [problems(document, one, value, where) for one in shape["anyOf"]]
        return [] if [] in found else [f"{where}: none of {len(found)} shapes fits: {found}"]
    if "allOf" in shape:
        return [problem for one in shape["allOf"] for problem in problems(document, one, value, where)]
    return [
        *_scalar(shape, value, where),
        *_members(document, shape, value, where),
        *_items(document, shape, value, where),
    ]


def _scalar(shape: Any, value: Any, where: str) -> Iterator[str]:
    kind = shape.get("type")
    if kind is not None and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield f"{where}: {value!r} is no {kind}"
    if "enum" in shape and value not in shape["enum"]:
        yield f"{where}: {value!r} is none of {shape['enum']}"
    if shape.get("format") == "date-time" and not _is_moment(value):
        yield f"{where}: {value!r} is no moment with a zone"
    if shape.get("contentEncoding") == "base64" and not _is_base64(value):
        yield f"{where}: not base64"


def _members(document: Any, shape: Any, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    known = shape.get("properties", {})
    yield from (f"{where}.{name}: missing" for name in shape.get("required", ()) if name not in value)
    for name, member in value.items():
        if name in known:
            yield from problems(document, known[name], member, f"{where}.{name}")
        elif isinstance(shape.get("additionalProperties"), dict):
            yield from problems(document, shape["additionalProperties"], member, f"{where}.{name}")
        elif known:
            yield f"{where}.{name}: not described"


def _items(document: Any, shape: Any, value: Any, where: str) -> Iterator[str]:
    if isinstance(value, list) and isinstance(shape.get("items"), dict):
        for number, item in enumerate(value):
            yield from problems(document, shape["items"], item, f"{where}[{number}]")


def _is_moment(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).utcoffset() is not None
    except (TypeError, ValueError):
        return False


def _is_base64(value: Any) -> bool:
    try:
        return bool(re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", value)) and base64.b64decode(value, validate=True) is not None
    except (TypeError, binascii.Error):
        return False
