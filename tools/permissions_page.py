"""Who may do what, and what each page and operation needs: `docs/permissions.md`.

    python -m tools.permissions_page      writes the page and says how many there are

Roles, pages and operations are the program's own; a change of any of them shows in the page's diff.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trueup.config.settings")
django.setup()

from django.utils import translation  # noqa: E402 - Django has to be set up before pages are imported

from trueup.operators.permissions import TABLE  # noqa: E402
from trueup.operators.types import Role  # noqa: E402
from trueup.web.api.permitted import OPERATIONS  # noqa: E402
from trueup.web.console.team_words import AREAS  # noqa: E402
from trueup.web.console.urls import urlpatterns  # noqa: E402

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "permissions.md"
_HEAD: Final = """# Who may do what

Written by `python -m tools.permissions_page`; a test makes it again and compares, and others ask for each page and each
operation as each role. Why it is so: [adr/0018](adr/0018-who-may-do-what.md). What is granted nowhere, nobody may do.
"""


def routes() -> list[tuple[str, str, str]]:
    """Address, what it needs, and what it needs beside that to change something, of every page."""
    found: list[tuple[str, str, str]] = []
    for one in urlpatterns:
        view: Any = one.callback
        found.append((f"/{one.pattern}", view.permission, view.changing))
    return sorted(found)


def page() -> str:
    """The page's text."""
    roles = list(Role)
    text = [
        _HEAD,
        "## Roles\n",
        f"| permission | what it lets one do | {' | '.join(role.value for role in roles)} |",
        f"|---|---|{'---|' * len(roles)}",
    ]
    with translation.override("en"):
        for permission, meaning in (one for _area, its in AREAS for one in its):
            marks = " | ".join("x" if permission in TABLE[role] else "" for role in roles)
            text.append(f"| `{permission.value}` | {meaning} | {marks} |")
    text += [
        "\n## Pages\n",
        "`public` is open to strangers, `personal` to whoever signed in. What a POST needs beside it stands last.",
        "",
        "| address | needs | to change something |",
        "|---|---|---|",
        *(f"| `{address}` | `{needs}` | {f'`{more}`' if more else ''} |" for address, needs, more in routes()),
        "\n## Operations of the API\n",
        "| operation | needs, beside its token's scope |",
        "|---|---|",
        *(
            f"| `{name}` | {', '.join(f'`{one.value}`' for one in needs) or 'a token'} |"
            for name, needs in sorted(OPERATIONS.items())
        ),
        "",
    ]
    return "\n".join(text)


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{len(TABLE)} roles, {len(routes())} pages and {len(OPERATIONS)} operations in {PAGE.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
