"""What commands print: one record as JSON, or a table for a person."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE: Final = 220
"""Columns where no terminal says how many there are: a pipe must not break lines."""

out: Final = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
err: Final = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)


CONTROL: Final = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
"""Characters that could drive a terminal; what others wrote, such as a customer's name, is shown without them."""


def plain(text: str) -> str:
    """A text that is safe to show in a terminal."""
    return text.translate(CONTROL)


def done(sentence: str) -> None:
    """Say that something was done."""
    out.print(Text.assemble(("✓ ", "green"), plain(sentence)), soft_wrap=True)


def say(line: str) -> None:
    """Print a line as it is, to a person."""
    out.print(Text(plain(line)), soft_wrap=True)


def emit(value: Any) -> None:
    """Print a record as one line of JSON."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, gap: int = 2) -> None:
    """Print rows under headings, or what to do when there are none; ``gap`` is the blanks between columns."""
    listed = Table(box=None, pad_edge=False, header_style="dim", padding=(0, gap, 0, 0))
    for column in columns:
        listed.add_column(column, justify="right" if column in {"MRR", "Id"} else "left", overflow="fold")
    number = 0
    for row in rows:
        # Text and not str: a customer may be called [red].
        listed.add_row(*(Text("" if cell is None else plain(str(cell))) for cell in row))
        number += 1
    if number:
        out.print(listed)
    else:
        say(empty)


def counted(number: int, what: str) -> str:
    """How many there are of what a word names that has its plural in ``s``: ``1 event``, ``1,200 events``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def when(moment: datetime | None) -> str:
    """A moment as people read it, in UTC."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
