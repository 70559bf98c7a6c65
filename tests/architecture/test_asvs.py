"""What docs/asvs.md says: every requirement of levels 1 and 2 stands there once, and each test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

LISTED = """
1.1=22 1.2=1111122223 1.3=112222222223 1.4=222 1.5=123
2.1=122 2.2=112 2.3=12223 2.4=23
3.1=3 3.2=113 3.3=12223 3.4=11222233 3.5=11122333 3.6=3 3.7=22333
4.1=12233 4.2=23333 4.3=22 4.4=1222
5.1=2 5.2=112333 5.3=113 5.4=222
6.1=122 6.2=111111112222 6.3=11223333 6.4=112233
6.5=22222333 6.6=2223 6.7=33 6.8=2222
7.1=222 7.2=1111 7.3=22 7.4=11222 7.5=223 7.6=22
8.1=1233 8.2=1123 8.3=133 8.4=23
9.1=111 9.2=1222
10.1=22 10.2=223 10.3=22223 10.4=1111122222233333
10.5=22222 10.6=22 10.7=222
11.1=2233 11.2=22233 11.3=11233 11.4=1222 11.5=23 11.6=23 11.7=33
12.1=12233 12.2=11 12.3=22223
13.1=2333 13.2=222223 13.3=2233 13.4=1222233
14.1=22 14.2=12223333 14.3=122
15.1=12233 15.2=12233 15.3=1222222 15.4=3333
16.1=2 16.2=22222 16.3=2222 16.4=222 16.5=2223
17.1=23 17.2=22223333 17.3=22
"""
LEVELS = dict(pair.split("=") for pair in LISTED.split())
"""The level of each requirement of the standard's version 5.0.0, by its section and in its order."""
REQUIREMENTS = 345


class Row(NamedTuple):
    """One requirement as the page has it."""

    number: str
    level: str
    stands: str
    answer: str
    tests: tuple[str, ...]


def wanted() -> dict[str, str]:
    """The level of every requirement of levels 1 and 2."""
    return {
        f"{section}.{place}": level
        for section, levels in LEVELS.items()
        for place, level in enumerate(levels, start=1)
        if level in "12"
    }


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def rows(page: str) -> list[Row]:
    """The requirements that apply."""
    found = [cells(line) for line in page.splitlines() if re.match(r"\| \d+\.\d+\.\d+ \| \d ", line)]
    return [Row(one[0], one[1], one[2], one[3], tuple(re.findall(r"`([^`]+::\w+)`", one[4]))) for one in found]


def passed_over(page: str) -> list[str]:
    """The requirements that do not apply."""
    lines = (cells(line) for line in page.splitlines() if re.match(r"\| \d+\.\d+\.\d+[^|]*\|[^|]*\|$", line))
    return [number for first, why in lines if why for number in first.split(", ")]


def page_of(repository: Path) -> str:
    return (repository / "docs" / "asvs.md").read_text(encoding="utf-8")


def test_every_requirement_of_both_levels_stands_once(repository: Path) -> None:
    page = page_of(repository)
    told = [row.number for row in rows(page)] + passed_over(page)

    assert sum(map(len, LEVELS.values())) == REQUIREMENTS
    assert sorted(told) == sorted(wanted())
    assert {row.number: row.level for row in rows(page)}.items() <= wanted().items()


def test_every_test_that_is_named_exists_and_what_is_met_names_one(repository: Path) -> None:
    for row in rows(page_of(repository)):
        assert row.stands in {"yes", "partly", "no"}, row
        assert row.answer, row
        assert bool(row.tests) == (row.stands != "no"), row
        for named in row.tests:
            file, _, function = named.partition("::")
            source = (repository / "tests" / file).read_text(encoding="utf-8")
            assert re.search(rf"^(async )?def {function}\(", source, re.MULTILINE), (row.number, named)


def test_what_is_not_met_is_named_at_the_end(repository: Path) -> None:
    page = page_of(repository)
    end = page[page.index("## What is not met") :]

    for word, beginning in (("no", "- Not: "), ("partly", "- In part: ")):
        line = next(line for line in end.splitlines() if line.startswith(beginning))
        told = line.removeprefix(beginning).rstrip(".")
        assert ([] if told == "none" else told.split(", ")) == [row.number for row in rows(page) if row.stands == word]
