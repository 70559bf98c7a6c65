"""Commands on what the figures mean."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from trueup.customer import service as customers
from trueup.kernel.errors import Refused
from trueup.ops import output

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
metrics_app = typer.Typer(no_args_is_help=True, help="What the figures mean.")


@metrics_app.callback()
def options() -> None:
    """What the figures mean."""


@metrics_app.command("case")
def case(
    file: Annotated[Path, typer.Argument(help="A file of format growth-metric-cases/1.")],
    group: Annotated[
        list[str] | None, typer.Option(help="Only these groups, such as mrr,discount; may be given again.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer a file of metric cases and compare with what it expects.

    Ends with status 0 when every answer is as expected, 1 when one differs or a case is not supported, 2 for a file
    that cannot be read. Needs no database.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise Refused(
            f"The file {file} cannot be read: {error.strerror}.",
            code="case_file_unreadable",
            hint="Name a file of metric cases.",
        ) from None
    groups = [name.strip() for names in group or [] for name in names.split(",") if name.strip()]
    verdicts = customers.metric_cases(raw, groups=groups)
    agree = sum(verdict.equal is True for verdict in verdicts)
    differ = sum(verdict.equal is False for verdict in verdicts)
    unsupported = sum(verdict.unsupported is not None for verdict in verdicts)
    if as_json:
        output.emit({"cases": verdicts, "agree": agree, "differ": differ, "unsupported": unsupported})
    else:
        rows = (
            (
                verdict.id,
                verdict.group,
                _WORDS[verdict.equal],
                _shown(verdict.answers),
                _shown(verdict.expected) if verdict.equal is False else "",
                verdict.unsupported or verdict.title,
            )
            for verdict in verdicts
        )
        output.table(["Case", "Group", "Result", "Answer", "Expected", "About"], rows, empty="The file has no cases.")
        output.say(f"{len(verdicts)} cases: {agree} agree, {differ} differ, {unsupported} are not supported.")
    if agree != len(verdicts):
        raise typer.Exit(1)


_WORDS: Final = {True: "agrees", False: "DIFFERS", None: "not supported"}


def _shown(values: Iterable[Any]) -> str:
    """One line for each answer."""
    return "\n".join(_line(value) for value in values)


def _line(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, list):
        return "; ".join(" ".join(str(cell) for cell in row) if isinstance(row, list) else str(row) for row in value)
    return str(value)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(metrics_app, name="metrics")
