"""Who stands behind a command."""

from __future__ import annotations

import getpass

from trueup.kernel.actor import Actor, ActorKind


def command_line() -> Actor:
    """The operating system's user who runs this command."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return Actor(kind=ActorKind.COMMAND_LINE, id=name)
