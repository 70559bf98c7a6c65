"""What all steps together come to: shares by kind of object, and the differences, against the file of known ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from tests.sandbox.conformance.running import Outcome

FILE: Final = Path(__file__).with_name("differences.json")
LEAST_PERCENT: Final = 95


class Place(NamedTuple):
    """A difference, the same wherever it was met."""

    type: str
    path: str
    recorded: str
    ours: str


@dataclass(frozen=True)
class Known:
    """A difference that the file has: on how many leaves, and why it is there."""

    type: str
    path: str
    recorded: str
    ours: str
    leaves: int
    why: str

    @property
    def place(self) -> Place:
        """What it is told apart by."""
        return Place(self.type, self.path, self.recorded, self.ours)


@dataclass
class Report:
    """Counts of leaves. Only plain values count towards the share; ids, times and tokens are held equal besides."""

    equal: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    beside: Counter[str] = field(default_factory=Counter)
    exempt: Counter[str] = field(default_factory=Counter)
    exempted: set[tuple[str, str]] = field(default_factory=set)
    differences: Counter[Place] = field(default_factory=Counter)
    examples: dict[Place, str] = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    steps: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count what a step came to."""
        if outcome.skipped is not None:
            self.skipped.append((outcome.step.name, outcome.skipped))
            return
        self.steps += 1
        for leaf in outcome.leaves:
            if leaf.kind == "exempt":
                self.exempt[leaf.recorded] += 1
                self.exempted.add((leaf.type, leaf.path))
                continue
            if leaf.kind == "value":
                self.compared[leaf.type] += 1
                self.equal[leaf.type] += leaf.equal
            else:
                self.beside[leaf.kind] += 1
            if not leaf.equal:
                place = Place(leaf.type, leaf.path, leaf.recorded, leaf.ours)
                self.differences[place] += 1
                self.examples.setdefault(place, outcome.step.name)

    @property
    def enough(self) -> bool:
        """Whether at least so many of a hundred leaves are equal as have to be."""
        return 100 * self.equal.total() >= LEAST_PERCENT * self.compared.total()

    def table(self) -> str:
        """The counts as lines to read."""
        rows = [
            f"{kind or '(errors)':28} {self.equal[kind]:7} of {self.compared[kind]:7} {_percent(self, kind)}"
            for kind in sorted(self.compared)
        ]
        total = f"{'all':28} {self.equal.total():7} of {self.compared.total():7} {_percent(self)}"
        return "\n".join(
            [
                f"{self.steps} steps, {len(self.skipped)} not run; plain leaves that are equal:",
                *rows,
                total,
                "held equal besides: " + ", ".join(f"{count} {kind}s" for kind, count in self.beside.most_common()),
                *(f"not compared: {count:6} {why}" for why, count in self.exempt.most_common()),
                *(f"not run: {name}: {why}" for name, why in self.skipped),
                *(
                    f"differs on {count}: {' | '.join(place)} | {self.examples[place]}"
                    for place, count in self.differences.most_common()
                ),
            ]
        )


def gather(outcomes: Iterable[Outcome]) -> Report:
    """The report of these steps."""
    report = Report()
    for outcome in outcomes:
        report.add(outcome)
    return report


def known() -> list[Known]:
    """The differences that the file has."""
    return [Known(**one) for one in json.loads(FILE.read_text(encoding="utf-8"))]


def faults(report: Report, file: Iterable[Known]) -> list[str]:
    """Everything in which a report is not as the file says: what is new, what grew, what is there no more."""
    held = {one.place: one.leaves for one in file}
    found = [
        f"new: {' | '.join(place)}, on {count} leaves instead of {held.get(place, 0)}, in {report.examples[place]}"
        for place, count in report.differences.items()
        if count > held.get(place, 0)
    ]
    found += [
        f"gone: {' | '.join(place)}, on {report.differences[place]} leaves instead of {count}: shrink the file"
        for place, count in held.items()
        if report.differences[place] < count
    ]
    return found


def shrink(report: Report) -> None:
    """Take out of the file what does not differ any more. Nothing is ever put in."""
    kept = [
        Known(**{**asdict(one), "leaves": min(one.leaves, report.differences[one.place])})
        for one in known()
        if report.differences[one.place]
    ]
    FILE.write_text(json.dumps([asdict(one) for one in kept], indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _percent(report: Report, kind: str | None = None) -> str:
    equal = report.equal.total() if kind is None else report.equal[kind]
    compared = report.compared.total() if kind is None else report.compared[kind]
    hundredths = 10_000 * equal // max(compared, 1)
    return f"{hundredths // 100:4}.{hundredths % 100:02} %"
