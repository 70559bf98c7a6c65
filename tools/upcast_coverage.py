"""How far the recorded payloads of Stripe come when they are upcast: `docs/upcaster.md`.

    python -m tools.upcast_coverage      prints the tables and writes the page; fails when a miss has no reason

It needs the shared material (`TRUEUP_SHARED`) with `stripe/corpus`.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tools import newest_shape
from tools.newest_shape import Field
from tools.upcast_reasons import not_told_before, reason
from trueup.mirror.upcast import UPCAST_VERSION, upcast

PAGE: Final = newest_shape.ROOT / "docs" / "upcaster.md"
MADE: Final = frozenset({"price", "subscription_item"})
"""Types of which objects made wholly from older paths are counted, in lines of their own."""
PROBE: Final = {"customer": 100, "payment_intent": 100, "invoice": 97, "subscription": 94, "charge": 93}
"""Per cent of the payloads that the probe of `stripe/upcaster.md`, A.0, brought to the newest shape."""

Json = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """Objects of one type and API version: how many, how many have every field, and every field told by then."""

    objects: int = 0
    whole: int = 0
    told: int = 0


@dataclass(slots=True)
class Coverage:
    """What was counted: by type and version, misses by type, field and reason, and objects that were not counted."""

    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    misses: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    deleted: int = 0
    gone: Counter[str] = field(default_factory=Counter)

    def of(self, kind: str) -> Tally:
        """All versions of one type together."""
        mine = [tally for (one, _), tally in self.tallies.items() if one == kind]
        return Tally(sum(one.objects for one in mine), sum(one.whole for one in mine), sum(one.told for one in mine))

    @property
    def kinds(self) -> list[str]:
        """The types, the most frequent first."""
        counted: Counter[str] = Counter()
        for (kind, _), tally in self.tallies.items():
            counted[kind] += tally.objects
        return sorted(counted, key=lambda kind: (-counted[kind], kind))

    @property
    def unexplained(self) -> list[tuple[str, str]]:
        """Types and fields that are missing somewhere for no known reason."""
        return sorted({(kind, name) for kind, name, why in self.misses if not why})


def measured(payloads: Iterable[tuple[object, str]], shapes: Mapping[str, Mapping[str, Field]]) -> Coverage:
    """Upcast every object in the payloads, each given with its API version, and compare it with the newest shape."""
    coverage = Coverage()
    for payload, version in payloads:
        for kind, at, newest in objects(payload, version):
            fields = shapes.get(kind.partition(",")[0])
            if fields is None:
                coverage.gone[kind] += 1
            elif newest.get("deleted") is True and len(newest) <= len(("id", "object", "deleted", "livemode")):
                coverage.deleted += 1
            else:
                _count(coverage, kind, at, list(newest_shape.unknown(fields, newest)))
    return coverage


def objects(payload: object, version: str) -> Iterator[tuple[str, str, Json]]:
    """Every Stripe object in a payload with its type and API version, upcast as part of the object that it stands in.

    What upcasting made is told as `type, made`, for the types in ``MADE``.
    """
    waiting: list[tuple[object, object, str]] = [(payload, payload, version)]
    while waiting:
        told, newest, at = waiting.pop()
        if isinstance(newest, list):
            recorded = told if isinstance(told, list) and len(told) == len(newest) else [None] * len(newest)
            waiting.extend((old, new, at) for old, new in zip(recorded, newest, strict=True))
        elif isinstance(newest, dict):
            kind, now = newest.get("object"), newest
            if isinstance(kind, str):
                now = upcast(kind, newest)
                at = (now.get("api_version") or at) if kind == "event" else at
                made = not isinstance(told, dict)
                if not made or kind in MADE:
                    yield f"{kind}, made" if made else kind, at, now
            old = told if isinstance(told, dict) else {}
            waiting.extend((old.get(name), value, at) for name, value in now.items())


def recorded(corpus: Path) -> Iterator[tuple[object, str]]:
    """The payloads of the shared corpus, with the API version that its index names, empty where it names none."""
    with (corpus / "INDEX.csv").open(newline="", encoding="utf-8") as index:
        for row in csv.DictReader(index):
            yield json.loads((corpus / row["file"]).read_bytes()), row["api_version"]


def summary(coverage: Coverage) -> str:
    """One line per type."""
    lines = ["| type | objects | every field | | every field told by then | |", "|---|--:|--:|--:|--:|--:|"]
    for kind in coverage.kinds:
        all_of = coverage.of(kind)
        lines.append(f"| `{kind}` | {_figures(all_of)} |")
    return "\n".join(lines)


def misses(coverage: Coverage) -> str:
    """One line per type, field and reason."""
    lines = ["| type | field | objects | reason |", "|---|---|--:|---|"]
    for (kind, name, why), count in sorted(coverage.misses.items(), key=lambda item: (item[0][0], -item[1], item[0])):
        lines.append(f"| `{kind}` | `{name}` | {count} | {why or 'NOT LOOKED INTO'} |")
    return "\n".join(lines)


def versions(coverage: Coverage) -> str:
    """One line per type and API version."""
    lines = [
        "| type | API version | objects | every field | | every field told by then | |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for kind in coverage.kinds:
        for (one, version), tally in sorted(coverage.tallies.items()):
            if one == kind:
                lines.append(f"| `{kind}` | {version or 'not named'} | {_figures(tally)} |")
    return "\n".join(lines)


def against_the_probe(coverage: Coverage) -> str:
    """One line per type that the probe measured."""
    lines = ["| type | probe | here |", "|---|--:|--:|"]
    for kind, percent in PROBE.items():
        all_of = coverage.of(kind)
        lines.append(f"| `{kind}` | {percent} % | {_percent(all_of.told, all_of.objects)} |")
    return "\n".join(lines)


def page(coverage: Coverage) -> str:
    """The whole of `docs/upcaster.md`."""
    gone = ", ".join(f"`{kind}` ({count})" for kind, count in sorted(coverage.gone.items()))
    counted = sum(tally.objects for tally in coverage.tallies.values())
    return f"""# How far old payloads come

Written by `python -m tools.upcast_coverage`; a test makes it again and compares. Version {UPCAST_VERSION} of the rules.

The rules are in `src/trueup/mirror/upcast/`. They go by shape: where the new path is there it stays, else it is derived
from the old one, and what nobody told stays absent. They never fill in a value because a newer payload would have one.

## What is counted
- Every Stripe object in the recorded payloads, those inside others too: {counted:,}. Each is upcast as part of what it
  stands in, so that an item gets its period from its subscription.
- **Every field**: each field that the newest schema (16.1.0) says is never null is there after upcasting; inner fields
  too, where the object around them is there. This is strict: what Stripe added last month is demanded of 2014.
- **Every field told by then**: the same without fields that Stripe began to tell only after the payload's API version,
  and that no older path tells. The day of each is listed below, and its source in `tools/upcast_reasons.py`. Stripe
  tells new fields in old versions too; a payload that was rendered late has them and needs no excuse. A recording that
  does not name its version is taken for old.
- `type, made` is what upcasting made where there was no such object: the price of a plan, the item of a subscription
  from before items. Payments, tax ids and checkout lines that are made of older fields carry what was told and have no
  id; they are not counted.
- Not counted: {coverage.deleted} stubs of deleted objects, and types that the newest API does not have, which pass
  through: {gone}.

## Against the probe
The probe that came before these rules cannot have demanded fields that no payload of the corpus has, as
`subscription.billing_schedules`, so its figures stand beside what was told by then.

{against_the_probe(coverage)}

## By type
{summary(coverage)}

## What is missing, and why
{misses(coverage)}

## By type and API version
{versions(coverage)}
"""


def main() -> int:
    """Print the figures and write the page."""
    shapes = newest_shape.read(newest_shape.TABLE.read_text(encoding="utf-8"))
    coverage = measured(recorded(newest_shape.shared_folder() / "stripe" / "corpus"), shapes)
    PAGE.write_text(page(coverage), encoding="utf-8")
    print(against_the_probe(coverage), summary(coverage), misses(coverage), versions(coverage), sep="\n\n")
    for kind, name in coverage.unexplained:
        print(f"{kind}.{name} is missing somewhere, and nobody said why.", file=sys.stderr)
    return 1 if coverage.unexplained else 0


def _count(coverage: Coverage, kind: str, version: str, missing: list[str]) -> None:
    tally = coverage.tallies.setdefault((kind, version), Tally())
    tally.objects += 1
    tally.whole += not missing
    tally.told += all(not_told_before(kind, name, version) is not None for name in missing)
    for name in missing:
        coverage.misses[kind, name, reason(kind, name, version)] += 1


def _figures(tally: Tally) -> str:
    return (
        f"{tally.objects} | {tally.whole} | {_percent(tally.whole, tally.objects)} "
        f"| {tally.told} | {_percent(tally.told, tally.objects)}"
    )


def _percent(part: int, whole: int) -> str:
    """In tenths, rounded down, so that 100 % says all."""
    tenths = 1000 * part // whole
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10} %"


if __name__ == "__main__":
    sys.exit(main())
