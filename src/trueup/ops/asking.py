"""What commands ask for that must not be seen: typed at a terminal, or read from a pipe."""

from __future__ import annotations

import sys

import typer

from trueup.kernel.errors import Refused


def secret(what: str, *, option: str, twice: bool = False) -> str:
    """What somebody types unseen, ``twice`` where a slip would lock them out; a pipe's first line, without its end.

    Raises ``Refused`` where a pipe holds nothing: whoever runs the command there cannot be asked.
    """
    if sys.stdin.isatty():
        # Standard output is for the answer, which may be JSON.
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=twice, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise Refused(
            f"{what} is missing.", code="usage", hint=f"Write it to standard input as one line, or give {option}."
        )
    return line
