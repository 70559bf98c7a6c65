"""Parameters that lie over an object's fields in the same way everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj

_MOST_KEYS, _LONGEST_KEY, _LONGEST_VALUE = 50, 40, 500


def put(obj: Obj, call: Call, names: Iterable[str]) -> None:
    """Set the named fields from the parameters that were sent; an empty one sets null."""
    for name in names:
        if call.given(name):
            obj[name] = call.value(name)


def metadata(old: Mapping[str, str], new: Mapping[str, str] | str | None) -> dict[str, str]:
    """Metadata after an update: keys are merged, an empty value removes its key, an empty parameter removes all.

    Raises Stripe's 400 for more than 50 keys, a key of more than 40 characters or a value of more than 500.
    """
    if new is None:
        return dict(old)
    if isinstance(new, str):
        return {}
    found = {**old, **{key: str(value) for key, value in new.items()}}
    found = {key: value for key, value in found.items() if value != ""}
    for key, value in found.items():
        if len(key) > _LONGEST_KEY:
            message = f"Metadata keys must be under {_LONGEST_KEY} characters long. Found invalid key '{key}'."
            raise invalid(message, param=f"metadata[{key}]")
        if len(value) > _LONGEST_VALUE:
            message = f"Metadata values can have up to {_LONGEST_VALUE} characters, but you passed in a value that is {len(value)} characters. Invalid value: {value}"  # noqa: E501
            raise invalid(message, param=f"metadata[{key}]")
    if len(found) > _MOST_KEYS:
        message = f"You can have up to {_MOST_KEYS} metadata keys."
        raise invalid(message, param="metadata")
    return found


def address(value: Mapping[str, Any] | str | None) -> dict[str, Any] | None:
    """An address with all its fields, null where not sent."""
    if not value or isinstance(value, str):
        return None
    return {name: value.get(name) or None for name in ("city", "country", "line1", "line2", "postal_code", "state")}
