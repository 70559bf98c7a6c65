"""Groups of commands of which one is meant where none is named."""

from __future__ import annotations

from typing import Any, ClassVar

from typer.core import TyperGroup
from typing_extensions import override


class StartsByItself(TyperGroup):
    """A group whose words are commands, and anything else begins its command ``default``.

    Nothing at all begins it too, unless the group says ``no_args_is_help``.
    """

    default: ClassVar[str] = "start"

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Name the command where only its arguments are given."""
        named = args[0] in {*self.commands, *ctx.help_option_names} if args else self.no_args_is_help
        return super().parse_args(ctx, args if named else [self.default, *args])

    @override
    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The group's help, then that of the command whose name may be left out: its options are the group's."""
        super().format_help(ctx, formatter)
        meant = self.commands[self.default]
        with meant.make_context(self.default, [], parent=ctx, resilient_parsing=True) as inner:
            meant.format_help(inner, formatter)


class ShowsByItself(StartsByItself):
    """``trueup event ID`` is ``trueup event show ID``."""

    default: ClassVar[str] = "show"
