"""The ``trueup`` command: opens the installation, then hands over to the command asked for.

The commands import Django's tables, so the database has to be named and Django set up before they are imported; that is
why this module imports them late.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.text import Text

from trueup.kernel.errors import Broken, Refused, TrueupError
from trueup.ops import output
from trueup.runtime import clock, configuration, logs

OFFLINE: Final = frozenset({"--help", "-h", "--version", "--show-completion", "--install-completion"})
"""Options that need no database."""
UNSTORED: Final = (("metrics",), ("sandbox",), ("backups",), ("simulate",), ("audit", "witness"))
"""Commands that need none either: they work on what they are given, on files, or on a store of their own."""
OPTIONS: Final = {
    "--host": "TRUEUP_HOST",
    "--port": "TRUEUP_PORT",
    "--tls-cert": "TRUEUP_TLS_CERT",
    "--tls-key": "TRUEUP_TLS_KEY",
    "--trusted-proxies": "TRUEUP_TRUSTED_PROXIES",
}
"""Options of the commands that serve that are settings: they have to be known before anything is imported."""
SERVING: Final = frozenset({"up", "web", "intake"})
LASTING: Final = frozenset({*SERVING, "worker"})
"""Commands that run until they are told to end, and whose log is all that they say."""
SHOWING: Final = (("demo",), ("sandbox", "up"), ("audit", "witness"))
"""Commands that last as well, and talk to a person where one looks."""
ALARMS: Final = "trueup.inbox.alarms"
"""Whose log tells of alarms that begin and end."""
INTO: Final = "--into"
"""The option of `restore` that names another installation."""
USAGE_ERROR: Final = 2


def main() -> None:
    """Entry point of the ``trueup`` script."""
    arguments = sys.argv[1:]
    try:
        status = run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has seen enough. Python flushes once more at its end, into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    except TrueupError as error:
        status = complain(error, as_json="--json" in arguments)
    except Exception as error:  # noqa: BLE001 - the last one to see it, and it is kept with its trace
        # The trace is for us, in a file; the person is told what to do with it.
        where = keep_trace(error)
        mistake = Broken(
            "Trueup made a mistake.", code="unexpected", hint=f"What happened is in {where}; please report it."
        )
        status = complain(mistake, as_json="--json" in arguments)
    sys.exit(status)


def keep_trace(error: Exception) -> Path:
    """Write an unexpected error's trace to the log folder, or to the temporary one where there is none.

    Returns the file.
    """
    try:
        folder = configuration.current().home / "log"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "command-errors.log"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except (OSError, Refused):
        descriptor, name = tempfile.mkstemp(prefix="trueup-command-errors-", suffix=".log")
        path = Path(name)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(f"{clock.now():%Y-%m-%dT%H:%M:%SZ} trueup {sys.argv[1] if sys.argv[1:] else ''}\n")
        file.writelines(traceback.format_exception(error))
    return path


def complain(error: TrueupError, *, as_json: bool) -> int:
    """Tell what happened and what to do next, in JSON on standard output as well where asked.

    Returns the exit status.
    """
    if as_json:
        output.emit({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
    output.err.print(
        Text.assemble(("✗ ", "bold red"), output.plain(error.message), (f"  ({error.code})", "dim")), soft_wrap=True
    )
    if error.hint:
        output.err.print(Text("  " + output.plain(error.hint)), soft_wrap=True)
    return USAGE_ERROR if isinstance(error, Refused) else 1


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit status."""
    adopt(arguments)
    settings = configuration.current()
    level = _level(arguments, settings)
    logs.configure(level=level, form=settings.log_format)
    if level != settings.log_level and not _shows(arguments):
        # A command that ends says in words what stands wrong; a line of the log between them would say it twice.
        logging.getLogger(ALARMS).setLevel(logging.ERROR)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trueup.config.settings")
    # Whoever looks at the database's connections sees whose they are.
    os.environ.setdefault("PGAPPNAME", f"trueup {arguments[0]}" if arguments else "trueup")
    if not arguments or _begins(arguments, UNSTORED) or OFFLINE.intersection(arguments) or _checks_files(arguments):
        return _hand_over(arguments or ["--help"])
    installation = importlib.import_module("trueup.runtime.installation")
    with installation.opened(_progress):
        return _hand_over(arguments)


def _checks_files(arguments: Sequence[str]) -> bool:
    """Whether what is verified is files alone: an export, or a proof by a policy; no installation is made for that."""
    named = {word.partition("=")[0] for word in arguments}
    return _begins(arguments, (("audit", "verify"),)) and ("--dir" in named or named >= {"--proof", "--policy"})


def _level(arguments: Sequence[str], settings: configuration.Configuration) -> str:
    """Whose log is asked for gets it as set; a command that ends says its answer, and beside it trouble only."""
    lasts = LASTING.intersection(arguments[:1]) or (not sys.stderr.isatty() and _shows(arguments))
    return settings.log_level if lasts or "log_level" in settings.model_fields_set else "warning"


def _shows(arguments: Sequence[str]) -> bool:
    return _begins(arguments, SHOWING)


def _begins(arguments: Sequence[str], commands: Sequence[tuple[str, ...]]) -> bool:
    return any(tuple(arguments[: len(words)]) == words for words in commands)


def adopt(arguments: Sequence[str]) -> None:
    """Turn options that are settings into the environment that this process and its children read."""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        name, given, value = argument.partition("=")
        if SERVING.intersection(arguments[:1]) and name in OPTIONS:
            os.environ[OPTIONS[name]] = value if given else following
        if arguments[0] == "restore" and name == INTO:
            _adopt_target(value if given else following)
    configuration.current.cache_clear()


def _adopt_target(into: str) -> None:
    """Let this process work on the database of that address, or on the installation in that folder and no other."""
    if into.startswith(("postgresql://", "postgres://")):
        os.environ["DATABASE_URL"] = into
    elif into:
        # The backup is this installation's: `latest` is the newest that `trueup backups` lists here, not over there.
        os.environ["TRUEUP_BACKUP_DIR"] = str(configuration.current().backup_folder)
        # So are the keys of subjects, and who was erased; where there are none here, they were brought over there.
        if (audit := configuration.current().audit_folder).is_dir():
            os.environ["TRUEUP_AUDIT_DIR"] = str(audit)
        for variable in ("DATABASE_URL", "TRUEUP_CONFIG"):
            os.environ.pop(variable, None)
        os.environ["TRUEUP_HOME"] = into


def _hand_over(arguments: Sequence[str]) -> int:
    import django  # noqa: PLC0415 - half a second that `trueup --version` and a refused configuration should not cost

    django.setup()
    cli = importlib.import_module("trueup.ops.cli")
    return int(cli.run(list(arguments)))


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        output.err.print(Text(line, style="dim"))


if __name__ == "__main__":
    main()
