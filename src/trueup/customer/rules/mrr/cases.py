"""Files of metric cases: small worlds, questions about them, and the answers that somebody worked out by hand.

The format is ``growth-metric-cases/1``: an object with ``format``, ``note``, ``default_policy`` and ``cases``, each of
which has an id, a group, inputs, a policy, questions (``ask``) and as many answers (``expect``). Amounts are minor
units of the case's base currency, as exact fractions in strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

import msgspec

from trueup.customer.rules.mrr.histories import Unsupported, World, fraction, moved, mrr_at, second, world
from trueup.customer.rules.mrr.policy import Policy
from trueup.kernel.errors import Refused
from trueup.kernel.records import Record
from trueup.kernel.time import from_unix

FORMAT: Final = "growth-metric-cases/1"
_HINT: Final = f"A file of metric cases is a JSON object with format {FORMAT}, default_policy and cases."


class Case(Record, frozen=True):
    """One world, the questions about it, and what the answers have to be."""

    id: str
    group: str
    ask: tuple[dict[str, Any], ...]
    expect: tuple[Any, ...]
    inputs: dict[str, Any] = {}
    policy: dict[str, Any] = {}
    base_currency: str = "usd"
    timezone: str = "UTC"
    title: str = ""
    why: str = ""
    vendors: dict[str, str] = {}


class CaseFile(Record, frozen=True):
    """A file of cases; a case's policy is laid over ``default_policy``."""

    format: str
    cases: tuple[Case, ...]
    note: str = ""
    default_policy: dict[str, Any] = {}


class Verdict(Record, frozen=True):
    """How a case was answered: one answer for each question, ``None`` where ``unsupported`` says why there is none.

    ``equal`` is ``None`` when nothing that was answered differs and something was not answered.
    """

    id: str
    group: str
    title: str
    answers: tuple[Any, ...]
    expected: tuple[Any, ...]
    equal: bool | None
    unsupported: str | None


def read(raw: bytes) -> CaseFile:
    """Read a file of cases; ``Refused`` says what is wrong with one, and where."""
    try:
        told = msgspec.json.decode(raw, type=CaseFile)
    except msgspec.DecodeError as error:
        raise Refused(f"This is no file of metric cases: {error}.", code="case_file_invalid", hint=_HINT) from None
    if told.format != FORMAT:
        raise Refused(
            f"The format is {told.format!r}, and only {FORMAT} can be read.", code="case_file_invalid", hint=_HINT
        )
    seen: set[str] = set()
    for case in told.cases:
        if case.id in seen or len(case.ask) != len(case.expect):
            problem = "is told twice" if case.id in seen else "has not one expected answer for each question"
            raise Refused(f"Case {case.id} {problem}.", code="case_file_invalid", hint=_HINT)
        seen.add(case.id)
    return told


def selected(told: CaseFile, groups: Sequence[str]) -> list[Case]:
    """The cases of these groups, in the order of the file; all without a group. ``Refused`` for one without a case."""
    there = sorted({case.group for case in told.cases})
    for group in groups:
        if group not in there:
            raise Refused(
                f"No case is in group {group}.",
                code="group_unknown",
                hint=f"The groups are {', '.join(there)}." if there else "The file has no cases.",
            )
    return [case for case in told.cases if not groups or case.group in groups]


def judge(case: Case, defaults: dict[str, Any]) -> Verdict:
    """Answer a case and compare; ``Refused`` names the case when its inputs do not make sense."""
    answers: list[Any] = []
    reasons: list[str] = []
    differs = False
    try:
        told = _world(case, defaults)
        for ask, expected in zip(case.ask, case.expect, strict=True):
            try:
                answer = _answer(ask, told)
            except Unsupported as reason:
                reasons.append(str(reason))
                answers.append(None)
            else:
                answers.append(answer)
                differs = differs or not _agree(answer, expected)
    except Unsupported as reason:
        answers, reasons = [None] * len(case.ask), [str(reason)]
    except Refused as error:
        raise Refused(f"Case {case.id}: {error.message}.", code=error.code, hint=_HINT) from None
    except (KeyError, AttributeError, TypeError) as error:
        raise Refused(f"Case {case.id}: its inputs cannot be read ({error!r}).", code="case_file_invalid") from None
    return Verdict(
        id=case.id,
        group=case.group,
        title=case.title,
        answers=tuple(answers),
        expected=case.expect,
        equal=False if differs else None if reasons else True,
        unsupported="; ".join(dict.fromkeys(reasons)) or None,
    )


def _world(case: Case, defaults: dict[str, Any]) -> World:
    try:
        policy = msgspec.convert({**defaults, **case.policy}, Policy)
    except msgspec.ValidationError as error:
        raise Unsupported(f"the policy: {error}") from None
    return world(case.inputs, base=case.base_currency, policy=policy)


def _answer(ask: dict[str, Any], told: World) -> Any:
    """MRR is a fraction in a string; movements are rows of customer, type, amount, moment and reason."""
    metric, more = ask.get("metric"), sorted(ask.keys() - {"metric"})
    if metric == "mrr" and more == ["at"]:
        return str(mrr_at(told, second(ask["at"])))
    if metric == "movements" and not more:
        return [
            [customer, one.type.value, str(one.amount), _iso(one.at), *([one.reason.value] if one.reason else [])]
            for customer, one in moved(told)
        ]
    detail = f" with {', '.join(more)}" if metric in {"mrr", "movements"} else ""
    raise Unsupported(f"the metric `{metric}`{detail} is not supported yet")


def _agree(answer: Any, expected: Any) -> bool:
    """Whether an answer is what was expected. Rows may leave out their tail; customers may come in any order."""
    if type(answer) is str:
        return expected is not None and fraction(answer) == fraction(expected)
    if type(expected) is not list or len(answer) != len(expected):
        return False
    mine, theirs = (sorted(rows, key=lambda row: str(row[0])) for rows in (answer, expected))
    return all(
        len(want) <= len(row) and _row(row[: len(want)]) == _row(want) for row, want in zip(mine, theirs, strict=True)
    )


def _row(row: list[Any]) -> tuple[Any, ...]:
    """A row as it is compared: numbers as numbers, moments as moments."""
    amount: list[Fraction] = [fraction(value) for value in row[2:3]]
    at = [second(value) for value in row[3:4]]
    return (*row[:2], *amount, *at, *row[4:])


def _iso(at: int) -> str:
    moment: datetime = from_unix(at)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
