"""``/settings/configuration``: what this process runs with, as the file that it could be. Secrets are never shown."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from trueup.kernel.records import Record
from trueup.runtime import configuration
from trueup.runtime.configuration import VARIABLES, Configuration
from trueup.web.console.settings.frame import show
from trueup.web.console.words import Label

SECTION = "settings-configuration"
SOURCES: Final[dict[str, Label]] = {
    "environment": _("environment"),
    "file": _("file"),
    "default": _("default"),
}


class Line(Record, frozen=True):
    """One setting: as a line of the file, and where its value comes from."""

    variable: str
    key: str
    text: str
    """The value as TOML writes it; empty for one that has none."""
    secret: bool
    source: str


def lines(settings: Configuration, *, written: Collection[str]) -> list[Line]:
    """Every setting, in the order of the documentation; of a secret only whether there is one.

    ``written`` are the keys that stand in the file. The environment does not tell: a process is given all of its
    settings there by the one that starts it.
    """
    found = []
    for key, variable in VARIABLES.items():
        field, value = Configuration.model_fields[key], getattr(settings, key)
        default = field.get_default(call_default_factory=True)
        # What may not be shown in an error may not be shown here either.
        secret = not field.repr
        source = "default" if value == default else "file" if key in written else "environment"
        text = "" if value in {None, ""} else _toml(value)
        found.append(
            Line(variable=variable, key=key, text="" if secret else text, secret=secret and bool(text), source=source)
        )
    return found


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = str(value) if isinstance(value, Path) else value
    return '"' + "".join(f"\\{sign}" if sign in '"\\' else sign for sign in text) + '"'


def _written(file: Path) -> frozenset[str]:
    """The keys of the file as it is now; none where it is gone or broken, which the next start will say."""
    try:
        return frozenset(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return frozenset()


@require_safe
def page(request: HttpRequest) -> HttpResponseBase:
    """``/settings/configuration``: each setting as a line; a comment for what is the default or a secret."""
    settings = configuration.current()
    file = Path(os.environ.get("TRUEUP_CONFIG") or settings.home / "trueup.toml").expanduser()
    found = lines(settings, written=_written(file))
    context = {
        "lines": [(one, SOURCES[one.source]) for one in found],
        "file": str(file),
        "changed": sum(one.source != "default" for one in found),
    }
    return show(request, SECTION, "configuration.html", context)
