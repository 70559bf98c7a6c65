"""Fingerprints: whether two versions of one object have the same content, in eight bytes.

A fingerprint is a sum modulo 2**64 of digests: one for each large list or list object at the top of the object (items,
lines), one for all the rest. How the object was before an event is then known by digesting again only what
``previous_attributes`` names. It is the same in every process and Python version and for every order of keys, and is
compared only within one object, so that eight bytes suffice.

A key that is null and a key that is absent are the same, at the top and in hashes within hashes:
``previous_attributes`` tells a key that was new as null, whether the object then had it as null or did not have it.
Lists are told whole, so within lists nothing is dropped.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

import orjson

from trueup.mirror.upcast.shape import overlay

UNTOLD: Final = (
    "hosted_invoice_url",
    "invoice_pdf",
    "receipt_url",
    "webhooks_delivered_at",
    "times_redeemed",
    "next_invoice_sequence",
    "tiers",
    "currency_options",
)
"""Fields at the top of an object that change without an event of that object, and are left out.

The first three are signed anew each time Stripe renders the object: two reads of an unchanged invoice or charge differ
in them (seen in 70 and 30 pairs of the recorded reads). The fourth is Stripe's note on its own deliveries, and the next
two are counters that other objects move. The last two belong to prices, never change, and are told only to whoever asks
for them. Everything else counts, ``effective_at`` and ``livemode`` included.
"""

_MASK: Final = 2**64 - 1
_SIGN: Final = 2**63
_DEEPEST: Final = 32
_SORTED: Final = orjson.OPT_SORT_KEYS


def fingerprint(data: dict[str, Any]) -> int:
    """The fingerprint of an object as sent: a signed 64-bit integer, as PostgreSQL's ``bigint`` holds it."""
    return fingerprints(data, None)[0]


def fingerprints(data: dict[str, Any], previous: dict[str, Any] | None) -> tuple[int, int | None]:
    """The fingerprints of an object after and before the event that told it, for any JSON.

    The second is ``None`` where the event does not say: it has no ``previous_attributes``. Where it has empty ones, or
    names only fields that are left out, both are equal: nothing changed. A bare list told over a list object, as old
    payloads have it, stands for the list object's ``data``.
    """
    small, large = _split(data)
    rest = sum(large.values())
    after = rest + _digest(small)
    if previous is None:
        return _signed(after), None
    named = {key: data[key] for key in previous if key in data}
    was_small, was_large = _split(_before(named, previous))
    for key in previous:
        rest -= large.get(key, 0)
        small.pop(key, None)
    small.update(was_small)
    return _signed(after), _signed(rest + sum(was_large.values()) + _digest(small))


def _before(named: dict[str, Any], previous: dict[str, Any]) -> dict[str, Any]:
    before = overlay(named, previous)
    for key, old in previous.items():
        now = named.get(key)
        if type(old) is list and type(now) is dict and "data" in now:
            before[key] = now | {"data": old}
    return before


def _split(data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, int]]:
    """The small values of an object without nulls, and the digest of each large one."""
    small: dict[str, Any] = {}
    large: dict[str, int] = {}
    for key, value in data.items():
        if value is None:
            continue
        kind = type(value)
        if kind is dict:
            if value:
                bare = _bare(value, _DEEPEST)
                if "data" in bare:
                    large[key] = _digest([key, bare])
                    continue
                small[key] = bare
                continue
        elif kind is list and value:
            large[key] = _digest([key, value])
            continue
        small[key] = value
    for key in UNTOLD:
        small.pop(key, None)
    return small, large


def _bare(value: dict[str, Any], levels: int) -> dict[str, Any]:
    """A hash without its nulls, also in the hashes within it but not in lists."""
    bare = {}
    for key, inner in value.items():
        if inner is None:
            continue
        bare[key] = _bare(inner, levels - 1) if type(inner) is dict and inner and levels else inner
    return bare


def _digest(value: object) -> int:
    try:
        written = orjson.dumps(value, option=_SORTED)
    except TypeError:  # Integers beyond 64 bits, half of a surrogate pair, or nested beyond what orjson takes.
        written = _spelled(value)
    return int.from_bytes(sha256(written).digest()[:8], "little")


def _spelled(value: object) -> bytes:
    """Any JSON as bytes, without recursion: equal values give equal bytes, and different ones different bytes."""
    parts: list[str] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            parts.append(f"{{{len(item)}")
            for key in sorted(item, reverse=True):
                waiting += (item[key], key)
        elif isinstance(item, list):
            parts.append(f"[{len(item)}")
            waiting += reversed(item)
        else:
            # Hexadecimal, because Python refuses to write integers of thousands of decimal digits.
            parts.append(f"{item:x}" if type(item) is int else repr(item))
    return "\n".join(parts).encode()


def _signed(total: int) -> int:
    return ((total + _SIGN) & _MASK) - _SIGN
