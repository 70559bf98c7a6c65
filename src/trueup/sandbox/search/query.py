"""Stripe's search query language: ``status:"active" AND metadata["plan"]:"pro" AND -canceled_at:null``.

Source: https://docs.stripe.com/search#search-query-language
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from trueup.kernel.records import Record
from trueup.sandbox.search.fields import Field, field
from trueup.sandbox.wire.errors import StripeError, invalid

_MOST: Final = 10
_SHORTEST: Final = 3
_CLAUSE: Final = re.compile(
    r"""(?P<no>-)?
        (?:metadata\[(?P<mark>["'])(?P<key>(?:\\.|(?!(?P=mark)).)+)(?P=mark)\] | (?P<name>[A-Za-z0-9_.]+))
        (?P<how>>=|<=|[:=~<>])
        (?:(?P<quote>["'])(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P=quote) | (?P<bare>-?\d+(?:\.\d+)?|null|true|false))
        (?=\s|$)""",
    re.VERBOSE | re.DOTALL,
)
_JOINED: Final = re.compile(r"\s+(?:(and|or)\s+)?", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_UNREAD: Final = (
    'We were unable to parse your search query. Try using the format `metadata["key"]:"value"` to query for metadata '
    'or key:"value" to query for other fields.'
)


class Clause(Record, frozen=True):
    """One condition. ``path`` is the field's, or None for the metadata ``key``; ``value`` None asks for null."""

    path: str | None
    key: str
    how: str
    value: str | None
    number: Fraction | None
    negated: bool


class Query(Record, frozen=True):
    """Conditions that all have to hold, or any one of them."""

    clauses: tuple[Clause, ...]
    every: bool


def parse(kind: str, text: str) -> Query:
    """The query for objects of a kind. Raises Stripe's 400 for what it does not read."""
    clauses: list[Clause] = []
    joins: set[str] = set()
    text, at = text.strip(), 0
    while found := _CLAUSE.match(text, at):
        clauses.append(_clause(kind, found))
        at = found.end()
        if joined := _JOINED.match(text, at):
            joins.add((joined[1] or "and").lower())
            at = joined.end()
    if at < len(text) or not clauses:
        raise _refused(_UNREAD)
    if len(joins) > 1:
        raise _refused("You cannot combine AND and OR in the same search query.")
    if len(clauses) > _MOST:
        raise _refused(f"Search queries may contain at most {_MOST} clauses.")
    return Query(clauses=tuple(clauses), every=joins != {"or"})


def matches(query: Query, obj: Mapping[str, Any]) -> bool:
    """Whether an object is one that the query asks for. Texts are compared without regard to case."""
    held = (_holds(clause, obj) is not clause.negated for clause in query.clauses)
    return all(held) if query.every else any(held)


def _clause(kind: str, found: re.Match[str]) -> Clause:
    name, key, how = found["name"], found["key"], found["how"]
    told: Field | None = Field("token", "") if key is not None else field(kind, name)
    if told is None:
        message = (
            f"Field `{name}` is an unsupported search field for resource `{kind}s`. See "
            f"http://stripe.com/docs/search#query-fields-for-{kind}s for a list of supported fields."
        )
        raise _refused(message)
    quoted = found["quote"] is not None
    value = _ESCAPED.sub(r"\1", found["text"]) if quoted else found["bare"]
    asks_null = not quoted and value == "null"
    shown = f'metadata["{key}"]' if key is not None else name
    number = None
    if told.sort == "number" and not asks_null:
        if how == "~" or not _NUMBER.fullmatch(value):
            raise _refused(f"Field `{shown}` is numeric: compare it with a number by one of : > < >= <=.")
        number = Fraction(value)
    elif how in {">", "<", ">=", "<="}:
        raise _refused(f"Field `{shown}` cannot be compared by `{how}`.")
    if how == "~" and (told.sort != "text" or asks_null):
        raise _refused(f"Field `{shown}` does not support substring matches.")
    if how == "~" and len(value) < _SHORTEST:
        raise _refused(f"Substring matches need at least {_SHORTEST} characters.")
    return Clause(
        path=None if key is not None else told.path,
        key="" if key is None else _ESCAPED.sub(r"\1", key),
        how=":" if how == "=" else how,
        value=None if asks_null else value.lower(),
        number=number,
        negated=found["no"] is not None,
    )


def _holds(clause: Clause, obj: Mapping[str, Any]) -> bool:
    value = (obj.get("metadata") or {}).get(clause.key) if clause.path is None else _at(obj, clause.path)
    if clause.value is None or value is None:
        return clause.value is None and value is None
    if clause.number is not None:
        return _compared(Fraction(str(value)), clause.how, clause.number)
    shown = ("true" if value else "false") if isinstance(value, bool) else str(value).lower()
    return clause.value in shown if clause.how == "~" else clause.value == shown


def _compared(value: Fraction, how: str, to: Fraction) -> bool:
    match how:
        case ">":
            return value > to
        case "<":
            return value < to
        case ">=":
            return value >= to
        case "<=":
            return value <= to
        case _:
            return value == to


def _at(obj: Mapping[str, Any], path: str) -> Any:
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _refused(message: str) -> StripeError:
    return invalid(message, param="query")
